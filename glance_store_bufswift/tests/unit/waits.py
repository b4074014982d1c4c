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

"""Waiting without waiting, and threads whose waiting can be seen."""

from collections.abc import Callable
from concurrent import futures
import threading
from typing import TypeVar

import fixtures

T = TypeVar('T')

#: Seconds after which a test that hangs is a failed test.
GENEROUS = 30


class Waits(threading.Event):
    """An event that notes for how long somebody would wait, and does not."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Note the time; tells whether the event is set."""
        self.seconds.append(timeout or 0)
        return self.is_set()


class Clock(fixtures.Fixture):
    """What times are measured by; it stands still unless it is put forward."""

    def _setUp(self) -> None:
        self._now = 1000.0
        self._lock = threading.Lock()
        for name in ('stopwatch.now', 'check.load.now'):
            self.useFixture(
                fixtures.MonkeyPatch(
                    f'glance_store_bufswift.{name}', lambda: self._now
                )
            )

    def spend(self, seconds: float) -> None:
        """Put it forward; on any thread."""
        with self._lock:
            self._now += seconds


class Condition(threading.Condition):
    """A condition that tells when somebody waits on it."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait; the lock is let go only after ``waiting`` is set."""
        self.waiting.set()
        return super().wait(timeout)


def start(call: Callable[..., T], *args: object) -> 'futures.Future[T]':
    """Call something on a thread that does not keep the process alive."""
    result: futures.Future[T] = futures.Future()

    def run() -> None:
        try:
            result.set_result(call(*args))
        except BaseException as exc:
            result.set_exception(exc)

    threading.Thread(target=run, daemon=True).start()
    return result
