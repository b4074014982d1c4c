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

"""A segment is on the wire while the source still delivers it."""

from collections.abc import Callable
import threading

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import meetings
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support import leaks
from glance_store_bufswift.tests.support import streams

#: Several of the blocks that the source is read in.
SEGMENT = 3 * base.SEGMENT

#: A place in a segment, some of whose blocks have been read by then.
MIDDLE = 2_500_000

#: Seconds until a meeting of requests fails; reached only then.
PATIENCE = 20.0


class TestTee(base.TestCase):
    """The source waits for the proxy: buffering first would not get on."""

    shares_tokens = True

    options = {
        'swift_store_large_object_chunk_size': 3,
        'swift_store_large_object_size': 3,
    }

    def arrived(self, path: str) -> Callable[[], journal.Log]:
        """Blocks until bytes of an object have come to the proxy."""

        def seen(log: journal.Log) -> bool:
            return any(
                each.method == 'PUT'
                and each.path.endswith(path)
                and each.received > 0
                for each in log
            )

        return lambda: self.proxy.wait_for(seen, PATIENCE)

    def check(self, size: int, at: int, path: str, **options: object) -> None:
        data = streams.image(size)
        made = self.stores(fast=options)
        for declared in (0, size):
            self.proxy.clear()
            stream = streams.Stream(data, at=at, then=self.arrived(path))
            answer = made.add(self.image, stream, declared)
            self.assert_stored(data, answer, -(-size // SEGMENT))
            self.assertEqual(1, len(self.puts(f'{path}$')))

    def test_first_segment(self) -> None:
        self.check(2 * SEGMENT, MIDDLE, '/00000001')

    def test_later_segment(self) -> None:
        self.check(2 * SEGMENT + 5, SEGMENT + MIDDLE, '/00000002')

    def test_last_segment(self) -> None:
        self.check(2 * SEGMENT - 100_000, SEGMENT + MIDDLE, '/00000002')

    def test_no_buffer_is_held_for_the_manifest(self) -> None:
        held: list[list[str]] = []
        self.proxy.add(
            faults.Rule(
                faults.Hook(lambda _: held.append(leaks.files(self.buffers))),
                'PUT',
                f'/({self.image}|0+2)$',
                times=None,
            )
        )
        data = streams.image(2 * SEGMENT + 5)
        self.stores().add(self.image, streams.Stream(data), 0)
        [segment, manifest] = held
        self.assertNotEqual([], segment)
        self.assertEqual([], manifest)

    def test_without_a_buffer(self) -> None:
        self.check(
            2 * SEGMENT,
            SEGMENT + MIDDLE,
            '/00000002',
            swift_buffered_dir='/nowhere',
        )

    def test_one_after_the_other(self) -> None:
        self.check(
            2 * SEGMENT,
            SEGMENT + MIDDLE,
            '/00000002',
            swift_buffered_threads=1,
        )

    def test_plain_object(self) -> None:
        data = streams.image(SEGMENT - 5)
        stream = streams.Stream(
            data, at=MIDDLE, then=self.arrived(f'/{self.image}')
        )
        answer = self.stores().add(self.image, stream, len(data))
        self.assert_stored(data, answer, 0)


class TestInFlight(base.TestCase):
    """Several segments on their way at a time."""

    shares_tokens = True

    def check(self, threads: int, declared: int = 0) -> None:
        data = streams.image(7 * base.SEGMENT)
        meeting = meetings.Meeting(self.proxy, threads)
        made = self.stores(fast={'swift_buffered_threads': threads})
        answer = made.add(self.image, streams.Stream(data), declared)
        self.assert_stored(data, answer, 7)
        self.assertEqual(meeting.size, self.proxy.peak('PUT'))
        self.assertEqual(7, len(self.puts(r'/\d{8}$')))

    def test_one(self) -> None:
        self.check(1)

    def test_two(self) -> None:
        self.check(2, declared=7 * base.SEGMENT)

    def test_six(self) -> None:
        self.check(6)

    def test_fewer_segments_than_threads(self) -> None:
        data = streams.image(2 * base.SEGMENT)
        made = self.stores(fast={'swift_buffered_threads': 64})
        answer = made.add(self.image, streams.Stream(data), 0)
        self.assert_stored(data, answer, 2)

    def test_the_source_does_not_wait_for_swift(self) -> None:
        """It is read to its end while no segment is through yet."""
        data = streams.image(4 * base.SEGMENT)
        ended = threading.Event()
        self.proxy.add(
            faults.Rule(
                faults.Hook(lambda _: ended.wait(PATIENCE)),
                'PUT',
                r'/\d{8}$',
                times=None,
            )
        )
        stream = streams.Stream(data, at=len(data), then=ended.set)
        answer = self.stores().add(self.image, stream, 0)
        self.assert_stored(data, answer, 4)
        self.assertTrue(ended.is_set())

    def test_manifest_comes_last(self) -> None:
        data = streams.image(4 * base.SEGMENT)
        self.stores().add(self.image, streams.Stream(data), 0)
        puts = self.puts()
        self.assertTrue(puts[-1].path.endswith(f'/{self.image}'))
        self.assertTrue(all(each.status == 201 for each in puts))
