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

"""Whether a request is tried again, with which token, and after how long.

Only this module decides: swiftclient makes single tries.
"""

from collections.abc import Callable
from collections.abc import Collection
import dataclasses
import random
import threading
from typing import TypeVar

from oslo_log import log as logging

from glance_store_bufswift import errors
from glance_store_bufswift import stopwatch
from glance_store_bufswift.swift import failures

LOG = logging.getLogger(__name__)

T = TypeVar('T')


@dataclasses.dataclass(frozen=True)
class Policy:
    """How often requests are retried, and how long apart.

    :ivar retries: further tries of a request
    :ivar max_backoff: seconds between two tries at most
    :ivar cancelled: set when nothing is to be tried any more
    :ivar pauses: counts the time between tries
    """

    retries: int
    max_backoff: float
    cancelled: threading.Event = dataclasses.field(
        default_factory=threading.Event
    )
    pauses: stopwatch.Stopwatch = dataclasses.field(
        default_factory=stopwatch.Stopwatch, compare=False
    )

    def check(self) -> None:
        """Raise Aborted if nothing is to be tried any more."""
        if self.cancelled.is_set():
            raise errors.Aborted('The upload has failed elsewhere')

    def pause(self, seconds: float) -> None:
        """Wait; raises Aborted as soon as nothing is to be tried any more."""
        self.cancelled.wait(seconds)
        self.check()


class Tries:
    """The tries of one request.

    :param policy: the bounds
    :param what: names the request in log lines
    :param passing: statuses that can pass for this request alone
    :ivar made: tries so far
    """

    def __init__(
        self, policy: Policy, what: str, passing: Collection[int] = ()
    ) -> None:
        self._policy = policy
        self._passing = passing
        self._renewed = False
        self.what = what
        self.made = 0

    @property
    def left(self) -> int:
        """How many more tries there are."""
        return max(0, self._policy.retries + 1 - self.made)

    def begin(self) -> None:
        """Count a try; raises Aborted if nothing is to be tried any more."""
        self._policy.check()
        self.made += 1

    def again(
        self,
        failure: failures.Failure,
        cause: Exception,
        renew: Callable[[], object] | None = None,
        rewind: Callable[[], object] | None = None,
    ) -> None:
        """Get ready for another try, and wait until it is time for it.

        :param failure: how the last try failed
        :param cause: its exception
        :param renew: has the next try use another token; None if there is
            no other
        :param rewind: sets the request's body back; None if it has none
        :raises RequestFailed: there is no further try
        :raises Aborted: nothing is to be tried any more
        """
        refused = self._blames_token(failure, rewind is not None)
        failure = self._judged(failure, refused, renew is not None)
        at_once = failure.status == 401 and not self._renewed
        # An expired token does not count as a try of a request without a body.
        free = at_once and rewind is None
        if not failure.may_pass or not (self.left or free):
            raise failure.error(self.what, self.made) from cause
        # Before the wait, so that the window in memory keeps what it holds.
        if rewind is not None:
            self._rewind(rewind, failure)
        if refused and renew is not None:
            self._renewed = True
            renew()
        self.wait(failure.reason, failure.retry_after, at_once)

    def _blames_token(self, failure: failures.Failure, has_body: bool) -> bool:
        """Whether the token may be to blame."""
        if failure.status == 401:
            return True
        if failure.rgw_denied:
            return not self._renewed
        # A single one can be chance, and is not worth a new token.
        return has_body and failure.may_hide_401 and self.made > 1

    def _judged(
        self, failure: failures.Failure, refused: bool, renewable: bool
    ) -> failures.Failure:
        """The failure, with may_pass as it is for this request."""
        if failure.status == 401 and not renewable:
            return failure.not_resent(
                "the user's own token can not be renewed "
                '(see swift_store_use_trusts)'
            )
        if failure.status in self._passing or (
            failure.rgw_denied and refused and renewable
        ):
            return dataclasses.replace(failure, may_pass=True)
        return failure

    def _rewind(
        self, rewind: Callable[[], object], failure: failures.Failure
    ) -> None:
        try:
            rewind()
        except errors.NotRewindable as exc:
            raise failure.not_resent(str(exc)).error(
                self.what, self.made
            ) from exc

    def wait(
        self, reason: str, retry_after: float = 0, at_once: bool = False
    ) -> None:
        """Wait until it is time for the next try.

        :param reason: why the last one failed
        :param retry_after: seconds that the server asks to wait
        :param at_once: don't wait, only log
        :raises Aborted: nothing is to be tried any more
        """
        bound = self._policy.max_backoff
        # Spread, so that segments that failed together are not retried
        # together.
        doubling = 2.0 ** max(0, self.made - 1) * random.uniform(0.5, 1)  # noqa: S311
        wait = min(bound, max(doubling, retry_after))
        if at_once:
            wait = 0
        LOG.info(
            '%(what)s failed (%(reason)s), try %(made)d of %(all)d; '
            'the next one follows in %(wait).1f s',
            {
                'what': self.what,
                'reason': reason,
                'made': self.made,
                'all': self._policy.retries + 1,
                'wait': wait,
            },
        )
        with self._policy.pauses.share(stopwatch.RETRIES):
            self._policy.pause(wait)


def repeat(policy: Policy, what: str, call: Callable[[], T]) -> T:
    """Retry a call while its failures can pass.

    :param what: names the call in log lines and errors
    :raises RequestFailed: it failed for good
    """
    tries = Tries(policy, what)
    while True:
        tries.begin()
        try:
            return call()
        except Exception as exc:
            # Upstream wraps what Keystone's client raises.
            failure = failures.of_exception(exc) or failures.of_exception(
                exc.__context__
            )
            if failure is None:
                raise
            tries.again(failure, exc)
