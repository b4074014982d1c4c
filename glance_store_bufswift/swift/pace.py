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

"""How many requests are under way at a time on a site that limits rates."""

from collections.abc import Iterator
import contextlib
import threading
import time

#: What each answered request adds to the limit: after ten, one more may be
#: under way.
GROWTH_PER_ANSWER = 0.1


class Pace:
    """Fewer requests at a time after a refusal, and more again later.

    Swift's middleware "ratelimit" holds a request back for a while, and
    refuses one that would have to wait longer (``max_sleep_time_seconds``).
    With fewer requests at a time it refuses none. The limit is halved by a
    refusal and grows by addition, as TCP's window does (RFC 5681).

    :param cancelled: ends every wait
    :param patience: seconds that a request waits for others at most, so that
        requests can't block each other for ever
    """

    def __init__(self, cancelled: threading.Event, patience: float) -> None:
        self._cancelled = cancelled
        self._patience = patience
        self._changed = threading.Condition()
        self._under_way = 0
        self._limit: float | None = None
        self._cut = 0.0
        self._not_before = 0.0

    @contextlib.contextmanager
    def turn(self) -> Iterator[float]:
        """Wait for a turn, and take it; yields the time at which it began."""
        self._wait()
        try:
            yield time.monotonic()
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def allows(self, most: int) -> int:
        """How many of ``most`` requests may be under way, at least one."""
        with self._changed:
            limit = most if self._limit is None else int(self._limit)
        return max(1, min(most, limit))

    def answered(self) -> None:
        """Note that a request was not refused."""
        with self._changed:
            if self._limit is not None:
                self._limit += GROWTH_PER_ANSWER
                self._changed.notify_all()

    def refused(self, began: float, retry_after: float) -> None:
        """Note that a request was refused: there are too many (429, 498).

        Of requests that were under way together, only the first counts.

        :param began: what :meth:`turn` gave
        :param retry_after: seconds without further requests, 0 for none
        """
        now = time.monotonic()
        with self._changed:
            self._not_before = max(
                self._not_before, now + min(retry_after, self._patience)
            )
            if began >= self._cut:
                self._cut = now
                most = (
                    self._under_way
                    if self._limit is None
                    else min(self._limit, self._under_way)
                )
                self._limit = max(1.0, most / 2)

    def wake(self) -> None:
        """Wake the waiting threads, to see that the account is cancelled."""
        with self._changed:
            self._changed.notify_all()

    def _wait(self) -> None:
        until = time.monotonic() + self._patience
        with self._changed:
            while not self._cancelled.is_set():
                now = time.monotonic()
                full = self._limit is not None and (
                    self._under_way + 1 > self._limit
                )
                left = max(self._not_before, until if full else 0) - now
                if left <= 0:
                    break
                self._changed.wait(left)
            self._under_way += 1
