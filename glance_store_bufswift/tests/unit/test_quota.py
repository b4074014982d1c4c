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

"""A disk quota over threads and processes."""

from collections.abc import Iterator
import contextlib
import errno
import os
from pathlib import Path
import subprocess
import sys
import threading

import fixtures
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from oslotest import base

from glance_store_bufswift.buffer import quota
from glance_store_bufswift.tests.unit import waits
from glance_store_bufswift import units

MIB = units.MIB

_HOLD = """
import sys
from glance_store_bufswift.buffer import quota
with quota.Quota(sys.argv[1], int(sys.argv[2])).reserved(int(sys.argv[3])):
    print('held', flush=True)
    sys.stdin.read()
"""


class _TestCase(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.held = contextlib.ExitStack()
        self.addCleanup(self.held.close)

    def hold(
        self, size: int, of: int = 10 * MIB, spare: int = 0
    ) -> contextlib.ExitStack:
        """Hold room until the end of the test, or until it is closed."""
        reservation = contextlib.ExitStack()
        reservation.enter_context(
            quota.Quota(self.directory, of).reserved(size, spare)
        )
        self.held.callback(reservation.close)
        return reservation

    def refused(self, size: int, of: int = 10 * MIB, spare: int = 0) -> str:
        exc = self.assertRaises(OSError, self.hold, size, of, spare)
        self.assertEqual(errno.EDQUOT, exc.errno)
        return str(exc)


class TestQuota(_TestCase):
    def test_all_of_it_may_be_held_and_no_more(self) -> None:
        for _ in range(5):
            self.hold(2 * MIB)
        self.assertIn('0 MiB of the 10 MiB', self.refused(1))

    def test_room_given_back_is_free(self) -> None:
        first = self.hold(6 * MIB)
        self.refused(6 * MIB)
        first.close()
        self.hold(6 * MIB)

    def test_room_is_free_after_an_exception(self) -> None:
        with contextlib.suppress(ValueError):
            with quota.Quota(self.directory, MIB).reserved(MIB):
                raise ValueError
        self.hold(MIB, MIB)

    def test_refused_room_takes_none(self) -> None:
        self.hold(5 * MIB)
        self.refused(6 * MIB)
        self.hold(5 * MIB)

    def test_sizes_are_rounded_up_and_the_quota_down(self) -> None:
        self.hold(1, 2 * MIB - 1)
        self.refused(1, 2 * MIB - 1)

    def test_nothing_is_always_granted(self) -> None:
        self.hold(10 * MIB)
        self.hold(0)

    def test_quota_below_one_unit_grants_nothing(self) -> None:
        self.refused(1, MIB - 1)

    def test_room_may_be_in_pieces(self) -> None:
        pieces = [self.hold(MIB) for _ in range(10)]
        for piece in pieces[::2]:
            piece.close()
        self.refused(6 * MIB)
        self.hold(5 * MIB)
        self.refused(1)

    def test_spare_has_to_be_there_but_is_not_taken(self) -> None:
        self.hold(4 * MIB, spare=4 * MIB)
        self.refused(4 * MIB, spare=4 * MIB)
        self.hold(4 * MIB, spare=2 * MIB)

    def test_each_user_keeps_its_own_bound(self) -> None:
        self.hold(3 * MIB, of=4 * MIB)
        self.hold(5 * MIB, of=10 * MIB)
        # What the larger one holds counts for the smaller one.
        self.refused(1, of=4 * MIB)
        self.hold(2 * MIB, of=10 * MIB)

    def test_directories_do_not_count_together(self) -> None:
        self.hold(MIB, MIB)
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.hold(MIB, MIB)

    def test_file_is_private_and_empty(self) -> None:
        self.hold(MIB)
        stat = Path(self.directory, quota.FILE_NAME).stat()
        self.assertEqual((0o600, 0), (stat.st_mode & 0o777, stat.st_size))

    def test_link_in_place_of_the_file_is_not_followed(self) -> None:
        Path(self.directory, quota.FILE_NAME).symlink_to('/dev/null')
        exc = self.assertRaises(OSError, self.hold, MIB)
        self.assertEqual(errno.ELOOP, exc.errno)

    def test_nothing_leaks(self) -> None:
        before = len(os.listdir('/proc/self/fd'))
        for _ in range(5):
            self.hold(10 * MIB).close()
            self.refused(11 * MIB)
        self.assertEqual(before, len(os.listdir('/proc/self/fd')))

    @given(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=25)
    )
    @settings(deadline=None, max_examples=60)
    def test_as_many_units_are_held_as_were_granted(
        self, steps: list[tuple[int, int]]
    ) -> None:
        held: list[tuple[int, contextlib.ExitStack]] = []
        for count, release in steps:
            free = 10 - sum(size for size, _ in held)
            if count <= free:
                held.append((count, self.hold(count * MIB)))
            else:
                self.refused(count * MIB)
            if release < len(held):
                held.pop(release)[1].close()
        self.held.close()


class TestOthers(_TestCase):
    def test_threads_together_never_exceed_it(self) -> None:
        lock, held, most = threading.Lock(), [0], [0]

        def work(size: int) -> None:
            for _ in range(60):
                with (
                    contextlib.suppress(OSError),
                    quota.Quota(self.directory, 10 * MIB).reserved(size * MIB),
                ):
                    with lock:
                        held[0] += size
                        most[0] = max(most[0], held[0])
                    with lock:
                        held[0] -= size

        for result in [waits.start(work, size) for size in (1, 3, 4, 5, 7)]:
            result.result(waits.GENEROUS)
        self.assertLessEqual(most[0], 10)
        self.hold(10 * MIB)

    @contextlib.contextmanager
    def _process(self, size: int) -> Iterator['subprocess.Popen[str]']:
        """Another process that holds room."""
        with subprocess.Popen(
            [
                sys.executable,
                '-c',
                _HOLD,
                self.directory,
                str(10 * MIB),
                str(size),
            ],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            self.assertEqual('held\n', process.stdout.readline())
            try:
                yield process
            finally:
                process.kill()

    def test_processes_count_together(self) -> None:
        self.hold(2 * MIB)
        with self._process(3 * MIB), self._process(3 * MIB):
            self.refused(3 * MIB)
            self.hold(2 * MIB)
            self.refused(1)

    def test_room_of_a_killed_process_is_free_at_once(self) -> None:
        with self._process(8 * MIB) as process:
            self.refused(3 * MIB)
            process.kill()
            process.wait(waits.GENEROUS)
            self.hold(10 * MIB)
