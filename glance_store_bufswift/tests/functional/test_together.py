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

"""Several uploads at once in one process."""

from collections.abc import Callable
from concurrent import futures
import threading
from typing import Any
import uuid

from glance_store import exceptions

from glance_store_bufswift import layout
from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT

#: Seconds until a meeting fails; reached only then.
PATIENCE = 20.0


class TestDifferentImages(base.TestCase):
    shares_tokens = True

    def check(self, sizes: list[int], **options: Any) -> None:
        """All are under way when the first one gets on."""
        made = self.stores(fast=options)
        made.add(self.image, streams.Stream(b''), 0)
        meeting = threading.Barrier(len(sizes))
        images = [str(uuid.uuid4()) for _ in sizes]

        def add(number: int) -> Any:
            data = streams.image(sizes[number], seed=number)
            stream = streams.Uneven(
                data, at=len(data) // 2, then=lambda: meeting.wait(PATIENCE)
            )
            return data, made.add(
                images[number], stream, len(data) * (number % 2)
            )

        with futures.ThreadPoolExecutor(len(sizes)) as pool:
            done = list(pool.map(add, range(len(sizes))))
        for self.image, (data, answer) in zip(images, done, strict=True):
            self.assert_stored(data, answer)
            made.delete(answer[0])
            self.assert_nothing_left()

    def test_two(self) -> None:
        self.check([3 * SEGMENT + 5, 4 * SEGMENT])

    def test_four(self) -> None:
        self.check([3 * SEGMENT + 5, 2 * SEGMENT, SEGMENT, 5 * SEGMENT + 1])

    def test_four_with_room_for_two_segments(self) -> None:
        """Each gets on, with or without a buffer."""
        self.check([4 * SEGMENT] * 4, swift_buffered_disk_quota=2)

    def test_one_fails(self) -> None:
        data = streams.image(3 * SEGMENT)
        made = self.stores()
        failed = threading.Event()

        def fail() -> None:
            with futures.ThreadPoolExecutor(1) as pool:
                stream = streams.Stream(data, at=len(data), then=broken)
                raised = pool.submit(
                    made.add, str(uuid.uuid4()), stream, 0
                ).exception()
            self.assertIsInstance(raised, ValueError)
            failed.set()

        def broken() -> None:
            raise ValueError('bad')

        answer = made.add(
            self.image, streams.Stream(data, at=SEGMENT + 5, then=fail), 0
        )
        self.assertTrue(failed.is_set())
        self.assert_stored(data, answer, 3)
        self.assertEqual(4, len(self.listing()))


class TestSameImage(base.TestCase):
    """Two attempts at one image: one's bytes stand, never a mix."""

    shares_tokens = True

    def setUp(self) -> None:
        super().setUp()
        self.made = self.stores()
        # Creates the container; its object goes to another image.
        self.made.add(str(uuid.uuid4()), streams.Stream(b''), 0)
        self.proxy.clear()
        self.pool = futures.ThreadPoolExecutor(2)
        self.addCleanup(self.pool.shutdown)

    def start(
        self,
        data: bytes,
        then: Callable[[], object] = lambda: None,
        declared: int = 0,
    ) -> futures.Future[Any]:
        """Begin an upload that calls ``then`` near its end."""
        stream = streams.Stream(data, at=len(data) * 4 // 5, then=then)
        return self.pool.submit(self.made.add, self.image, stream, declared)

    def assert_stands(
        self, data: bytes, done: futures.Future[Any], segments: int
    ) -> None:
        self.assert_stored(data, done.result(), segments)
        self.assertEqual(segments + 1, len(self.listing(self.image)))

    def between(
        self,
        old: bytes,
        new: bytes,
        then: Callable[[], object] = lambda: None,
        declared: int = 0,
    ) -> list[futures.Future[Any]]:
        """The second attempt begins and ends in the middle of the first."""
        second: list[futures.Future[Any]] = []

        def other() -> None:
            second.append(self.start(new))
            futures.wait(second, PATIENCE)
            then()

        first = self.start(old, other, declared)
        futures.wait([first])
        return [first, *second]

    def test_last_one_stands(self) -> None:
        for old, new in ((3, 2), (2, 3)):
            one = streams.image(old * SEGMENT, seed=1)
            two = streams.image(new * SEGMENT, seed=2)
            first, second = self.between(one, two)
            self.assertIsNone(second.exception())
            self.assert_stands(one, first, old)

    def test_last_one_in_one_object_stands(self) -> None:
        first, second = self.between(
            b'12', streams.image(2 * SEGMENT), declared=2
        )
        self.assertIsNone(second.exception())
        self.assert_stands(b'12', first, 0)

    def test_last_one_fails(self) -> None:
        def fail() -> None:
            raise ValueError('bad')

        for new in (2 * SEGMENT, 5):
            two = streams.image(new, seed=2)
            first, second = self.between(streams.image(3 * SEGMENT), two, fail)
            self.assertIsInstance(first.exception(), ValueError)
            self.assert_stands(two, second, new // SEGMENT)

    def test_last_one_fails_in_one_object(self) -> None:
        """Its PUT has begun under the name that the other one took."""

        def fail() -> None:
            self.assertEqual(2, len(self.puts(f'/{self.image}$')))
            raise ValueError('bad')

        self.made = self.stores(
            fast={
                'swift_store_large_object_chunk_size': 3,
                'swift_store_large_object_size': 3,
            }
        )
        old = streams.image(3 * SEGMENT, seed=1)
        first, second = self.between(old, b'new', fail, len(old))
        self.assertIsInstance(first.exception(), ValueError)
        self.assert_stands(b'new', second, 0)

    @base.swift_only('takes no notice of If-None-Match')
    def test_at_the_same_time(self) -> None:
        """Neither finds anything before both write their manifests."""
        size = 3 * SEGMENT
        images = [streams.image(size, seed) for seed in (1, 2)]
        self.in_step()
        done = [self.start(data) for data in images]
        futures.wait(done)
        [refused] = [
            each for each in self.puts(f'/{self.image}$') if each.status == 412
        ]
        last = self.puts(f'/{self.image}$')[-1]
        self.assertEqual(
            refused.headers[layout.ATTEMPT_HEADER],
            last.headers[layout.ATTEMPT_HEADER],
        )
        [winner] = [
            number
            for number, each in enumerate(done)
            if not each.exception()
            and images[number] == self.made.get(each.result()[0])
        ]
        self.assert_stands(images[winner], done[winner], 3)
        # The other one stood for a while, or was seen to be replaced.
        exc = done[1 - winner].exception()
        if exc is not None:
            self.assertIsInstance(exc, exceptions.BackendException)
            self.assertIn('replaced', str(exc))

    def in_step(self) -> None:
        """Let manifests go when both are there, one after the other."""
        path = f'/{self.image}$'

        def manifests(log: journal.Log) -> list[journal.Exchange]:
            return [
                each
                for each in log
                if each.method == 'PUT'
                and each.path.endswith(f'/{self.image}')
            ]

        def put(exchange: journal.Exchange) -> None:
            log = self.proxy.wait_for(
                lambda log: len(manifests(log)) == 2, PATIENCE
            )
            first, second = manifests(log)
            if exchange is second:
                self.proxy.wait_for(lambda _: first.answered, PATIENCE)

        self.proxy.add(faults.Rule(faults.Hook(put), 'PUT', path, times=2))
