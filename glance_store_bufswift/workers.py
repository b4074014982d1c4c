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

"""Calls on threads, as far as threads can be started.

A thread can't be started in two cases. Either the main thread has ended, while
Glance's requests and tasks still run: from Python 3.12 on this stops all new
threads, before that those of concurrent.futures. Or a limit on processes is
reached (pids.max, RLIMIT_NPROC). Then fewer threads make the calls, or only
the caller's own.
"""

import collections
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent import futures
import functools
import itertools
import threading
import types
from typing import Any
from typing import Generic
from typing import TypeVar

from oslo_context import context
from oslo_log import log as logging

LOG = logging.getLogger(__name__)

A = TypeVar('A')
R = TypeVar('R')

#: Calls that each() has under way at a time.
EACH_THREADS = 8

#: Calls that each() begins ahead of the one whose result is waited for.
EACH_AHEAD = 4 * EACH_THREADS


def start(run: Callable[[], object], name: str) -> threading.Thread | None:
    """Start a thread; None if it can't be started.

    It does not keep the process from ending; its caller does. What it logs
    belongs to the caller's request.

    :param run: what it does
    :param name: its name
    """
    request = context.get_current()

    def run_for_request() -> None:
        if request is not None:
            request.update_store()
        run()

    thread = threading.Thread(target=run_for_request, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as exc:
        LOG.debug(
            'Thread %(name)s could not be started: %(why)s',
            {'name': name, 'why': exc},
        )
        return None
    return thread


class _Call(Generic[R]):
    """A call that a thread will make, and its outcome."""

    def __init__(self, function: Callable[[], R]) -> None:
        self._function = function
        self.future: futures.Future[R] = futures.Future()

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._function()
        except BaseException as exc:
            self.future.set_exception(exc)
        else:
            self.future.set_result(result)


class Workers:
    """A few threads that make calls in the order in which they come.

    Threads are started as they are needed. If some can't be started, calls
    wait longer; without any thread they wait until :meth:`run_next` is called.

    :param most: threads at most
    :param name: the threads' name
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._changed = threading.Condition()
        self._calls: collections.deque[_Call[Any]] = collections.deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    def __enter__(self) -> 'Workers':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self.close()

    @property
    def threadless(self) -> bool:
        """Whether there is no thread but the caller's."""
        return not self._threads

    def submit(self, function: Callable[[], R]) -> 'futures.Future[R]':
        """Have a thread make a call; never fails."""
        call = _Call(function)
        with self._changed:
            self._calls.append(call)
            if len(self._calls) > self._idle:
                self._start()
            self._changed.notify()
        return call.future

    def run_next(self) -> bool:
        """Make the next call on the caller's thread; False if none waits."""
        with self._changed:
            call = self._calls.popleft() if self._calls else None
        if call is None:
            return False
        call.run()
        return True

    def close(self, wait: bool = True) -> None:
        """Cancel the calls that wait, and wait for those under way.

        :param wait: whether to wait; a thread can't wait for itself
        """
        with self._changed:
            self._closed = True
            while self._calls:
                self._calls.popleft().future.cancel()
            self._changed.notify_all()
        for thread in self._threads if wait else ():
            thread.join()

    def _start(self) -> None:
        if len(self._threads) < self._most:
            thread = start(self._run, self._name)
            if thread is not None:
                self._threads.append(thread)

    def _run(self) -> None:
        while (call := self._next()) is not None:
            call.run()
            # So that a thread that waits for the next call does not keep it
            # alive.
            del call

    def _next(self) -> _Call[Any] | None:
        with self._changed:
            self._idle += 1
            while not self._calls and not self._closed:
                self._changed.wait()
            self._idle -= 1
            return self._calls.popleft() if self._calls else None


def each(
    function: Callable[[A], R], items: Iterable[A]
) -> Iterator[tuple[A, R]]:
    """Call a function with each item; yields both in the items' order.

    The caller's thread makes calls too. Items are taken as they are needed:
    there may be millions.

    :raises: what the function raises
    """
    left = iter(items)
    begun: collections.deque[tuple[A, futures.Future[R]]] = collections.deque()
    with Workers(EACH_THREADS - 1, 'bufswift-each') as workers:

        def begin(count: int) -> None:
            for item in itertools.islice(left, count):
                begun.append(
                    (item, workers.submit(functools.partial(function, item)))
                )

        begin(EACH_AHEAD)
        while begun:
            item, future = begun.popleft()
            while not future.done() and workers.run_next():
                pass
            yield item, future.result()
            begin(1)
