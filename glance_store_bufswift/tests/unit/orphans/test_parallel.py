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

"""Calls beside each other."""

from collections.abc import Iterator
import threading

from oslotest import base

from glance_store_bufswift.orphans import parallel


class TestEach(base.BaseTestCase):
    def test_in_order(self) -> None:
        """Also when the first call ends last."""
        others = threading.Barrier(parallel.THREADS)

        def wait(item: int) -> int:
            if item < parallel.THREADS:
                others.wait(30)
            return -item
        self.assertEqual([(item, -item) for item in range(100)],
                         list(parallel.each(wait, range(100))))

    def test_nothing(self) -> None:
        self.assertEqual([], list(parallel.each(str, ())))

    def test_takes_few_ahead(self) -> None:
        taken = 0

        def endless() -> Iterator[int]:
            nonlocal taken
            while True:
                taken += 1
                yield taken
        calls = parallel.each(str, endless())
        for _ in range(5):
            next(calls)
        self.assertEqual(5 + parallel.AHEAD - 1, taken)
        calls.close()  # type: ignore[attr-defined]

    def test_a_failure_is_raised(self) -> None:
        done: list[int] = []

        def fail(item: int) -> None:
            if item == 3:
                raise KeyError(item)
            done.append(item)
        self.assertRaises(KeyError, list, parallel.each(
            fail, range(1000)))
        self.assertLess(len(done), 2 * parallel.AHEAD)
        self.assertEqual([], [thread for thread in threading.enumerate()
                              if thread.name.startswith('bufswift-look')])
