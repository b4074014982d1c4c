#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""Reading what proxies and gateways answer in their own ways.

The right bytes come, or an error that blames the right thing.
"""

from typing import Any

from oslotest import base
import testscenarios

from glance_store_bufswift import errors
from glance_store_bufswift.reader import lookup
from glance_store_bufswift.swift import extents
from glance_store_bufswift.swift import reading
from glance_store_bufswift.tests.support import fresh
from glance_store_bufswift.tests.support import logs
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import gets
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import wires

load_tests = testscenarios.load_tests_apply_scenarios

DATA = streams.image(1000)
THING = gets.Thing(DATA)

#: What is asked for: bytes=5-104.
FIRST, LAST = 5, 104


class Server:
    """Answers a GET for a range in one way, all other requests as it ought.

    :param status: of the answer to the range
    :param told: its Content-Range, None for none
    :param part: what its body has of the object
    :param more: other headers; None for none of that name
    :param chunked: whether the body has no length
    """

    def __init__(
        self,
        status: int,
        told: str | None,
        part: slice = slice(FIRST, LAST + 1),
        chunked: bool = False,
        **more: str | None,
    ) -> None:
        self._status = status
        self._told = told
        self._part = part
        self._chunked = chunked
        self._more = {name.replace('_', '-'): more[name] for name in more}

    def __call__(self, request: sockets.Request) -> None:
        if request.method == 'HEAD':
            THING.head(request)
        elif 'range' in request.headers:
            self.odd(request)
        else:
            THING.give(request)

    def odd(self, request: sockets.Request) -> None:
        """Answer whatever is asked for in the one way."""
        send(
            request,
            self._status,
            DATA[self._part],
            self._chunked,
            {'ETag': THING.etag, 'Content-Range': self._told, **self._more},
        )


def send(
    request: sockets.Request,
    status: int,
    body: bytes,
    chunked: bool,
    headers: dict[str, str | None],
) -> None:
    """Answer with or without a length."""
    if chunked:
        headers |= {'Content-Length': None, 'Transfer-Encoding': 'chunked'}
        body = b'%x\r\n%b\r\n0\r\n\r\n' % (len(body), body)
    request.send(status, headers, body)


RIGHT = 'bytes 5-104/1000'

#: Answers to "bytes=5-104", and how many requests it takes to read that.
ANSWERS: dict[str, tuple[Server, int]] = {
    'as it ought to be': (Server(206, RIGHT), 1),
    'in another case, with spaces': (Server(206, 'Bytes  5-104/ 1000'), 1),
    'in capitals': (Server(206, 'BYTES 5 - 104 / 1000'), 1),
    'with an equals sign': (Server(206, 'bytes=5-104/1000'), 1),
    'in chunks': (Server(206, RIGHT, chunked=True), 1),
    'from the start': (Server(206, 'bytes 0-104/1000', slice(0, 105)), 1),
    'to the end': (Server(206, 'bytes 5-999/1000', slice(5, 1000)), 1),
    # Asked for: the size by a HEAD, and once more.
    'without a total': (Server(206, 'bytes 5-104/*'), 3),
    'the whole, 200': (Server(200, None, slice(0, 1000)), 3),
    # Asked for: the size by a HEAD, and the whole.
    'without a Content-Range': (Server(206, None), 3),
    'in another unit': (Server(206, 'lines 5-104/1000'), 3),
    'in no form': (Server(206, 'bytes */1000'), 3),
    'backwards': (Server(206, 'bytes 104-5/1000'), 3),
    'behind the end': (Server(206, 'bytes 5-1004/1000'), 3),
    'several parts': (
        Server(206, None, Content_Type=('multipart/byteranges; boundary=x')),
        3,
    ),
    'another part': (Server(206, 'bytes 10-104/1000', slice(10, 105)), 3),
    'another part of another size': (
        Server(206, 'bytes 10-104/2000', slice(10, 105)),
        3,
    ),
    'less than is wanted': (Server(206, 'bytes 0-4/5', slice(0, 5)), 3),
    'another length': (Server(206, RIGHT, slice(5, 100)), 3),
    'the part, and 200 with its range': (Server(200, RIGHT), 3),
    'refused, 416': (Server(416, 'bytes */1000', slice(0, 0)), 3),
    # The same, after it is known that 100 bytes are not the whole.
    'the part, and 200': (Server(200, None), 4),
    'another part, and 200': (Server(200, None, slice(10, 105)), 4),
    'the part, and 200, in chunks': (Server(200, None, chunked=True), 4),
}


class _TestCase(wires.WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fresh.Notices())
        self.records = self.useFixture(logs.Records())

    def open(
        self, *actions: sockets.Action, retries: int = 1, **what: Any
    ) -> reading.ObjectReader:
        self.server = self.serve(*actions)
        return reading.ObjectReader(
            self.account(self.server, retries), 'c', 'o', **what
        )

    def read(self, *actions: sockets.Action, **what: Any) -> bytes:
        """What is read, as long as was told."""
        opened = self.open(*actions, **what)
        told = opened.left
        data = b''.join(iter(opened.read, b''))
        self.assertEqual(told, len(data))
        return data

    def lost(self, *actions: sockets.Action, **what: Any) -> str:
        """What the error says of what can't be read."""
        exc = self.assertRaises(
            errors.RequestFailed, self.read, *actions, **what
        )
        self.assertNotIn('another object', str(exc))
        return str(exc)

    def asked(self) -> int:
        """How many requests there were."""
        return len(self.server.requests)


