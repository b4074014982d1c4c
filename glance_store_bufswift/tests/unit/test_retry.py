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

"""Whether a request is tried again, with which token, and when."""

import threading
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from keystoneauth1 import exceptions as ksa
from oslotest import base
import swiftclient

from glance_store_bufswift import errors
from glance_store_bufswift.swift import failures
from glance_store_bufswift.swift import retry
from glance_store_bufswift.tests.unit import waits

PASSING = failures.Failure('why', 503, may_pass=True)
TOKEN = failures.Failure('401 x', 401, may_pass=True)
RESET = failures.Failure('reset', may_pass=True)


class _TestCase(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.waits = waits.Waits()
        self.cause = OSError('cause')
        self.renewed: list[int] = []

    def tries(
        self,
        retries: int = 3,
        max_backoff: float = 30,
        made: int = 1,
        **how: Any,
    ) -> retry.Tries:
        """Those of a request that has been tried so often."""
        tries = retry.Tries(
            retry.Policy(retries, max_backoff, self.waits), 'PUT of c/o', **how
        )
        for _ in range(made):
            tries.begin()
        return tries

    def again(
        self, tries: retry.Tries, why: failures.Failure = PASSING, **how: Any
    ) -> None:
        tries.again(why, self.cause, **how)

    def ends(
        self, tries: retry.Tries, why: failures.Failure, **how: Any
    ) -> errors.RequestFailed:
        """The error of a request that is not tried again."""
        exc: errors.RequestFailed = self.assertRaises(
            errors.RequestFailed, self.again, tries, why, **how
        )
        self.assertIs(self.cause, exc.__cause__)
        self.assertEqual([], self.waits.seconds)
        return exc

    def renew(self) -> None:
        self.renewed.append(len(self.waits.seconds))


class TestTries(_TestCase):
    def test_a_first_try_and_the_retries(self) -> None:
        for retries in (3, 0):
            tries = self.tries(retries, made=0)
            self.assertEqual((0, retries + 1), (tries.made, tries.left))
            tries.begin()
            self.assertEqual((1, retries), (tries.made, tries.left))

    def test_no_more_than_allowed(self) -> None:
        exc = self.ends(self.tries(retries=2, made=3), PASSING)
        self.assertEqual(
            ('PUT of c/o failed, tried 3 times: why', 503),
            (str(exc), exc.status),
        )

    def test_not_what_will_not_pass(self) -> None:
        self.ends(self.tries(), failures.Failure('404 x', 404))

    def test_what_passes_for_this_request_alone(self) -> None:
        missing = failures.Failure('404 x', 404)
        self.again(self.tries(passing=[404]), missing)
        self.assertEqual(1, len(self.waits.seconds))

    def test_cancelled_before_a_try(self) -> None:
        self.waits.set()
        self.assertRaises(errors.Aborted, self.tries)


class TestToken(_TestCase):
    def test_refused_token_is_replaced_and_the_request_sent_at_once(
        self,
    ) -> None:
        self.again(self.tries(), TOKEN, renew=self.renew)
        self.assertEqual(([0], [0]), (self.renewed, self.waits.seconds))

    def test_second_refusal_waits(self) -> None:
        tries = self.tries()
        for _ in range(2):
            self.again(tries, TOKEN, renew=self.renew)
        self.assertEqual([0, 1], self.renewed)
        self.assertGreater(self.waits.seconds[1], 0)

    def test_first_refusal_costs_no_try(self) -> None:
        tries = self.tries(retries=0)
        self.again(tries, TOKEN, renew=self.renew)
        self.waits.seconds.clear()
        self.ends(tries, TOKEN, renew=self.renew)
        self.assertEqual([0], self.renewed)

    def test_first_refusal_of_a_body_costs_one(self) -> None:
        self.ends(
            self.tries(retries=0), TOKEN, renew=self.renew, rewind=self.renew
        )

    def test_users_own_token_can_not_be_replaced(self) -> None:
        exc = self.ends(self.tries(), TOKEN)
        self.assertIn('swift_store_use_trusts', str(exc))

    def test_403_of_rgw_gets_one_more_try(self) -> None:
        refused = failures.Failure('403 x', 403, rgw_denied=True)
        tries = self.tries()
        self.again(tries, refused, renew=self.renew)
        self.assertEqual([0], self.renewed)
        self.waits.seconds.clear()
        self.assertEqual(
            403, self.ends(tries, refused, renew=self.renew).status
        )
        self.assertEqual([0], self.renewed)

    def test_403_without_another_token_is_final(self) -> None:
        self.ends(
            self.tries(), failures.Failure('403 x', 403, rgw_denied=True)
        )

    def test_second_break_of_a_body_may_hide_a_401(self) -> None:
        for made, expected in ((1, 0), (2, 1)):
            self.renewed.clear()
            self.again(
                self.tries(made=made),
                RESET,
                renew=self.renew,
                rewind=lambda: None,
            )
            self.assertEqual(expected, len(self.renewed))

    def test_break_without_a_body_hides_none(self) -> None:
        self.again(self.tries(made=2), RESET, renew=self.renew)
        self.assertEqual([], self.renewed)


class TestBody(_TestCase):
    def test_set_back_before_the_wait(self) -> None:
        """What a window in memory holds is not to be given up."""
        self.again(self.tries(), rewind=self.renew)
        self.assertEqual([0], self.renewed)

    def test_not_set_back_for_nothing(self) -> None:
        """That may wait for the whole of a segment."""
        self.ends(self.tries(retries=0), PASSING, rewind=self.renew)
        self.assertEqual([], self.renewed)

    def test_can_not_be_set_back(self) -> None:
        def fail() -> None:
            raise errors.NotRewindable('it is not buffered')

        exc = self.assertRaises(
            errors.RequestFailed, self.again, self.tries(), rewind=fail
        )
        self.assertEqual(
            'PUT of c/o failed, tried once: why; not sent '
            'again, as it is not buffered',
            str(exc),
        )


class TestWait(_TestCase):
    @given(st.integers(1, 40))
    def test_doubles_up_to_the_bound(self, made: int) -> None:
        self.again(self.tries(retries=50, made=made))
        full = 2.0 ** (made - 1)
        self.assertLessEqual(self.waits.seconds[-1], min(30, full))
        self.assertGreaterEqual(self.waits.seconds[-1], min(30, full / 2))

    def test_spread(self) -> None:
        tries = self.tries()
        for _ in range(20):
            self.again(tries)
        self.assertGreater(len(set(self.waits.seconds)), 1)

    def asked(self, seconds: float) -> failures.Failure:
        return failures.Failure('x', 503, may_pass=True, retry_after=seconds)

    def test_server_may_ask_for_more(self) -> None:
        self.again(self.tries(), self.asked(17))
        self.assertEqual([17], self.waits.seconds)

    def test_server_may_not_ask_for_more_than_the_bound(self) -> None:
        for seconds in (31, 1e9, float('inf')):
            self.again(self.tries(), self.asked(seconds))
        self.assertEqual([30, 30, 30], self.waits.seconds)

    def test_none_at_all(self) -> None:
        self.again(self.tries(max_backoff=0), self.asked(5))
        self.assertEqual([0], self.waits.seconds)

    def test_cancelled_before_it(self) -> None:
        tries = self.tries()
        self.waits.set()
        self.assertRaises(errors.Aborted, self.again, tries)

    def test_cancelled_meanwhile(self) -> None:
        cancelled = threading.Event()
        tries = retry.Tries(retry.Policy(3, 3600, cancelled), 'PUT')
        tries.begin()
        canceller = threading.Thread(target=cancelled.set)
        canceller.start()
        self.assertRaises(errors.Aborted, self.again, tries, self.asked(3600))
        canceller.join()


def _unavailable(retry_after: str = '0') -> swiftclient.ClientException:
    return swiftclient.ClientException(
        'told',
        http_status=503,
        http_response_headers={'retry-after': retry_after},
    )


class TestRepeat(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.waits = waits.Waits()
        self.calls = 0

    def _repeat(self, *outcomes: Any, retries: int = 3) -> Any:
        left = list(outcomes)

        def call() -> Any:
            self.calls += 1
            outcome = left.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return retry.repeat(
            retry.Policy(retries, 30, self.waits), 'Asking', call
        )

    def test_until_it_succeeds(self) -> None:
        self.assertEqual(
            'token',
            self._repeat(ksa.ConnectFailure('x'), _unavailable('9'), 'token'),
        )
        self.assertEqual(9, self.waits.seconds[1])

    def test_no_more_than_allowed(self) -> None:
        exc = self.assertRaises(
            errors.RequestFailed,
            self._repeat,
            *[_unavailable()] * 5,
            retries=2,
        )
        self.assertEqual((3, 503), (self.calls, exc.status))
        self.assertIn('Asking failed, tried 3 times', str(exc))

    def test_not_what_will_not_pass(self) -> None:
        self.assertRaises(
            errors.RequestFailed, self._repeat, ksa.Unauthorized()
        )
        self.assertEqual((1, []), (self.calls, self.waits.seconds))

    def test_not_a_bug(self) -> None:
        bug = ValueError('bug')
        self.assertIs(bug, self.assertRaises(ValueError, self._repeat, bug))

    def test_failure_inside_another_exception(self) -> None:
        wrapped = ValueError('upstream')
        wrapped.__context__ = ksa.ConnectFailure('x')
        self.assertEqual('token', self._repeat(wrapped, 'token'))
