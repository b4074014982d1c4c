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

"""Room on disk for segments: quota, floor, and files without a name."""

import contextlib
import errno
import fcntl
import os
import tempfile
from typing import IO

from glance_store_bufswift.buffer import quota
from glance_store_bufswift import errors

#: Bytes written between two looks at the file system's free space.
BYTES_PER_CHECK = 16 << 20

# What posix_fallocate(3) answers for a file system that can't reserve blocks.
_CANNOT_RESERVE = (errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


class NoSpace(errors.BufswiftError):
    """A segment can't be buffered now; the message says why."""


class BufferDirectory:
    """The buffer directory of a store.

    Cheap to make: it does not look at the disk before room is asked for.

    :param directory: where the files lie
    :param disk_quota: bytes for all buffers of the host there; 0 = no quota
    :param min_free_percent: of the file system's size, left to others
    :ivar limited: whether there is a quota
    """

    def __init__(
        self, directory: str, disk_quota: int = 0, min_free_percent: int = 0
    ) -> None:
        self.directory = directory
        self._quota = quota.Quota(directory, disk_quota)
        self.limited = bool(disk_quota)
        self._min_free_percent = min_free_percent

    def open(self, size: int, spare: int = 0) -> 'BufferFile':
        """A file for a segment.

        :param size: bytes in the segment
        :param spare: bytes that have to be there for others afterwards
        :raises NoSpace: there is no room, or the directory can't be used
        """
        try:
            with contextlib.ExitStack() as held:
                if self.limited:
                    held.enter_context(self._quota.reserved(size, spare))
                self.check_floor(size + spare)
                file = held.enter_context(
                    tempfile.TemporaryFile(dir=self.directory, buffering=0)
                )
                _reserve(file.fileno(), size)
                # Others may have reserved at the same time.
                self.check_floor(spare)
                return BufferFile(self, file, size, held.pop_all())
        except OSError as exc:
            raise NoSpace(f'{self.directory}: {exc.strerror or exc}') from exc

    def check_floor(self, size: int = 0, file: int | None = None) -> None:
        """Raise OSError if ``size`` bytes more would leave others too few.

        :param file: descriptor of a file there, for a directory that may be
            gone
        """
        stat = os.statvfs(self.directory if file is None else file)
        floor = stat.f_blocks * self._min_free_percent // 100
        # Some file systems report no size.
        if stat.f_blocks and (stat.f_bavail + -size // stat.f_frsize < floor):
            raise OSError(
                errno.ENOSPC,
                (
                    f'less than {self._min_free_percent} % of the file system '
                    'would stay free (swift_buffered_min_free_percent)'
                    if floor
                    else os.strerror(errno.ENOSPC)
                ),
            )


def _reserve(descriptor: int, size: int) -> None:
    """Reserve a file's blocks now.

    statvfs then counts the reservations of all processes, and what was granted
    can't run out half-way. It can on a file system that does not reserve: the
    segment then goes on without the file.
    """
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    # Where the file system can't, glibc would write to each block, unless the
    # file is open for appending (posix_fallocate(3)).
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_APPEND)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as exc:
        if exc.errno not in _CANNOT_RESERVE:
            raise
    finally:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)


class BufferFile:
    """The file that buffers one segment, with the reservation behind it."""

    def __init__(
        self,
        directory: BufferDirectory,
        file: IO[bytes],
        size: int,
        held: contextlib.ExitStack,
    ) -> None:
        self._directory = directory
        self._descriptor = file.fileno()
        self._held = held
        self._checked = 0
        #: Bytes that it has room for.
        self.size = size
        #: Whether it can still hold another segment of its size.
        self.reusable = True
        #: Whether pages of it are in memory.
        self.used = False

    def write(self, block: bytes, position: int) -> None:
        """Write a block; raises OSError when the disk does not take it."""
        if position - self._checked >= BYTES_PER_CHECK:
            self._checked = position
            self._directory.check_floor(file=self._descriptor)
        self.used = True
        view = memoryview(block)
        while view:
            count = os.pwrite(self._descriptor, view, position)
            view, position = view[count:], position + count

    def read(self, size: int, position: int) -> bytes:
        """Read what was written.

        :raises BufferFailed: the disk does not return it
        """
        try:
            block = os.pread(self._descriptor, size, position)
        except OSError as exc:
            raise errors.BufferFailed(
                f'A buffered segment can not be read back: {exc}'
            ) from exc
        if size and not block:
            raise errors.BufferFailed('A buffered segment was cut short')
        return block

    def reuse(self, size: int) -> bool:
        """Make ready for another segment; False if that is too large."""
        self._checked = 0
        return size <= self.size

    def truncate(self, size: int) -> None:
        """Give the blocks past ``size`` back: no more will be written."""
        self.reusable = False
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, size)

    def close(self) -> None:
        """Give everything back; may be called twice."""
        self._held.close()
