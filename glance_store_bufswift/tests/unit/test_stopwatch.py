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

"""Shares of time."""

from oslotest import base

from glance_store_bufswift import stopwatch
from glance_store_bufswift.tests.unit import waits


class TestStopwatch(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock = self.useFixture(waits.Clock())
        self.watch = stopwatch.Stopwatch()

    def spend(self, name: str, seconds: float) -> None:
        with self.watch.share(name):
            self.clock.spend(seconds)

    def test_adds_up(self) -> None:
        self.spend('disk', 2)
        self.clock.spend(5)
        self.spend('disk', 1)
        self.spend('swift', 4)
        self.assertEqual(
            (3, 4, 0),
            tuple(
                self.watch.spent(name) for name in ('disk', 'swift', 'none')
            ),
        )
        self.assertEqual((12, 5), (self.watch.seconds, self.watch.rest()))

    def test_a_share_within_another_counts_once(self) -> None:
        with self.watch.share('swift'):
            self.clock.spend(1)
            with self.watch.share('source'):
                self.clock.spend(10)
                self.spend('disk', 100)
                self.spend('disk', 1000)
            self.clock.spend(2)
        self.spend('swift', 20)
        self.assertEqual(
            (23, 10, 1100, 0),
            (
                self.watch.spent('swift'),
                self.watch.spent('source'),
                self.watch.spent('disk'),
                self.watch.rest(),
            ),
        )

    def test_what_raises_is_counted(self) -> None:
        def fail() -> None:
            with self.watch.share('swift'), self.watch.share('source'):
                self.clock.spend(3)
                raise ValueError

        self.assertRaises(ValueError, fail)
        self.spend('swift', 1)
        self.assertEqual(
            (1, 3), (self.watch.spent('swift'), self.watch.spent('source'))
        )

    def test_threads_are_added(self) -> None:
        """A share of one thread is not within that of another."""
        with self.watch.share('swift'):
            for _ in range(2):
                waits.start(self.spend, 'retries', 5).result(waits.GENEROUS)
        self.assertEqual(
            (10, 10), (self.watch.spent('swift'), self.watch.spent('retries'))
        )
        self.assertEqual(0, self.watch.rest())
