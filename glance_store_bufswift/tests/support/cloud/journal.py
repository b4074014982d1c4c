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

"""What a fault proxy has seen: a live log of exchanges to wait on."""

import collections
from collections.abc import Callable
import dataclasses
import threading
from typing import Any

from glance_store_bufswift.tests.support.cloud import messages

# Seconds a test waits for something to happen; reached only when it fails.
TIMEOUT = 60.0


@dataclasses.dataclass(eq=False)
class Exchange:
    """One request and what became of it; kept up to date while in flight."""

    number: int
    method: str
    path: str  # with the query
    headers: dict[str, str]  # names in lower case
    length: int | None  # Content-Length; None: chunked
    fault: str | None = None  # name of the rule's fault
    fired: bool = False  # whether that fault has happened
    parked: bool = False  # stalled, held, or draining
    held: bool = False  # whole and waiting for release()
    forwarded: bool = False  # sent on to the upstream
    received: int = 0  # bytes of the body so far
    upstream_status: int | None = None  # what the upstream has answered
    status: int | None = None  # what the client is answered
    answered: bool = False  # that answer is complete
    finished: bool = False  # nothing more happens
    error: str | None = None  # what broke it off

    def __str__(self) -> str:
        marks = [
            mark
            for mark in (
                'forwarded',
                'fired',
                'held',
                'parked',
                'answered',
                'finished',
            )
            if getattr(self, mark)
        ]
        return (
            f'{self.number:4} {self.method} {self.path} '
            f'{self.received}/{self.length} bytes, '
            f'upstream {self.upstream_status}, client {self.status}, '
            f'fault {self.fault}, {" ".join(marks)}, {self.error}'
        )


Log = list[Exchange]


class Journal:
    """The exchanges of a proxy; all of it is thread safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._log: Log = []
        self._count = 0
        self._now: collections.Counter[str] = collections.Counter()
        self._peak: collections.Counter[str] = collections.Counter()

    def begin(self, head: messages.Head, length: int | None) -> Exchange:
        """Enter a request whose head has come."""
        method, path = head.first.split(' ')[:2]
        with self._changed:
            self._count += 1
            exchange = Exchange(
                self._count, method, path, head.headers, length
            )
            self._log.append(exchange)
            self._now[method] += 1
            self._peak[method] = max(self._peak[method], self._now[method])
            self._changed.notify_all()
        return exchange

    def update(self, exchange: Exchange, **changes: Any) -> None:
        """Change an exchange, and wake who waits for such a change."""
        with self._changed:
            for name, value in changes.items():
                setattr(exchange, name, value)
            self._changed.notify_all()

    def answered(self, exchange: Exchange) -> None:
        """The client is about to get the end of its answer.

        This comes before the last byte is sent: a client which then sends
        its next request must not count as two in flight.
        """
        with self._changed:
            if not exchange.answered and not exchange.finished:
                self._now[exchange.method] -= 1
            exchange.answered = True
            self._changed.notify_all()

    def finish(self, exchange: Exchange) -> None:
        """Nothing more happens in this exchange."""
        with self._changed:
            if not exchange.answered and not exchange.finished:
                self._now[exchange.method] -= 1
            exchange.finished = True
            exchange.parked = False
            self._changed.notify_all()

    def snapshot(self) -> Log:
        """Return the log so far, oldest first."""
        with self._changed:
            return list(self._log)

    def peak(self, method: str) -> int:
        """Return how many requests were in flight at the same time."""
        with self._changed:
            return self._peak[method]

    def clear(self) -> None:
        """Forget the exchanges and the peaks."""
        with self._changed:
            self._log.clear()
            self._peak.clear()

    def wait_for(
        self, predicate: Callable[[Log], object], timeout: float = TIMEOUT
    ) -> Log:
        """Block until predicate(log) is true; return that log."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: predicate(list(self._log)), timeout
            ):
                raise AssertionError(
                    f'still not after {timeout} s; the log '
                    f'of the proxy:\n{self._text()}'
                )
            return list(self._log)

    def _text(self) -> str:
        return '\n'.join(map(str, self._log)) or '(empty)'
