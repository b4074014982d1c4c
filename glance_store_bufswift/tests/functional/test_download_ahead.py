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

"""Reading an image over several connections, and what breaks on one."""

import threading
from typing import Any

import fixtures
from glance_store import exceptions
from glance_store import multi_backend

from glance_store_bufswift.reader import memory
from glance_store_bufswift.tests.functional import downloads
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = downloads.SEGMENT

#: Three pieces of 512,000 bytes in the longest of two segments and a half.
PIECE, IMAGE = 512_000, 5 * SEGMENT // 2


class TestCase(downloads.TestCase):
    def setUp(self) -> None:
        super().setUp()
        for name, value in (
            ('parts.MAX_PIECE', PIECE),
            ('gauge.SAMPLE_SIZE', 1),
            ('gauge.FAST_RATE', float('inf')),
            ('lookup.ONE_CONNECTION_SIZE', PIECE),
        ):
            self.useFixture(
                fixtures.MonkeyPatch(
                    f'glance_store_bufswift.reader.{name}', value
                )
            )
        self.upload(IMAGE)

    def assert_closed(self) -> None:
        """Nothing of the download is left."""
        super().assert_closed()
        self.assert_nothing_runs()
        self.assertEqual(0, memory.SHARED.taken)

    def assert_right(self) -> None:
        """The image is read as it is, whole and in part."""
        self.assert_read(self.get())
        self.assertEqual(
            self.data[5:-5], self.get(offset=5, chunk_size=IMAGE - 10)
        )


class TestFaults(TestCase):
    def test_none(self) -> None:
        self.assert_right()
        self.assertEqual(4, len(self.ranges(2)))

    def test_piece_breaks(self) -> None:
        for how in ('close', 'reset'):
            for at in (0, 1, PIECE // 2, PIECE - 1):
                self.inject(faults.BreakAnswer(at, how), segment=2)
                self.assert_right()

    def test_every_piece_breaks(self) -> None:
        for segment in (1, 2, 3):
            self.inject(faults.BreakAnswer(300_000), None, segment=segment)
        self.assert_right()

    def test_piece_stalls(self) -> None:
        self.made = self.stores(fast={'swift_buffered_timeout': 1})
        self.inject(faults.BreakAnswer(PIECE // 2, 'stall'), segment=2)
        self.assert_right()

    def test_refused(self) -> None:
        for code in (401, 408, 429, 503):
            for segment in (1, 2, 3):
                self.inject(faults.Status(code=code), segment=segment)
            self.assert_right()

    def test_refused_often(self) -> None:
        """As by a site that limits rates."""
        self.made = self.stores(fast={'swift_buffered_retries': 9})
        self.inject(faults.Status(code=429), times=8, segment=2)
        self.assert_right()

    def test_token_is_revoked(self) -> None:
        self.proxy.add(
            faults.Rule(
                faults.Hook(
                    lambda exchange: self.cloud.revoke(
                        exchange.headers['x-auth-token']
                    )
                ),
                'GET',
                '/00000002$',
            )
        )
        self.assert_right()

    def test_wrong_range(self) -> None:
        wrong = f'bytes 600000-{SEGMENT - 1}/{SEGMENT}'
        self.inject(
            faults.Rewrite(206, {'Content-Range': wrong}), skip=1, segment=2
        )
        self.assert_right()
        self.proxy.clear()
        self.inject(
            faults.Rewrite(206, {'Content-Range': wrong}), None, segment=2
        )
        self.assert_lost(downloads.UNAVAILABLE)

    def test_missing_at_times(self) -> None:
        self.inject(faults.Status(code=404), segment=2)
        self.assert_right()

    def test_missing(self) -> None:
        self.inject(faults.Status(code=404), None, segment=3)
        self.assert_lost(exceptions.BackendException)

    def test_another_object_at_times(self) -> None:
        self.inject(faults.Rewrite(None, {'ETag': 32 * '0'}), segment=2)
        self.assert_right()

    def test_another_object(self) -> None:
        self.inject(faults.Rewrite(None, {'ETag': 32 * '0'}), None, segment=3)
        self.assertIn(
            'another object', self.assert_lost(downloads.UNAVAILABLE)
        )


class TestEnd(TestCase):
    """Whoever stops early leaves nothing, whatever is on its way."""

    def test_while_others_wait(self) -> None:
        for segment in (2, 3):
            self.inject(faults.Stall(), None, segment=segment)
        chunks, _ = multi_backend.get(self.uri, 'fast')
        next(chunks)
        chunks.close()
        self.assert_closed()

    def test_dropped(self) -> None:
        chunks, _ = multi_backend.get(self.uri, 'fast')
        got = b''.join(next(chunks) for _ in range(3))
        self.assertEqual(self.data[: len(got)], got)
        del chunks
        self.assert_closed()

    def test_many_at_once(self) -> None:
        """They share the memory, and the connections of nobody."""
        self.made = self.stores(fast={'swift_buffered_read_memory': 2})
        done: list[bytes] = []

        def read() -> None:
            done.append(b''.join(multi_backend.get(self.uri, 'fast')[0]))

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(
            [streams.hashes(self.data)] * 8,
            [streams.hashes(each) for each in done],
        )
        self.assert_closed()


class TestPlain(TestCase):
    """One large object, of another driver."""

    def upload(
        self, size: int = IMAGE, kind: str = 'swift', **options: Any
    ) -> None:
        super().upload(size, kind, swift_store_large_object_size=100)

    def test_whole(self) -> None:
        self.assert_right()
        self.assertGreater(len(self.ranges()), 5)

    def test_faults(self) -> None:
        for fault in (
            faults.BreakAnswer(PIECE // 2),
            faults.Reset(),
            faults.Status(code=503),
        ):
            for skip in range(4):
                self.inject(fault, skip=skip)
                self.assert_read(self.get())

    def test_replaced_meanwhile(self) -> None:
        other = streams.image(IMAGE, seed=2)
        self.inject(
            faults.Hook(
                lambda _: self.cloud.connection().put_object(
                    self.container, self.image, other
                )
            ),
            skip=1,
        )
        self.assertIn(
            'another object', self.assert_lost(downloads.UNAVAILABLE)
        )