class TestRange(_TestCase):
    scenarios = [
        (name, {'answer': answer, 'requests': requests})
        for name, (answer, requests) in ANSWERS.items()
    ]

    answer: Server
    requests: int

    def test_from_a_byte_on(self) -> None:
        self.assertEqual(
            DATA[FIRST : LAST + 1],
            self.read(*[self.answer] * 9, offset=FIRST, size=100),
        )
        self.assertEqual(self.requests, self.asked())

    def test_resumed(self) -> None:
        """The size is known by then: there is no need for a HEAD."""
        self.assertEqual(
            DATA[: LAST + 1],
            self.read(THING.cut(FIRST), *[self.answer] * 9, size=105),
        )
        self.assertNotIn(
            'HEAD', [each.method for each in self.server.requests]
        )
        self.assertLessEqual(self.asked() - 1, self.requests)

    def test_no_other_way(self) -> None:
        """Where a request for all is answered in the same way too."""
        try:
            data = self.read(*[self._always] * 9, offset=FIRST, size=100)
        except errors.RequestFailed as exc:
            self.assertIn('GET of c/o failed', str(exc))
            self.assertNotIn('another object', str(exc))
        else:
            self.assertEqual(DATA[FIRST : LAST + 1], data)

    def _always(self, request: sockets.Request) -> None:
        (THING.head if request.method == 'HEAD' else self.answer.odd)(request)


class TestShorter(_TestCase):
    def test_the_rest_is_asked_for(self) -> None:
        part = Server(206, 'bytes 5-54/1000', slice(5, 55))
        self.assertEqual(
            DATA[5:105], self.read(part, THING.give, offset=5, size=100)
        )
        self.assertEqual(
            ['bytes=5-104', 'bytes=55-104'], gets.ranges(self.server)
        )


class TestWhole(_TestCase):
    """No range is asked for."""

    def test_206_that_is_all(self) -> None:
        self.assertEqual(
            DATA,
            self.read(Server(206, 'bytes 0-999/1000', slice(0, 1000)).odd),
        )

    def test_206_that_is_a_part(self) -> None:
        self.assertEqual(
            DATA,
            self.read(
                Server(206, 'bytes 0-104/1000', slice(0, 105)).odd, THING.give
            ),
        )
        self.assertEqual('bytes=105-999', gets.ranges(self.server)[1])

    def test_206_without_content_range(self) -> None:
        odd = Server(206, None, slice(0, 1000)).odd
        self.assertEqual(DATA, self.read(odd, THING.give))
        self.assertIn('206 with the Content-Range None', self.lost(odd, odd))

    def test_200_with_a_content_range(self) -> None:
        odd = Server(200, RIGHT).odd
        self.assertEqual(DATA, self.read(odd, THING.give))
        self.lost(odd, odd)


