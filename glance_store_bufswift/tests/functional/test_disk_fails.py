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

"""The disk fails, fills up or goes away in the middle of a segment."""

import errno
import os
from pathlib import Path
import resource
import shutil
import stat
from typing import Any

import fixtures
from glance_store import exceptions

from glance_store_bufswift.tests.functional import disk
from glance_store_bufswift.tests.functional import uploaders
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = disk.SEGMENT
MIB = disk.MIB

CODES = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


class TestWrite(disk.Case):
    """write(2) fails once, after a part of a block."""

    def add(
        self, data: bytes, code: int = errno.ENOSPC, **options: Any
    ) -> Any:
        made = self.stores(fast=options)
        with disk.giving_out(code, after=MIB + 300_000):
            return made.add(self.image, streams.Stream(data), 0)

    def test_the_rest_goes_through(self) -> None:
        data = streams.image(3 * SEGMENT)
        for code in CODES:
            self.records.clear()
            answer = self.add(data, code)
            self.assert_stored(data, answer, 3)
            self.assert_counted(2 * SEGMENT + MIB, SEGMENT - MIB)
            self.assert_warned(os.strerror(code))

    def test_a_reset_while_the_window_holds_the_rest(self) -> None:
        data = streams.image(3 * SEGMENT)
        self.proxy.add(
            faults.Rule(faults.Reset(after=2_500_000), 'PUT', '/00000001$')
        )
        answer = self.add(data)
        self.assert_stored(data, answer, 3)
        self.assertEqual(2, len(self.puts('/00000001$')))
        self.assert_counted(2 * SEGMENT + MIB, SEGMENT - MIB)

    def test_a_reset_when_bytes_are_gone(self) -> None:
        data = streams.image(9 * disk.MIB)
        self.proxy.add(
            faults.Rule(faults.Reset(after=7_500_000), 'PUT', '/00000001$')
        )
        error = self.assertRaises(
            exceptions.BackendException,
            self.add,
            data,
            swift_store_large_object_chunk_size=8,
        )
        self.assertIn('the buffer gave out: [Errno 28]', str(error))
        self.assertEqual(1, len(self.puts('/00000001$')))
        self.assert_nothing_left()
        self.assert_warned(os.strerror(errno.ENOSPC))

    def test_read_back_fails(self) -> None:
        """An error of the disk on reading ends the upload, cleanly."""

        def pread(*_: object) -> bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        self.useFixture(fixtures.MonkeyPatch('os.pread', pread))
        error = self.assertRaises(
            exceptions.BackendException,
            self.stores().add,
            self.image,
            streams.Stream(streams.image(3 * SEGMENT)),
            0,
        )
        self.assertIn('can not be read back', str(error))
        self.assert_nothing_left()


class TestDirectory(disk.Case):
    def test_goes_and_comes_back(self) -> None:
        """What is open stays, what comes next goes without."""
        data = streams.image(5 * SEGMENT)
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.buffer.space.BYTES_PER_CHECK', MIB
            )
        )
        back = streams.Stream(
            data,
            at=2 * SEGMENT + disk.MIDDLE,
            then=lambda: os.mkdir(self.buffers),
        )
        stream = Then(back, disk.WRITTEN, lambda: shutil.rmtree(self.buffers))
        # With a quota no file waits for a next segment.
        options = {
            'swift_buffered_threads': 1,
            'swift_buffered_disk_quota': 5 * disk.UNITS,
        }
        answer = self.stores(fast=options).add(self.image, stream, 0)
        self.assert_stored(data, answer, 5)
        self.assert_counted(3 * SEGMENT, 2 * SEGMENT)
        self.assert_warned(f'{self.buffers}: No such file or directory')


class Then:
    """Another place in a stream where something happens, between blocks."""

    def __init__(self, stream: streams.Stream, at: int, then: Any) -> None:
        self._stream = stream
        self._at = at
        self._then = then

    def read(self, size: int) -> bytes:
        """Give the next bytes."""
        if self._then and self._stream.position >= self._at:
            self._then()
            self._then = None
        return self._stream.read(size)


