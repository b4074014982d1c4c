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

"""Reading an object over connections that break."""

from typing import Any

from glance_store_bufswift import errors
from glance_store_bufswift.swift import identity
from glance_store_bufswift.swift import reading
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import gets
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import wires

DATA = streams.image(1_000_000)
THING = gets.Thing(DATA)


class _TestCase(wires.WireTestCase):
    def open(
        self,
        *actions: sockets.Action,
        retries: int = 3,
        timeout: float = 20,
        **what: Any,
    ) -> reading.ObjectReader:
        self.server = self.serve(*actions)
        return reading.ObjectReader(
            self.account(self.server, retries, timeout=timeout),
            'c',
            'o',
            **what,
        )

    def read(self, *actions: sockets.Action, **how: Any) -> bytes:
        """All that there is to read, as long as was told."""
        opened = self.open(*actions, **how)
        told = opened.left
        data = b''.join(iter(opened.read, b''))
        self.assertEqual(told, len(data))
        self.assertEqual(0, opened.left)
        self.assertEqual(b'', opened.read())
        return data

    def lost(
        self, *actions: sockets.Action, **how: Any
    ) -> errors.RequestFailed:
        """The error of what can't be read."""
        exc: errors.RequestFailed = self.assertRaises(
            errors.RequestFailed, self.read, *actions, **how
        )
        self.assertEqual([], self.server.actions)
        return exc


class TestWhole(_TestCase):
    def test_one_request(self) -> None:
        self.assertEqual(DATA, self.read(THING.give))
        self.assertEqual([None], gets.ranges(self.server))

    def test_empty(self) -> None:
        self.assertEqual(b'', self.read(gets.Thing(b'').give))

    def test_empty_one_keeps_no_connection(self) -> None:
        """What a manifest is: the next request goes over the same one."""
        server = self.serve(gets.Thing(b'').give, THING.give)
        account = self.account(server)
        for size in (0, len(DATA)):
            opened = reading.ObjectReader(account, 'c', 'o')
            self.assertEqual(size, opened.left)
        self.assertEqual([1, 1], [each.connection for each in server.requests])

    def test_in_blocks(self) -> None:
        opened = self.open(THING.give)
        self.assertEqual(DATA[:10], opened.read(10))
        self.assertEqual(DATA[10:30], opened.read(20))
        self.assertEqual(len(DATA) - 30, opened.left)

    def test_missing(self) -> None:
        self.assertEqual(404, self.lost(sockets.answer(404)).status)

    def test_closed_early(self) -> None:
        opened = self.open(THING.stall(1000))
        opened.read(10)
        opened.close()  # or the server fails the test
        self.assertEqual(b'', opened.read())


class TestRange(_TestCase):
    """No byte is asked for or given that nobody wants."""

    def check(self, offset: int, size: int | None, asked: str) -> None:
        # Only a HEAD tells that what comes in place of a range is all.
        for actions, ranges in (
            ([THING.give], [asked]),
            ([THING.whole, THING.head, THING.whole], [asked, None, asked]),
        ):
            end = len(DATA) if size is None else offset + size
            self.assertEqual(
                DATA[offset:end], self.read(*actions, offset=offset, size=size)
            )
            self.assertEqual(ranges, gets.ranges(self.server))

    def test_from_a_byte_on(self) -> None:
        self.check(700_001, None, 'bytes=700001-')

    def test_first_bytes(self) -> None:
        self.check(0, 5, 'bytes=0-4')

    def test_in_the_middle(self) -> None:
        self.check(300_000, 300_000, 'bytes=300000-599999')

    def test_last_byte(self) -> None:
        self.check(999_999, 1, 'bytes=999999-999999')

    def test_more_than_there_is(self) -> None:
        self.assertEqual(
            DATA[-5:], self.read(THING.give, offset=999_995, size=100)
        )
        self.assertEqual(
            DATA[-5:],
            self.read(
                THING.whole, THING.head, THING.whole, offset=999_995, size=100
            ),
        )

    def test_behind_the_end(self) -> None:
        for actions in (
            [sockets.answer(416), THING.head],
            [THING.whole, THING.head, THING.whole],
        ):
            exc = self.lost(*actions, offset=1_000_000)
            self.assertEqual(416, exc.status)
            self.assertIn('ends after 1000000 bytes', str(exc))

    def test_of_nothing(self) -> None:
        self.assertEqual(
            b'', self.read(sockets.answer(416), gets.Thing(b'').head, size=5)
        )

    def test_resumed(self) -> None:
        self.assertEqual(
            DATA[1000:601_000],
            self.read(
                THING.cut(200_000),
                THING.cut(300_000, reset=True),
                THING.give,
                offset=1000,
                size=600_000,
            ),
        )
        self.assertEqual(
            ['bytes=1000-600999', 'bytes=201000-600999'],
            gets.ranges(self.server)[:2],
        )