class TestSize(_TestCase):
    """What has no Content-Length."""

    def chunked(self, data: bytes = DATA, **headers: str) -> sockets.Action:
        def act(request: sockets.Request) -> None:
            send(request, 200, data, True, {'ETag': THING.etag, **headers})

        return act

    def until_closed(self, request: sockets.Request) -> None:
        request.send(
            200,
            {
                'ETag': THING.etag,
                'Content-Length': None,
                'Connection': 'close',
            },
            DATA,
        )
        request.hang_up()

    def bare_head(self, request: sockets.Request) -> None:
        request.send(
            200,
            {
                'ETag': THING.etag,
                'Content-Length': None,
                'Transfer-Encoding': 'chunked',
            },
        )

    def test_a_head_tells_it(self) -> None:
        for action in (self.chunked(), self.until_closed):
            self.assertEqual(DATA, self.read(action, THING.head, action))
            self.assertEqual(3, self.asked())

    def test_a_part_from_the_start(self) -> None:
        self.assertEqual(
            DATA[300:400],
            self.read(
                self.chunked(),
                THING.head,
                *[self.chunked()] * 2,
                offset=300,
                size=100,
            ),
        )

    def test_resumed(self) -> None:
        def cut(request: sockets.Request) -> None:
            request.send(
                200,
                {
                    'ETag': THING.etag,
                    'Content-Length': None,
                    'Transfer-Encoding': 'chunked',
                },
                b'3e8\r\n' + DATA[:300],
            )
            request.hang_up()

        opened = self.open(cut, THING.head, cut, THING.give, retries=3)
        self.assertEqual(DATA, opened.read(300) + opened.read())
        self.assertEqual('bytes=300-999', gets.ranges(self.server)[-1])

    def test_other_bytes_than_a_head_tells_of(self) -> None:
        for data in (DATA[:-1], DATA + b'x'):
            self.lost(self.chunked(), THING.head, *[self.chunked(data)] * 9)

    def test_a_range_tells_it(self) -> None:
        """As with nginx and its sub_filter."""
        first = Server(206, 'bytes 0-0/1000', slice(0, 1), chunked=True).odd
        self.assertEqual(
            DATA,
            self.read(self.chunked(), self.bare_head, first, self.chunked()),
        )
        self.assertEqual(
            [None, None, 'bytes=0-0', None], gets.ranges(self.server)
        )
        for data in (DATA[:-1], DATA + b'x'):
            self.lost(
                self.chunked(),
                self.bare_head,
                first,
                *[self.chunked(data)] * 3,
            )

    def test_a_range_tells_that_it_is_empty(self) -> None:
        empty = sockets.answer(416)
        self.assertEqual(
            b'',
            self.read(
                self.chunked(b''), self.bare_head, empty, self.chunked(b'')
            ),
        )
        said = self.lost(
            self.chunked(), self.bare_head, empty, *[self.chunked()] * 2
        )
        self.assertIn('should be empty', said)

    def test_nobody_tells_it(self) -> None:
        for first in (
            self.chunked(DATA[:1]),
            THING.whole,
            Server(206, 'bytes 0-0/*', slice(0, 1)).odd,
            Server(206, None, slice(0, 1)).odd,
        ):
            said = self.lost(
                self.chunked(),
                self.bare_head,
                first,
                self.chunked(),
                retries=5,
            )
            self.assertIn('its size is not told', said)
            self.assertIn('proxy', said)
            self.assertEqual(4, self.asked())

    def test_lengths_that_are_none(self) -> None:
        for text in ('-5', 'abc', '9' * 5000, '\u0663'):
            self.assertIsNone(reading_length(text), text)

    def test_of_the_image(self) -> None:
        for head, get in ((THING.head, []), (self.bare_head, [THING.give])):
            account = self.account(self.serve(head, *get))
            self.assertEqual(1000, lookup.size_of(account, 'c', 'o'))

    def test_of_the_image_that_nobody_tells(self) -> None:
        account = self.account(
            self.serve(
                self.bare_head,
                self.chunked(),
                self.bare_head,
                self.chunked(),
                self.chunked(),
            )
        )
        exc = self.assertRaises(
            errors.RequestFailed, lookup.size_of, account, 'c', 'o'
        )
        self.assertIn('its size is not told', str(exc))


