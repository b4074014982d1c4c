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

"""How many requests are under way on a site that limits rates."""

import threading
import time
from unittest import mock

from oslotest import base

from glance_store_bufswift.swift import pace
from glance_store_bufswift.tests.unit import waits


class TestPace(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.cancelled = threading.Event()
        self.pace = pace.Pace(self.cancelled, waits.GENEROUS)
        # Time stands still, but for those who wait.
        self.now = 100.0
        self.waited: list[float] = []
        self._patch(
            mock.patch.object(
                time, 'monotonic', autospec=True, side_effect=lambda: self.now
            )
        )
        self._patch(
            mock.patch.object(
                self.pace._changed,
                'wait',
                side_effect=self._wait,
                spec=threading.Condition.wait,
            )
        )

    def _patch(self, patch: 'mock._patch[mock.Mock]') -> None:
        patch.start()
        self.addCleanup(patch.stop)

    def _wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    def _under_way(self, count: int) -> list[float]:
        """Begin so many requests that do not end."""
        turns = []
        for _ in range(count):
            turn = self.pace.turn()
            turns.append(turn.__enter__())
            self.addCleanup(turn.__exit__, None, None, None)
        return turns

    def _full(self) -> bool:
        """Whether one more would wait for others."""
        before = len(self.waited)
        with self.pace.turn():
            return len(self.waited) > before

    def test_no_limit_without_a_refusal(self) -> None:
        self._under_way(100)
        self.pace.answered()
        self.assertFalse(self._full())

    def test_halved_by_a_refusal(self) -> None:
        began = self._under_way(4)
        self.pace.refused(began[0], 0)
        self.assertTrue(self._full())
        self.assertEqual(2.0, self.pace._limit)

    def test_allows(self) -> None:
        """What a download asks for before it opens another connection."""
        self.assertEqual(4, self.pace.allows(4))
        self.pace.refused(self._under_way(6)[0], 0)
        self.assertEqual(
            [1, 3, 3], [self.pace.allows(most) for most in (1, 3, 9)]
        )
        self.pace.answered()
        self.assertEqual(3, self.pace.allows(9))
        for _ in range(10):
            self.pace.answered()
        self.assertEqual(4, self.pace.allows(9))

    def test_refusals_of_one_burst_count_once(self) -> None:
        began = self._under_way(8)
        self.now += 1
        for each in began:
            self.pace.refused(each, 0)
        self.assertEqual(4.0, self.pace._limit)

    def test_one_is_always_under_way(self) -> None:
        for _ in range(5):
            self.now += 1
            with self.pace.turn() as began:
                self.pace.refused(began, 0)
        self.assertFalse(self._full())

    def test_one_more_after_ten_answers(self) -> None:
        with self.pace.turn() as began:
            self.pace.refused(began, 0)
        self._under_way(1)
        for _ in range(9):
            self.pace.answered()
        self.assertTrue(self._full())
        self.pace.answered()
        self.assertFalse(self._full())

    def test_retry_after_counts_for_all(self) -> None:
        with self.pace.turn() as began:
            self.pace.refused(began, 7)
        with self.pace.turn() as began:
            self.assertEqual(([7.0], 107.0), (self.waited, began))

    def test_retry_after_is_bounded(self) -> None:
        with self.pace.turn() as began:
            self.pace.refused(began, 10_000)
        self._under_way(1)
        self.assertEqual([waits.GENEROUS], self.waited)

    def test_turn_is_not_waited_for_without_end(self) -> None:
        """Who is under way may wait for who wants a turn."""
        began = self._under_way(1)
        self.pace.refused(began[0], 0)
        self._under_way(1)
        self.assertEqual([waits.GENEROUS], self.waited)

    def test_nobody_waits_any_more(self) -> None:
        began = self._under_way(1)
        self.pace.refused(began[0], 10)
        self.cancelled.set()
        self._under_way(1)
        self.assertEqual([], self.waited)


class TestThreads(base.BaseTestCase):
    def test_turn_comes_when_another_ends(self) -> None:
        kept = pace.Pace(threading.Event(), waits.GENEROUS)
        kept._changed = condition = waits.Condition()

        def take() -> None:
            with kept.turn():
                pass

        with kept.turn() as began:
            kept.refused(began, 0)
            other = waits.start(take)
            self.assertTrue(condition.waiting.wait(waits.GENEROUS))
            self.assertFalse(other.done())
        other.result(waits.GENEROUS)

    def test_cancelled(self) -> None:
        cancelled = threading.Event()
        kept = pace.Pace(cancelled, waits.GENEROUS)
        kept._changed = condition = waits.Condition()

        def take() -> None:
            with kept.turn():
                pass

        with kept.turn() as began:
            kept.refused(began, 0)
            other = waits.start(take)
            self.assertTrue(condition.waiting.wait(waits.GENEROUS))
            cancelled.set()
            kept.wake()
            other.result(waits.GENEROUS)