class TestLimit(disk.Case):
    """The kernel refuses a write, whoever runs the test: RLIMIT_FSIZE."""

    def test_in_mid_segment(self) -> None:
        uploader = self.uploader()
        self.image = uploader.begin(3 * SEGMENT, at=disk.MIDDLE)
        uploader.reached(self.image)
        resource.prlimit(
            uploader.pid,
            resource.RLIMIT_FSIZE,
            (disk.WRITTEN + 1000, resource.RLIM_INFINITY),
        )
        uploader.go(self.image)
        self.assert_right(uploader, self.image, 3 * SEGMENT)
        # Further segments of this size are not even reserved.
        self.assert_counted(disk.WRITTEN, 3 * SEGMENT - disk.WRITTEN, uploader)
        self.assert_warned('File too large', uploader=uploader)


class TestMounted(disk.Case):
    """Small file systems of our own, filled up by others."""

    def fill(self, uploader: uploaders.Uploader, size: int) -> None:
        """Take space where the process buffers."""
        path = Path(f'/proc/{uploader.pid}/root{self.buffers}', 'others')
        path.write_bytes(bytes(size))

    def check(
        self,
        uploader: uploaders.Uploader,
        size: int,
        at: int,
        others: int,
        buffered: int,
        says: str,
    ) -> None:
        self.image = uploader.begin(size, at=at)
        uploader.reached(self.image)
        self.fill(uploader, others)
        uploader.go(self.image)
        self.assert_right(uploader, self.image, size)
        self.assert_counted(buffered, size - buffered, uploader)
        self.assert_warned(says, uploader=uploader)

    def test_full_in_mid_segment(self) -> None:
        """ENOSPC, on a file system that can't reserve blocks."""
        uploader = self.mounted(options='size=5m', reserves=False)
        self.check(
            uploader,
            3 * SEGMENT,
            disk.MIDDLE,
            5 * MIB // 2,
            disk.WRITTEN,
            'No space left on device',
        )

    def test_full_with_reserved_blocks(self) -> None:
        """What is reserved can't be taken by others any more."""
        uploader = self.mounted(options='size=5m')
        self.image = uploader.begin(3 * SEGMENT, at=disk.MIDDLE)
        uploader.reached(self.image)
        error = self.assertRaises(OSError, self.fill, uploader, 5 * MIB // 2)
        self.assertEqual(errno.ENOSPC, error.errno)
        uploader.go(self.image)
        self.assert_right(uploader, self.image, 3 * SEGMENT)
        self.assert_counted(3 * SEGMENT, 0, uploader)
        self.assertEqual([], uploader.logged())

    def test_floor_crossed_by_others(self) -> None:
        """In the middle of a segment of 23 MiB, looked at after 16 MiB."""
        uploader = self.mounted(
            options='size=64m',
            swift_store_large_object_chunk_size=24,
            swift_buffered_min_free_percent=25,
        )
        self.check(
            uploader,
            30_000_000,
            10_000_000,
            30 * MIB,
            16 * MIB,
            'less than 25 % of the file system would stay free '
            '(swift_buffered_min_free_percent)',
        )

    def test_file_system_without_fallocate(self) -> None:
        """It tells no size either, and blocks are taken as they fill."""
        uploader = self.mounted('ramfs')
        self.image = uploader.begin(3 * SEGMENT, at=disk.MIDDLE)
        uploader.reached(self.image)
        self.assertEqual(disk.WRITTEN, unnamed(uploader.pid))
        uploader.go(self.image)
        self.assert_right(uploader, self.image, 3 * SEGMENT)
        self.assert_counted(3 * SEGMENT, 0, uploader)
        self.assertEqual([], uploader.logged())

    def test_file_system_that_is_read_only(self) -> None:
        uploader = self.mounted(options='ro')
        self.image = uploader.begin(3 * SEGMENT)
        self.assert_right(uploader, self.image, 3 * SEGMENT)
        self.assert_counted(0, 3 * SEGMENT, uploader)
        self.assert_warned('Read-only file system', uploader=uploader)
        self.assertIn('is missing or not writable', uploader.logged()[0])


def unnamed(pid: int) -> int:
    """Bytes on disk of a process's files without a name."""
    found = [os.stat(link) for link in os.scandir(f'/proc/{pid}/fd')]
    return sum(
        each.st_blocks * 512
        for each in found
        if stat.S_ISREG(each.st_mode) and not each.st_nlink
    )
