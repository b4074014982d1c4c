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

"""Ending early, by a signal or after a time, with time to clean up."""

import signal
import threading
import time
import types
from typing import Any

from glance_store_bufswift.swift import client
from glance_store_bufswift import workers

#: What ends a command: Ctrl-C, a service manager, a closed terminal.
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP

#: Seconds between two looks whether it is time to end.
POLL_SECONDS = 0.05


class Ending:
    """Cancels all requests of a client: they raise Aborted.

    A signal is only noted until all within has ended: an exception at any
    place could leave a lock taken that other threads wait for, and one during
    the cleanup would leave the rest.

    :param client: what is cancelled
    :param limit: seconds after which it is
    """

    def __init__(self, client: client.Client, limit: float) -> None:
        self._client = client
        self._until = time.monotonic() + limit
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._before: dict[int, Any] = {}
        self._noted: int | None = None

    def __enter__(self) -> None:
        self._thread = workers.start(self._watch, 'bufswift-ending')
        if self._thread is None or (
            threading.current_thread() is not threading.main_thread()
        ):
            return
        for number in SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._before[number] = signal.signal(number, self._note)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        for number, before in self._before.items():
            signal.signal(number, before)
        if self._noted is not None:
            # As if the signal had come only now.
            signal.raise_signal(self._noted)

    def _note(self, number: int, _: object) -> None:
        if self._noted is None:
            self._noted = number

    def _watch(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            if self._noted is not None or time.monotonic() >= self._until:
                self._client.cancel()
                return