def reading_length(text: str) -> int | None:
    """What a Content-Length is taken for."""
    return extents.of(200, {'content-length': text}).total


class TestSame(_TestCase):
    """Whether what comes after a break is of the same object."""

    def resumed(self, etag: str) -> bytes:
        """Read what breaks off, with this ETag in what follows."""
        return self.read(
            THING.cut(300),
            Server(206, 'bytes 300-999/1000', slice(300, 1000), ETag=etag).odd,
        )

    def test_etag_in_other_forms(self) -> None:
        md5 = THING.etag.strip('"')
        for etag in (
            md5,
            f'W/"{md5}"',
            f'"{md5.upper()}"',
            md5.upper(),
            f'w/"{md5}"',
            f' "{md5}" ',
        ):
            self.assertEqual(DATA, self.resumed(etag), etag)

    def test_without_etag(self) -> None:
        """Then it tells when it was written."""
        first = gets.Thing(DATA, written='1.5')
        self.assertEqual(
            DATA, self.read(first.cut(300), gets.Thing(DATA, '', '1.5').give)
        )
        said = self.lost(first.cut(300), gets.Thing(DATA, '', '2.5').give)
        self.assertIn('nothing tells that it is the same object', said)

    def test_etag_of_nothing(self) -> None:
        """Ceph RGW has it for SLOs: it tells one from no other."""
        nothing = gets.Thing(b'').etag
        first, other = (
            gets.Thing(DATA, nothing, written) for written in ('1.5', '2.5')
        )
        self.assertEqual(DATA, self.read(first.cut(300), first.give))
        self.lost(first.cut(300), other.give)

    def test_nothing_tells(self) -> None:
        bare = gets.Thing(DATA, '')
        for first in (THING, bare):
            said = self.lost(first.cut(300), bare.give)
            self.assertIn('does a proxy remove ETags?', said)

    def test_manifest_of_other_segments(self) -> None:
        """As when a listing lags: the object was not written again."""
        said = self.lost(
            gets.Thing(DATA, written='1.5').cut(300),
            gets.Thing(DATA, '0' * 32, '1.5').give,
        )
        self.assertIn('what the manifest lists has changed', said)

    def test_other_size(self) -> None:
        other = gets.Thing(DATA[:-1], THING.etag)
        said = self.lost(THING.cut(300), other.give)
        self.assertIn('999 bytes now, before: 1000', said)


class TestEncoded(_TestCase):
    """What a proxy compresses is not what was stored."""

    def test_on_its_way(self) -> None:
        for chunked in (False, True):
            odd = Server(
                200, None, slice(0, 500), chunked, Content_Encoding='gzip'
            ).odd
            said = self.lost(odd, THING.head, odd)
            self.assertIn('gzip', said)
            self.assertIn('switch that off', said)

    def test_stored_so(self) -> None:
        """It is given as it is, as Swift does."""
        odd = Server(200, None, slice(0, 1000), Content_Encoding='gzip').odd
        self.assertEqual(DATA, self.read(*[odd] * 3))

    def test_identity(self) -> None:
        self.assertEqual(
            DATA,
            self.read(
                Server(
                    200, None, slice(0, 1000), Content_Encoding='identity'
                ).odd
            ),
        )


class TestWarning(_TestCase):
    def test_once(self) -> None:
        for _ in range(2):
            self.read(
                *[ANSWERS['without a Content-Range'][0]] * 9,
                offset=5,
                size=100,
            )
        said = [
            each.getMessage()
            for each in self.records.all
            if 'Content-Range' in each.getMessage()
            and each.levelname == 'WARNING'
        ]
        self.assertEqual(2, len(said))  # each server has its own URL
        self.assertIn(self.server.url, said[1])


class TestExtent(base.BaseTestCase):
    def test_other_answers(self) -> None:
        for status in (201, 203, 204, 207):
            self.assertRaises(errors.Unproven, extents.of, status, {})
