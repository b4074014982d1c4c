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

"""When a request is tried again, and after how long.

swiftclient's own retry sends a segment again; what it does not take for
transient (422, an answer that confirms something else, Keystone's failures, a
second 401) is tried again here. Both draw on one budget.
"""

from collections.abc import Collection
from collections.abc import Mapping
import dataclasses
import random
import threading
from typing import Protocol

from oslo_log import log as logging

from glance_store_bufswift import errors

LOG = logging.getLogger(__name__)

#: Statuses besides 5xx that may pass (python-swiftclient, Connection._retry;
#: 422 says that the bytes were damaged on their way).
TRANSIENT = frozenset((401, 408, 422, 429, 498, 499))


def may_pass(status: int | None) -> bool:
    """Whether a request answered with this status is worth another try.

    None stands for no answer: a broken connection or a timeout.
    """
    return status is None or status in TRANSIENT or 500 <= status <= 599


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks to wait, 0 if it does not say.

    The form with a date is not read: it needs clocks that agree.
    """
    try:
        return max(0.0, float(headers.get('retry-after', 0)))
    except ValueError:
        return 0.0


@dataclasses.dataclass(frozen=True)
class Policy:
    """How often and how patiently requests are repeated.

    :ivar retries: further tries of a request
    :ivar max_backoff: seconds between two tries at most
    :ivar cancelled: set when nothing is to be tried any more
    """

    retries: int
    max_backoff: float
    cancelled: threading.Event = dataclasses.field(
        default_factory=threading.Event)


class Counter(Protocol):
    """What counts the tries of a call: swiftclient's Connection."""

    attempts: int


class Once:
    """Counts a call that is a single try."""

    attempts = 0

    def __setattr__(self, name: str, value: int) -> None:
        super().__setattr__(name, max(value, 1))


class Tries:
    """The tries of one request.

    :param policy: the bounds
    :param what: names the request in log lines
    :param passing: statuses that may pass for this request alone
    """

    def __init__(self, policy: Policy, what: str,
                 passing: Collection[int] = ()) -> None:
        self._policy = policy
        self._before = 0
        self._counter: Counter | None = None
        self.what = what
        self.passing = passing
        #: Whether another token was tried where access was refused.
        self.renewed = False

    def begin(self, counter: Counter) -> None:
        """Count what swiftclient's own retry makes of the next call."""
        self._before = self.made
        self._counter = counter
        counter.attempts = 0

    @property
    def made(self) -> int:
        """How many tries there were."""
        return self._before + (self._counter.attempts if self._counter else 0)

    @property
    def left(self) -> int:
        """How many more tries there are."""
        return max(0, self._policy.retries + 1 - self.made)

    def back_off(self, reason: str, server_asks: float = 0) -> None:
        """Wait before the next try.

        :param reason: why the last try failed
        :param server_asks: seconds, from Retry-After
        :raises Aborted: nothing is to be tried any more
        """
        bound = self._policy.max_backoff
        # Spread, so that the segments of an upload that failed together do
        # not come back together.
        doubling = 2.0 ** max(0, self.made - 1) * random.uniform(0.5, 1)  # noqa: S311
        wait = min(bound, max(doubling, server_asks))
        LOG.info('%(what)s failed (%(reason)s), try %(made)d of %(all)d; '
                 'the next one follows in %(wait).1f s',
                 {'what': self.what, 'reason': reason, 'made': self.made,
                  'all': self._policy.retries + 1, 'wait': wait})
        if self._policy.cancelled.wait(wait):
            raise errors.Aborted('The upload has failed elsewhere')
