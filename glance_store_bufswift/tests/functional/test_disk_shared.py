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

"""Uploads that share what room there is, in one process."""

from collections.abc import Callable
from concurrent import futures
import errno
import fcntl
import logging
import os
from pathlib import Path
import threading
from typing import Any
from unittest import mock
import uuid

import fixtures

from glance_store_bufswift.buffer import quota
from glance_store_bufswift.buffer import space
from glance_store_bufswift.tests.functional import disk
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = disk.SEGMENT
QUOTA = 'swift_buffered_disk_quota'

#: Seconds until a wait fails the test.
PATIENCE = 60.0


class Pair(disk.Case):
    """An upload, and another one in the middle of it."""

    def add(
        self,
        quota_for: int,
        size: int,
        then: Callable[[], object] = lambda: None,
        at: int = disk.MIDDLE,
        **options: Any,
    ) -> None:
        """Upload the image, and call something in its middle."""
        made = self.stores(fast={QUOTA: quota_for * disk.UNITS} | options)
        self.other = str(uuid.uuid4())
        data = streams.image(size)

        def meanwhile() -> None:
            with futures.ThreadPoolExecutor(1) as pool:
                self.pool, self.made = pool, made
                then()

        answer = made.add(
            self.image, streams.Stream(data, at=at, then=meanwhile), 0
        )
        self.assert_stored(data, answer)

    def add_other(self) -> None:
        """Upload another image of two segments; wait for its end."""
        data = streams.image(2 * SEGMENT, seed=2)
        answer = self.pool.submit(
            self.made.add, self.other, streams.Stream(data), 0
        ).result()
        self.assertEqual((len(data), *streams.hashes(data)), answer[1:4])
        self.assertEqual(data, self.made.get(answer[0]))

    def counted(self, image: str) -> tuple[int, int]:
        return self.counts(self.records.of(logging.INFO))[image]


class TestTogether(Pair):
    def test_own_buffers_are_waited_for(self) -> None:
        """With room for one segment they go one after the other."""
        self.add(1, 5 * SEGMENT)
        self.assert_counted(5 * SEGMENT, 0)
        self.assertEqual([], self.records.of(logging.WARNING))
        self.assertEqual(1, self.proxy.peak('PUT'))

    def test_a_fault_while_another_has_no_buffer(self) -> None:
        self.proxy.add(
            faults.Rule(
                faults.Reset(after=2_800_000),
                'PUT',
                f'/{self.image}/.*/00000001$',
            )
        )
        self.add(1, 2 * SEGMENT, self.add_other)
        self.assertEqual(2, len(self.puts(f'/{self.image}/.*1$')))
        self.assert_counted(2 * SEGMENT, 0)
        self.assertEqual((0, 2 * SEGMENT), self.counted(self.other))
        self.image = self.other
        self.assert_warned('0 MiB of the 3 MiB quota are free, 3 MiB')

    def test_a_fault_of_the_one_without_a_buffer(self) -> None:
        """What it has sent is still in its window."""

        def add() -> None:
            self.proxy.add(
                faults.Rule(
                    faults.Reset(after=500_000),
                    'PUT',
                    f'/{self.other}/.*/00000001$',
                )
            )
            self.add_other()

        self.add(1, 2 * SEGMENT, add)
        self.assertEqual(2, len(self.puts(f'/{self.other}/.*1$')))
        self.assertEqual((0, 2 * SEGMENT), self.counted(self.other))


