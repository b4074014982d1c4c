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

"""When a request is tried again, and after how long."""

import threading

from hypothesis import given
from hypothesis import strategies as st
from oslotest import base

from glance_store_bufswift import errors
from glance_store_bufswift.swift import retry
from glance_store_bufswift.tests.unit import waits


class _Counter:
    """What swiftclient's connection is for the counting."""

    def __init__(self) -> None:
        self.attempts = 99


class TestStatuses(base.BaseTestCase):
    def test_what_may_pass(self) -> None:
        for status in (None, 401, 408, 422, 429, 498, 499, *range(500, 600)):
            self.assertTrue(retry.may_pass(status), status)

    def test_what_may_not(self) -> None:
        for status in (100, 200, 202, 301, 400, 402, 403, 404, 405, 409, 411,
                       412, 413, 416, 600):
            self.assertFalse(retry.may_pass(status), status)


class TestRetryAfter(base.BaseTestCase):
    def _read(self, value: str) -> float:
        return retry.retry_after({'retry-after': value})

    def test_seconds(self) -> None:
        self.assertEqual(7, self._read('7'))
        self.assertEqual(1.5, self._read(' 1.5 '))

    def test_nothing_sensible_is_no_wait(self) -> None:
        for value in ('', 'soon', '-3', 'nan', '-inf',
                      'Sun, 06 Nov 1994 08:49:37 GMT'):
            self.assertEqual(0, self._read(value), value)

    def test_none_given_is_no_wait(self) -> None:
        self.assertEqual(0, retry.retry_after({}))


class TestTries(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.waits = waits.Waits()

    def _tries(self, retries: int = 3, max_backoff: float = 30
               ) -> retry.Tries:
        return retry.Tries(
            retry.Policy(retries, max_backoff, self.waits), 'PUT of c/o')

    def test_a_first_try_and_the_retries(self) -> None:
        self.assertEqual(4, self._tries(retries=3).left)
        self.assertEqual(1, self._tries(retries=0).left)

    def test_tries_of_several_calls_count_together(self) -> None:
        tries, counter = self._tries(retries=5), _Counter()
        tries.begin(counter)
        self.assertEqual((0, 6), (tries.made, tries.left))
        counter.attempts = 2
        self.assertEqual((2, 4), (tries.made, tries.left))
        tries.begin(counter)
        self.assertEqual(2, tries.made)
        counter.attempts = 3
        self.assertEqual((5, 1), (tries.made, tries.left))

    def test_left_is_never_negative(self) -> None:
        tries, counter = self._tries(retries=0), _Counter()
        tries.begin(counter)
        counter.attempts = 5
        self.assertEqual(0, tries.left)

    def test_once_counts_as_one(self) -> None:
        tries = self._tries()
        tries.begin(retry.Once())
        tries.begin(retry.Once())
        self.assertEqual(2, tries.made)

    @given(st.integers(1, 40))
    def test_wait_doubles_up_to_the_bound(self, made: int) -> None:
        tries, counter = self._tries(retries=50), _Counter()
        tries.begin(counter)
        counter.attempts = made
        tries.back_off('why')
        full = 2.0 ** (made - 1)
        self.assertLessEqual(self.waits.seconds[-1], min(30, full))
        self.assertGreaterEqual(self.waits.seconds[-1], min(30, full / 2))

    def test_waits_are_spread(self) -> None:
        tries = self._tries()
        for _ in range(20):
            tries.back_off('why')
        self.assertGreater(len(set(self.waits.seconds)), 1)

    def test_server_may_ask_for_more(self) -> None:
        self._tries().back_off('why', 17)
        self.assertEqual([17], self.waits.seconds)

    def test_server_may_not_ask_for_more_than_the_bound(self) -> None:
        for asked in (31, 1e9, float('inf')):
            self._tries().back_off('why', asked)
        self.assertEqual([30, 30, 30], self.waits.seconds)

    def test_no_wait_at_all(self) -> None:
        self._tries(max_backoff=0).back_off('why', 5)
        self.assertEqual([0], self.waits.seconds)

    def test_cancelled_before_the_wait(self) -> None:
        self.waits.set()
        self.assertRaises(errors.Aborted, self._tries().back_off, 'why')

    def test_cancelled_while_waiting(self) -> None:
        cancelled = threading.Event()
        tries = retry.Tries(retry.Policy(3, 3600, cancelled), 'PUT')
        canceller = threading.Thread(target=cancelled.set)
        canceller.start()
        self.assertRaises(errors.Aborted, tries.back_off, 'why', 3600)
        canceller.join()
