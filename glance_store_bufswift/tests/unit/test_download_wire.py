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

"""Downloads of DLOs that are too long for Swift to tell their size."""

import json

from glance_store import exceptions

from glance_store_bufswift import download
from glance_store_bufswift import errors
from glance_store_bufswift import opts
from glance_store_bufswift.reader import lookup
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import gets
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import wires

PARTS = [
    gets.Thing(streams.image(size, seed=size)) for size in (1000, 700, 1, 300)
]
DATA = b''.join(part.data for part in PARTS)
GIVEN = [part.give for part in PARTS]


def manifest(request: sockets.Request) -> None:
    """A DLO of 10,000 segments and more: no length, no ETag, no ranges."""
    body = b'' if request.method == 'HEAD' else b'5\r\nbytes\r\n'
    request.send(
        200,
        {
            'X-Object-Manifest': 'c/s-',
            'Content-Length': None,
            'Transfer-Encoding': 'chunked',
        },
        body,
    )
    if body:
        request.wait_for_hang_up()


def listed(*parts: gets.Thing) -> sockets.Action:
    """A page of the listing of its segments."""
    return sockets.give(
        json.dumps(
            [
                {
                    'name': f's-{PARTS.index(part)}',
                    'bytes': len(part.data),
                    'hash': part.etag.strip('"'),
                }
                for part in parts
            ]
        ).encode()
    )


LISTING = [listed(*PARTS[:3]), listed(*PARTS[3:]), listed()]


class TestDownload(wires.WireTestCase):
    def start(
        self,
        *actions: sockets.Action,
        offset: int = 0,
        size: int | None = None,
    ) -> download.Download:
        self.server = self.serve(manifest, *LISTING, manifest, *actions)
        return download.start(
            self.account(self.server, 1),
            'c',
            'i',
            offset,
            size,
            opts.Settings(),
        )

    def check(
        self, parts: list[int], offset: int, size: int | None = None
    ) -> None:
        """Only these segments are asked for, and of them what is wanted."""
        started = self.start(
            *[GIVEN[part] for part in parts], offset=offset, size=size
        )
        end = len(DATA) if size is None else offset + size
        told = len(started)
        self.assertEqual(DATA[offset:end], b''.join(started))
        self.assertEqual(len(DATA[offset:end]), told)
        self.assertEqual(
            [f'/v1/AUTH_test/c/s-{part}' for part in parts],
            [each.path for each in self.server.requests[5:]],
        )

    def test_whole(self) -> None:
        self.check([0, 1, 2, 3], 0)

    def test_ranges(self) -> None:
        self.check([0], 0, 1)
        self.check([0, 1], 999, 2)
        self.check([1], 1000, 700)
        self.check([1, 2, 3], 1001, 701)
        self.check([2, 3], 1700)
        self.check([3], 2000, 1)
        self.check([3], 1999, 9999)

    def test_behind_the_end(self) -> None:
        exc = self.assertRaises(
            errors.RequestFailed, self.start, offset=len(DATA)
        )
        self.assertEqual(416, exc.status)

    def test_resumed(self) -> None:
        self.assertEqual(
            DATA,
            b''.join(
                self.start(
                    PARTS[0].give, PARTS[1].cut(300), PARTS[1].give, *GIVEN[2:]
                )
            ),
        )
        self.assertEqual(
            'bytes=300-699', self.server.requests[7].headers['range']
        )

    def test_segment_is_another(self) -> None:
        other = gets.Thing(streams.image(700, seed=9))
        started = self.start(PARTS[0].give, other.give, other.give)
        self.assertRaises(
            exceptions.RemoteServiceUnavailable, b''.join, started
        )

    def test_segment_is_gone(self) -> None:
        """That is not to be taken for an image that is gone."""
        started = self.start(
            PARTS[0].give, sockets.answer(404), sockets.answer(404)
        )
        self.assertRaises(exceptions.BackendException, b''.join, started)

    def test_size(self) -> None:
        account = self.account(self.serve(manifest, *LISTING, manifest))
        self.assertEqual(len(DATA), lookup.size_of(account, 'c', 'i'))

    def test_size_that_nobody_tells(self) -> None:
        def endless(request: sockets.Request) -> None:
            body = b'' if request.method == 'HEAD' else b'0\r\n\r\n'
            request.send(
                200,
                {
                    'Content-Length': None,
                    'X-Timestamp': '1',
                    'Transfer-Encoding': 'chunked',
                },
                body,
            )

        account = self.account(self.serve(*[endless] * 5))
        self.assertRaises(
            errors.RequestFailed, lookup.size_of, account, 'c', 'i'
        )
