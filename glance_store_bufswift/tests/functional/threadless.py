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

"""A process that gets no more threads: the child's side of test_threadless.py.

It takes one order from its standard input: how threads are refused, and what
to do all the same. It tells what became of each on its standard output.
"""

from collections.abc import Mapping
from concurrent import futures
import contextlib
import datetime
import hashlib
import io
import json
import sys
import threading
import time
from typing import Any

import fixtures

from glance_store_bufswift.cmd import main as commands
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.support import streams

#: Where CPython starts a thread; the second one from 3.13 on.
_STARTS = ('_start_new_thread', '_start_joinable_thread')


class Ending:
    """The end of the main thread, and those who wait for it."""

    def __init__(self) -> None:
        self.awaited = threading.Event()

    def wait(self) -> None:
        """Let the main thread end; return when it has."""
        self.awaited.set()
        while not _main_thread_has_ended():
            time.sleep(0.001)


def _main_thread_has_ended() -> bool:
    # Before it counts as ended it waits for the threads of executors, which
    # may be that of our caller.
    pool = sys.modules.get('concurrent.futures.thread')
    return pool._shutdown if pool else not threading.main_thread().is_alive()


def refuse_threads(most: int) -> None:
    """Start no thread beside so many others, as under pids.max."""
    for name in _STARTS:
        start = getattr(threading, name, None)
        if start is not None:
            setattr(threading, name, _refusing(start, most))


def _refusing(start: Any, most: int) -> Any:
    def refuse(*args: Any, **more: Any) -> Any:
        # The new one counts already, and so does the main thread.
        if threading.active_count() > most + 1:
            raise RuntimeError("can't start new thread")
        return start(*args, **more)

    return refuse


class Work:
    """What the driver is to do.

    :param order: from the parent
    :param pause: what a source does at the place that is named
    """

    def __init__(self, order: Mapping[str, Any], pause: Any) -> None:
        self._pause = pause
        self._jobs = order['jobs']
        self._stores = stores.Stores(order['sections'])
        self._stores.setUp()

    def run(self) -> None:
        """Do it all, one after the other, and tell."""
        told = {job['name']: self._outcome(job) for job in self._jobs}
        told['threads left'] = [
            thread.name
            for thread in threading.enumerate()
            if thread.name.startswith('bufswift')
        ]
        print(json.dumps(told), flush=True)

    def _outcome(self, job: Mapping[str, Any]) -> Any:
        try:
            return getattr(self, f'_{job["do"]}')(**job)
        except Exception as exc:
            return repr(exc)

    def _add(
        self,
        image: str,
        size: int,
        at: int | None = None,
        fails: bool = False,
        declared: int = 0,
        **rest: Any,
    ) -> Any:
        def then() -> None:
            self._pause()
            if fails:
                raise ValueError('bad')

        return self._stores.add(
            image,
            streams.Stream(streams.image(size), at=at, then=then),
            declared,
        )

    def _get(self, uri: str, **rest: Any) -> str:
        return hashlib.md5(
            self._stores.get(uri), usedforsecurity=False
        ).hexdigest()

    def _delete(self, uri: str, **rest: Any) -> None:
        self._stores.delete(uri)

    def _command(self, words: list[str], **rest: Any) -> int:
        with contextlib.redirect_stdout(io.StringIO()):
            return commands.main(words)


def _in_years(*_: object) -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
        days=1000
    )


def main() -> None:
    """Work as the parent's order says.

    threads: how many there may be beside the main thread, or None to work
        when that has ended
    executor: whether a thread of ThreadPoolExecutor does the work then
    begun: whether the first job's source lets the main thread end
    """
    order = json.load(sys.stdin)
    for name, value in (
        ('cleanup.SETTLE_SECONDS', 0.1),
        ('deletes.MAX_BATCH', 2),
        ('buffer.segment.BUFFERED_WINDOW', 0),
        ('cmd.orphans.now', _in_years),
        ('cmd.config.set_logging_up', lambda debug: None),
    ):
        fixtures.MonkeyPatch(f'glance_store_bufswift.{name}', value).setUp()
    if order['threads'] is not None:
        work = Work(order, lambda: None)
        refuse_threads(order['threads'])
        work.run()
        return
    ending = Ending()
    work = Work(order, ending.wait)

    def run() -> None:
        if not order['begun']:
            ending.wait()
        work.run()

    if order['executor']:
        futures.ThreadPoolExecutor(1).submit(run)
    else:
        threading.Thread(target=run).start()
    ending.awaited.wait()


if __name__ == '__main__':
    main()
