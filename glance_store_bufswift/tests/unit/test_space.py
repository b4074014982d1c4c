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

"""Room on disk."""

import errno
import os
from pathlib import Path
import subprocess
import sys
from typing import Any
from unittest import mock

import fixtures
from oslotest import base

from glance_store_bufswift.buffer import segment
from glance_store_bufswift.buffer import space
from glance_store_bufswift import errors

MIB = 1 << 20

_LIMITED = """
import resource, sys
from glance_store_bufswift.buffer import space
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    space.BufferDirectory(sys.argv[1]).open(4097)
except space.NoSpace as exc:
    print(exc)
file = space.BufferDirectory(sys.argv[1]).open(4096)
file.write(bytes(4096), 0)
try:
    file.write(bytes(1), 4096)
except OSError as exc:
    print(exc)
"""


def _open() -> int:
    return len(os.listdir('/proc/self/fd'))


def _file_system(free: int, blocks: int = 100) -> os.statvfs_result:
    """One of 100 blocks of a MiB each."""
    return os.statvfs_result((MIB, MIB, blocks, free, free, 0, 0, 0, 0, 255))


class _TestCase(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path

    def file(
        self, size: int = MIB, spare: int = 0, **how: int
    ) -> space.BufferFile:
        """A room that is closed at the end."""
        file = space.BufferDirectory(self.directory, **how).open(size, spare)
        self.addCleanup(file.close)
        return file

    def none(self, size: int = MIB, spare: int = 0, **how: int) -> str:
        """Why there is no room; nothing is left open."""
        before = _open()
        exc = self.assertRaises(space.NoSpace, self.file, size, spare, **how)
        self.assertEqual(before, _open())
        return str(exc)

    def patch_os(self, name: str, **how: Any) -> mock.MagicMock:
        patch = mock.patch.object(os, name, autospec=True, **how)
        self.addCleanup(patch.stop)
        return patch.start()


class TestFile(_TestCase):
    def test_bytes_come_back(self) -> None:
        file = self.file()
        file.write(b'begin', 0)
        file.write(b'end', 5)
        self.assertEqual(b'beginend', file.read(8, 0))
        self.assertEqual(b'nen', file.read(3, 4))

    def test_file_has_no_name_and_is_private(self) -> None:
        file = self.file()
        self.assertEqual([], os.listdir(self.directory))
        link = os.readlink(f'/proc/self/fd/{file._descriptor}')
        self.assertTrue(link.startswith(self.directory), link)
        self.assertTrue(link.endswith('(deleted)'), link)
        stat = os.fstat(file._descriptor)
        self.assertEqual((0o600, 0), (stat.st_mode & 0o777, stat.st_nlink))

    def test_blocks_are_taken_at_once_and_given_back(self) -> None:
        file = self.file(8 * MIB)
        stat = os.fstat(file._descriptor)
        self.assertGreaterEqual(stat.st_blocks * 512, 8 * MIB)
        file.truncate(MIB)
        self.assertLess(os.fstat(file._descriptor).st_blocks * 512, 2 * MIB)

    def test_short_writes_are_completed(self) -> None:
        file = self.file()
        pwrite = os.pwrite
        self.patch_os(
            'pwrite',
            side_effect=lambda fd, data, offset: pwrite(fd, data[:3], offset),
        )
        file.write(b'0123456789', 0)
        self.assertEqual(b'0123456789', file.read(10, 0))

    def test_close_may_be_called_twice_and_leaks_nothing(self) -> None:
        before = _open()
        file = space.BufferDirectory(self.directory, disk_quota=10 * MIB).open(
            MIB
        )
        self.assertGreater(_open(), before)
        file.close()
        file.close()
        self.assertEqual(before, _open())

    def test_bytes_that_are_gone_are_an_error_of_ours(self) -> None:
        file = self.file()
        file.truncate(0)
        self.assertRaises(errors.BufferFailed, file.read, 1, 0)
        self.patch_os('pread', side_effect=OSError(errno.EIO, 'I/O error'))
        exc = self.assertRaises(errors.BufferFailed, file.read, 1, 0)
        self.assertIn('I/O error', str(exc))

    def test_empty_segment_has_a_file_too(self) -> None:
        self.assertEqual(b'', self.file(0).read(0, 0))


class TestNoSpace(_TestCase):
    def test_quota(self) -> None:
        self.file(3 * MIB, disk_quota=4 * MIB)
        self.assertIn('disk_quota', self.none(2 * MIB, disk_quota=4 * MIB))
        self.none(MIB, MIB, disk_quota=4 * MIB)
        # Other segment sizes and other quotas count together.
        self.file(2 * MIB, disk_quota=8 * MIB)
        self.none(1, disk_quota=4 * MIB)

    def test_room_given_back_counts_no_more(self) -> None:
        self.file(4 * MIB, disk_quota=4 * MIB).close()
        self.file(4 * MIB, disk_quota=4 * MIB)

    def test_no_quota_no_file_for_it(self) -> None:
        self.file(MIB)
        self.assertEqual([], os.listdir(self.directory))

    def test_directory_is_missing(self) -> None:
        self.directory += '/missing'
        for disk_quota in (0, 10 * MIB):
            why = self.none(disk_quota=disk_quota)
            self.assertIn(self.directory, why)
            self.assertIn('No such file', why)
        os.mkdir(self.directory)
        self.file(disk_quota=10 * MIB)

    def test_directory_is_a_file_or_takes_none(self) -> None:
        path = Path(self.directory, 'file')
        path.touch()
        for directory in (str(path), '/proc'):
            self.directory = directory
            for disk_quota in (0, 10 * MIB):
                self.none(disk_quota=disk_quota)

    def test_disk_is_full(self) -> None:
        self.patch_os(
            'posix_fallocate',
            side_effect=OSError(errno.ENOSPC, 'No space left'),
        )
        self.assertIn('No space left', self.none(disk_quota=2 * MIB))

    def test_room_that_was_not_to_be_had_leaves_the_quota_alone(self) -> None:
        with mock.patch.object(
            os,
            'posix_fallocate',
            autospec=True,
            side_effect=OSError(errno.ENOSPC, 'full'),
        ):
            self.none(2 * MIB, disk_quota=2 * MIB)
        self.file(2 * MIB, disk_quota=2 * MIB)

    def test_limit_of_the_system(self) -> None:
        done = subprocess.run(
            [sys.executable, '-c', _LIMITED, self.directory],
            text=True,
            capture_output=True,
            check=True,
        )
        self.assertEqual(2, done.stdout.count('File too large'), done.stdout)


class TestFloor(_TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.statvfs = self.patch_os('statvfs', return_value=_file_system(20))

    def test_what_stays_free(self) -> None:
        self.file(10 * MIB, min_free_percent=10)
        self.assertIn('10 %', self.none(11 * MIB, min_free_percent=10))

    def test_spare_stays_free_too(self) -> None:
        self.file(5 * MIB, 5 * MIB, min_free_percent=10)
        self.none(5 * MIB, 6 * MIB, min_free_percent=10)

    def test_no_floor(self) -> None:
        self.file(20 * MIB)
        self.none(21 * MIB)

    def test_it_is_watched_while_writing(self) -> None:
        file = self.file(MIB, min_free_percent=10)
        self.statvfs.return_value = _file_system(9)
        file.write(b'x', space.BYTES_PER_CHECK - 1)
        exc = self.assertRaises(
            OSError, file.write, b'x', space.BYTES_PER_CHECK
        )
        self.assertEqual(errno.ENOSPC, exc.errno)

    def test_segment_goes_on_without_the_file(self) -> None:
        self.useFixture(
            fixtures.MockPatchObject(segment, 'BUFFERED_WINDOW', 0)
        )
        body = segment.SegmentBody(self.file(MIB))
        body.write(b'begin')
        self.patch_os('pwrite', side_effect=OSError(errno.EDQUOT, 'quota'))
        body.write(b'end')
        self.assertEqual([b'begin', b'end'], [body.read(9), body.read(9)])
        self.assertFalse(body.buffered)
