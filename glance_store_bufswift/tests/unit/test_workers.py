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

"""Calls on threads, as far as there are any."""

from collections.abc import Iterator
import functools
import subprocess
import sys
import threading

from oslo_context import context
from oslotest import base

from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import refusal
from glance_store_bufswift.tests.unit import waits
from glance_store_bufswift import workers

#: Does what it is told when its main thread has ended.
_ENDING = """
import sys, threading
from glance_store_bufswift import digests, workers

def run():
    threading.main_thread().join()
    print(sum(result for _, result in workers.each(abs, range(1000))))
    image = digests.Digests('sha512')
    for _ in range(3):
        image.update(bytes(1000))
        image.end_segment()
    print(image.finish()[0])

threading.Thread(target=run).start()
"""


def _threads(name: str = 'bufswift') -> list[str]:
    return [
        thread.name
        for thread in threading.enumerate()
        if thread.name.startswith(name)
    ]


class TestWorkers(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.workers = workers.Workers(3, 'bufswift-test')
        self.addCleanup(self.workers.close)

    def test_calls_beside_each_other(self) -> None:
        together = threading.Barrier(3)
        futures = [
            self.workers.submit(lambda: together.wait(waits.GENEROUS))
            for _ in range(3)
        ]
        self.assertEqual(
            [0, 1, 2], sorted(future.result() for future in futures)
        )

    def test_no_more_threads_than_calls_at_a_time(self) -> None:
        for number in range(20):
            self.assertEqual(
                str(number),
                self.workers.submit(functools.partial(str, number)).result(),
            )
            while self.workers._idle < len(self.workers._threads):
                threading.Event().wait(0.001)
        self.assertEqual(1, len(_threads()))

    def test_fewer_threads_than_wanted(self) -> None:
        self.useFixture(refusal.Threads(1))
        names = {
            self.workers.submit(
                lambda: threading.current_thread().name
            ).result()
            for _ in range(5)
        }
        self.assertEqual(
            ({'bufswift-test'}, False), (names, self.workers.threadless)
        )

    def test_no_thread_but_the_callers(self) -> None:
        self.useFixture(refusal.Threads(0))
        future = self.workers.submit(threading.get_ident)
        self.assertEqual(
            (True, False), (self.workers.threadless, future.done())
        )
        self.assertEqual(
            [True, False], [self.workers.run_next(), self.workers.run_next()]
        )
        self.assertEqual(threading.get_ident(), future.result())

    def test_threads_are_asked_for_again(self) -> None:
        refused = self.useFixture(refusal.Threads(0))
        first = self.workers.submit(threading.get_ident)
        refused.left = 1
        self.workers.submit(threading.get_ident).result(waits.GENEROUS)
        self.assertNotEqual(
            threading.get_ident(), first.result(waits.GENEROUS)
        )

    def test_failure_is_the_calls_own(self) -> None:
        for refused in (False, True):
            if refused:
                self.useFixture(refusal.Threads(0))
            made = workers.Workers(1, 'bufswift-test')
            future = made.submit(functools.partial(int, 'no number'))
            made.run_next()
            self.assertRaises(ValueError, future.result)
            made.close()

    def test_closed(self) -> None:
        self.useFixture(refusal.Threads(1))
        begun, go = threading.Event(), threading.Event()

        def wait() -> bool:
            begun.set()
            return go.wait(waits.GENEROUS)

        first, second = self.workers.submit(wait), self.workers.submit(wait)
        begun.wait(waits.GENEROUS)
        closing = waits.start(self.workers.close)
        while not second.cancelled():
            threading.Event().wait(0.001)
        go.set()
        closing.result(waits.GENEROUS)
        self.assertTrue(first.result())
        self.assertEqual([], _threads())

    def test_main_thread_has_ended(self) -> None:
        """From Python 3.12 on no thread is to be had any more."""
        done = subprocess.run(
            # Eventlet warns of itself on 3.10.
            [sys.executable, '-W', 'ignore', '-c', _ENDING],
            capture_output=True,
            text=True,
            timeout=waits.GENEROUS,
            check=False,
        )
        self.assertEqual(
            (['499500', streams.hashes(bytes(3000))[0]], ''),
            (done.stdout.split(), done.stderr),
        )

    def test_request_of_the_caller_is_known(self) -> None:
        """So that a log line has its id."""
        mine = context.RequestContext(request_id='req-mine')
        self.assertIs(mine, self.workers.submit(context.get_current).result())


class TestEach(base.BaseTestCase):
    def test_in_order(self) -> None:
        """Also when the first call ends last."""
        others = threading.Barrier(workers.EACH_THREADS)

        def wait(item: int) -> int:
            if item < workers.EACH_THREADS:
                others.wait(30)
            return -item

        self.assertEqual(
            [(item, -item) for item in range(100)],
            list(workers.each(wait, range(100))),
        )

    def test_nothing(self) -> None:
        self.assertEqual([], list(workers.each(str, ())))

    def test_takes_few_ahead(self) -> None:
        taken = 0

        def endless() -> Iterator[int]:
            nonlocal taken
            while True:
                taken += 1
                yield taken

        calls = workers.each(str, endless())
        for _ in range(5):
            next(calls)
        self.assertEqual(5 + workers.EACH_AHEAD - 1, taken)
        calls.close()  # type: ignore[attr-defined]

    def test_a_failure_is_raised(self) -> None:
        done: list[int] = []

        def fail(item: int) -> None:
            if item == 3:
                raise KeyError(item)
            done.append(item)

        self.assertRaises(KeyError, list, workers.each(fail, range(1000)))
        self.assertLess(len(done), 2 * workers.EACH_AHEAD)
        self.assertEqual([], _threads())

    def test_any_number_of_threads(self) -> None:
        expected = [(item, -item) for item in range(100)]
        for most in (0, 1, 3):
            with refusal.Threads(most):
                self.assertEqual(
                    expected,
                    list(workers.each(lambda item: -item, range(100))),
                )

    def test_one_slow_call_stops_no_other(self) -> None:
        """Also when the caller's thread makes it."""
        self.useFixture(refusal.Threads(1))
        done = threading.Semaphore(0)

        def call(item: int) -> bool:
            if item == 0:
                return all(
                    done.acquire(timeout=waits.GENEROUS)
                    for _ in range(workers.EACH_AHEAD - 2)
                )
            done.release()
            return True

        self.assertTrue(
            all(
                result
                for _, result in workers.each(call, range(workers.EACH_AHEAD))
            )
        )