class TestReadingAhead(Pair):
    """Room for two segments; Swift keeps one upload waiting."""

    def test_the_last_room_is_for_others(self) -> None:
        refused, go_on = threading.Event(), threading.Event()
        self.proxy.add(
            faults.Rule(
                faults.Hook(lambda _: go_on.wait(PATIENCE)),
                'PUT',
                f'/{self.image}/.*1$',
            )
        )
        real = space.BufferDirectory.open

        def file(
            own: space.BufferDirectory, size: int, spare: int = 0
        ) -> space.BufferFile:
            try:
                return real(own, size, spare)
            except space.NoSpace:
                refused.set()
                raise

        def other() -> None:
            try:
                self.assertTrue(refused.wait(PATIENCE))
                self.pool, self.made = (
                    pool,
                    self.stores(fast={QUOTA: 2 * disk.UNITS}),
                )
                self.add_other()
            finally:
                go_on.set()

        with (
            futures.ThreadPoolExecutor(2) as pool,
            mock.patch.object(
                space.BufferDirectory, 'open', autospec=True, side_effect=file
            ),
        ):
            self.other = str(uuid.uuid4())
            waiting = pool.submit(other)
            data = streams.image(4 * SEGMENT)
            made = self.stores(fast={QUOTA: 2 * disk.UNITS})
            answer = made.add(self.image, streams.Stream(data), 0)
            waiting.result()
        self.assert_stored(data, answer)
        self.assertEqual((2 * SEGMENT, 0), self.counted(self.other))
        self.assertEqual((4 * SEGMENT, 0), self.counted(self.image))
        self.assertEqual([], self.records.of(logging.WARNING))


class TestQuotaOutOfReach(disk.Case):
    """Each of these is said, and the images go without a buffer."""

    def check(
        self, *says: str, size: int = 2 * SEGMENT, buffered: int = 0
    ) -> None:
        data = streams.image(size)
        made = self.stores(fast={QUOTA: 4})
        answer = made.add(self.image, streams.Stream(data), 0)
        self.assert_stored(data, answer)
        self.assert_counted(buffered, size - buffered)
        self.assert_warned(self.buffers, *says)

    def test_less_than_a_segment(self) -> None:
        self.options = self.options | {
            'swift_store_large_object_chunk_size': 5
        }
        self.check(
            'a segment of 5 MiB is more than the quota of 4 MiB '
            '(swift_buffered_disk_quota)'
        )

    def test_segments_that_grow_beyond_it(self) -> None:
        """2 * 1, 2 * 2 and then 4 and more."""
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.layout.MAX_DOUBLINGS', 5000
            )
        )
        self.options = self.options | {
            'swift_store_large_object_chunk_size': 2
        }
        two = SEGMENT // 3 * 2
        self.check(
            'a segment of 8 MiB is more than the quota of 4 MiB',
            size=2 * two + 2 * 2 * two + 4 * two + 5,
            buffered=2 * two + 2 * 2 * two,
        )

    def test_a_symbolic_link_is_not_followed(self) -> None:
        target = Path(self.useFixture(fixtures.TempDir()).path, 'target')
        target.touch()
        Path(self.buffers, quota.FILE_NAME).symlink_to(target)
        self.check(f'{quota.FILE_NAME}: Too many levels of symbolic links')

    def test_a_file_of_another_user(self) -> None:
        """Who could lock it for ever."""
        if os.geteuid():
            self.skipTest('only root can give a file away')
        path = Path(self.buffers, quota.FILE_NAME)
        path.touch(0o666)
        os.chown(path, 65534, 65534)
        self.check(f'{quota.FILE_NAME} is not a file of this user')

    def test_others_reserve_at_the_same_time(self) -> None:
        """Which shows when the blocks are taken: they are given back."""
        real, taken = os.statvfs, threading.Event()

        def statvfs(path: Any) -> os.statvfs_result:
            found = list(real(path))
            if taken.is_set():
                found[4] = 0
            return os.statvfs_result(found)

        self.options = self.options | {'swift_buffered_min_free_percent': 1}
        with (
            mock.patch.object(
                os, 'statvfs', autospec=True, side_effect=statvfs
            ),
            mock.patch.object(
                os,
                'posix_fallocate',
                autospec=True,
                side_effect=lambda *_: taken.set(),
            ),
        ):
            self.check('less than 1 % of the file system would stay free')

    def test_a_file_system_without_locks(self) -> None:
        real = fcntl.fcntl

        def refuse(descriptor: int, command: int, *more: Any) -> Any:
            if command == fcntl.F_OFD_SETLKW:
                raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
            return real(descriptor, command, *more)

        with mock.patch.object(
            fcntl, 'fcntl', autospec=True, side_effect=refuse
        ):
            self.check('No locks available')

    def test_a_directory_in_its_place(self) -> None:
        Path(self.buffers, quota.FILE_NAME).mkdir()
        self.check(f'{quota.FILE_NAME}: Is a directory')