class TestResume(_TestCase):
    def test_broken_anywhere(self) -> None:
        for after in (0, 1, 500_000, len(DATA) - 1):
            self.assertEqual(DATA, self.read(THING.cut(after), THING.give))
            self.assertEqual(
                [None, f'bytes={after}-999999']
                if after
                else [None, 'bytes=0-999999'],
                gets.ranges(self.server),
            )

    def test_stalled(self) -> None:
        self.assertEqual(
            DATA, self.read(THING.stall(600_000), THING.give, timeout=2)
        )

    def test_what_comes_in_between(self) -> None:
        self.assertEqual(
            DATA,
            self.read(
                THING.cut(5),
                sockets.answer(503),
                sockets.answer(409),
                sockets.say(b''),
                THING.give,
                retries=4,
            ),
        )

    def test_new_token(self) -> None:
        self.assertEqual(
            DATA, self.read(THING.cut(5), sockets.answer(401), THING.give)
        )
        self.assertEqual(
            'token-2', self.server.requests[-1].headers['x-auth-token']
        )

    def test_server_without_ranges(self) -> None:
        self.assertEqual(DATA, self.read(THING.cut(400_000), THING.whole))

    def test_server_without_ranges_that_breaks_again(self) -> None:
        self.assertEqual(
            DATA,
            self.read(
                THING.cut(400_000),
                gets.Thing(DATA[:1], THING.etag).whole,
                THING.give,
            ),
        )

    def test_more_breaks_than_retries_if_it_gets_on(self) -> None:
        self.assertEqual(
            DATA, self.read(*[THING.cut(50_000)] * 10, THING.give, retries=1)
        )

    def test_waits_before_each_try(self) -> None:
        self.read(THING.cut(10), THING.cut(0), THING.give)
        self.assertEqual(2, len(self.waits.seconds))
        first, second = self.waits.seconds
        self.assertTrue(0.5 <= first <= 1 <= second <= 2, (first, second))


class TestLost(_TestCase):
    """What can't be read to its end is an error, never a shorter image."""

    def test_no_more_tries(self) -> None:
        exc = self.lost(THING.cut(500_000), *[THING.cut(0)] * 2, retries=2)
        self.assertIn('GET of c/o failed, tried 3 times', str(exc))
        self.assertIsNone(exc.status)

    def test_no_retries(self) -> None:
        self.lost(THING.cut(500_000), retries=0)

    def test_gone(self) -> None:
        self.assertEqual(
            404, self.lost(THING.cut(5), sockets.answer(404)).status
        )

    def test_another_object(self) -> None:
        other = gets.Thing(DATA[:-1] + b'x')
        exc = self.lost(THING.cut(5), other.give, other.give, retries=2)
        self.assertIn('another object', str(exc))

    def test_another_object_of_the_same_size_without_etag(self) -> None:
        """Only its size tells."""
        thing, other = gets.Thing(DATA, ''), gets.Thing(DATA[:-1], '')
        self.lost(thing.cut(5), other.give, retries=1)

    def test_not_the_object_that_was_wanted(self) -> None:
        self.assertEqual(
            DATA, self.read(THING.give, wanted=identity.Identity(THING.etag))
        )
        self.lost(THING.give, wanted=identity.Identity('x'), retries=0)
        self.assertEqual(
            DATA,
            self.read(
                THING.give,
                wanted=identity.Identity(
                    proves=lambda etag: etag in THING.etag
                ),
            ),
        )
        exc = self.lost(
            THING.give,
            THING.give,
            retries=1,
            wanted=identity.Identity(proves=lambda etag: False),
        )
        self.assertIn('another object than was stored', str(exc))

    def test_without_an_etag_that_was_wanted(self) -> None:
        """A HEAD may tell it."""
        bare = gets.Thing(DATA, '', '17.5')
        told = gets.Thing(DATA, written='17.5')

        def wanted() -> identity.Identity:
            return identity.Identity(
                total=len(DATA), proves=lambda etag: etag in THING.etag
            )

        self.assertEqual(
            DATA, self.read(bare.give, told.head, bare.give, wanted=wanted())
        )
        for head in (bare.head, gets.Thing(DATA, 'x').head):
            self.lost(bare.give, head, wanted=wanted(), retries=0)

    def test_missing_for_a_while(self) -> None:
        gone = sockets.answer(404)
        self.assertEqual(DATA, self.read(gone, THING.give, passing=(404,)))
        self.assertEqual(
            DATA,
            self.read(
                THING.cut(5), gone, THING.give, retries=2, passing=(404,)
            ),
        )
        exc = self.lost(gone, gone, retries=1, passing=(404,))
        self.assertEqual(404, exc.status)

    def test_another_comes_and_goes(self) -> None:
        """As with a listing that lags on one of several servers."""
        other = gets.Thing(DATA[:-1])
        self.assertEqual(DATA, self.read(THING.cut(5), other.give, THING.give))

    def test_other_bytes_than_asked_for(self) -> None:
        def shifted(request: sockets.Request) -> None:
            request.headers['range'] = 'bytes=6-999999'
            THING.give(request)

        self.lost(THING.cut(5), shifted, shifted, retries=2)

    def test_a_bug_is_no_failed_request(self) -> None:
        opened = self.open(THING.give)

        def fail(size: int) -> bytes:
            raise KeyError(size)

        opened._answer.body.read = fail
        self.assertRaises(KeyError, opened.read)
