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

"""A disk quota that all processes of a host keep together.

One file in the shared directory stands for the quota: each of its bytes, from
the second on, for one MiB. A holder of room has locked as many bytes. The
locks belong to an open file description (F_OFD_SETLK, see fcntl(2)): they also
keep threads of one process apart, and the kernel drops them when their holder
closes the file or dies. There is no counter that a crash could leave wrong.
"""

from collections.abc import Iterator
import contextlib
import errno
import fcntl
import os
import stat
import struct

from glance_store_bufswift import units

#: The file whose bytes are locked; it stays empty, and is never removed: locks
#: on a removed file are no longer seen.
FILE_NAME = '.glance-store-bufswift.quota'

# Its number in the file; locked while the others are looked at and taken.
_MUTEX_BYTE = 0

# struct flock of fcntl(2), l_pid being 0 for this kind of lock.
_FLOCK = struct.Struct('hhqqi0q')


class Quota:
    """The bound on what all buffers in a directory take together.

    Users with different quotas or segment sizes may share the directory:
    each looks for free bytes below its own bound, so that what it grants never
    exceeds that bound.

    :param directory: where the file lies
    :param size: bytes that may be held, rounded down to whole MiB
    """

    def __init__(self, directory: str, size: int) -> None:
        self._path = os.path.join(directory, FILE_NAME)
        self._mib = size // units.MIB

    @contextlib.contextmanager
    def reserved(self, size: int, spare: int = 0) -> Iterator[None]:
        """Hold room for ``size`` bytes while the context lasts.

        :param spare: bytes that have to be free for others afterwards
        :raises OSError: EDQUOT when there is no such room, or what the file
            system answers
        """
        wanted = units.mib(size)
        if wanted > self._mib:
            raise OSError(
                errno.EDQUOT,
                (
                    f'a segment of {wanted} MiB is more than the quota of '
                    f'{self._mib} MiB (swift_buffered_disk_quota)'
                ),
            )
        descriptor = self._open()
        try:
            _check(descriptor)
            self._take(descriptor, wanted, units.mib(spare))
            yield
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(self._path, flags, 0o600)
        except OSError as exc:
            if os.path.lexists(self._path):
                # Another user's file, or a symbolic link: the file is to
                # blame, not the directory.
                raise OSError(
                    exc.errno, f'{FILE_NAME}: {exc.strerror}'
                ) from exc
            raise

    def _take(self, descriptor: int, wanted: int, spare: int) -> None:
        _lock(descriptor, fcntl.F_OFD_SETLKW, fcntl.F_WRLCK, _MUTEX_BYTE, 1)
        try:
            gaps = list(_gaps(descriptor, 1, self._mib + 1))
            free = sum(end - start for start, end in gaps)
            if free < wanted + spare:
                raise OSError(
                    errno.EDQUOT,
                    (
                        f'{free} MiB of the {self._mib} MiB quota are free, '
                        f'{wanted + spare} MiB are needed '
                        '(swift_buffered_disk_quota)'
                    ),
                )
            for start, end in gaps:
                count = min(wanted, end - start)
                if count:
                    _lock(
                        descriptor,
                        fcntl.F_OFD_SETLK,
                        fcntl.F_WRLCK,
                        start,
                        count,
                    )
                wanted -= count
        finally:
            _lock(descriptor, fcntl.F_OFD_SETLK, fcntl.F_UNLCK, _MUTEX_BYTE, 1)


def _check(descriptor: int) -> None:
    """Make sure that the file is this user's, and that it stays.

    Another user who can open it could hold its locks for ever.
    """
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        raise OSError(errno.EPERM, f'{FILE_NAME} is not a file of this user')
    # systemd-tmpfiles removes files in /tmp that were not touched for days.
    os.utime(descriptor)


def _gaps(descriptor: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The ranges in [start, end) that are not locked, in order."""
    while start < end:
        held, after = _first_held(descriptor, start, end)
        if held > start:
            yield start, held
        start = after


def _first_held(descriptor: int, start: int, end: int) -> tuple[int, int]:
    """The lowest range held in [start, end); (end, end) if there is none.

    The kernel reports any conflicting lock, not the lowest one.
    """
    lowest = after = end
    while lowest > start:
        kind, held, length = _lock(
            descriptor, fcntl.F_OFD_GETLK, fcntl.F_WRLCK, start, lowest - start
        )
        if kind == fcntl.F_UNLCK:
            break
        lowest, after = max(held, start), held + length
    return lowest, after


def _lock(
    descriptor: int, command: int, kind: int, start: int, length: int
) -> tuple[int, int, int]:
    """Call fcntl(2) on a range; returns kind, start and length."""
    request = _FLOCK.pack(kind, os.SEEK_SET, start, length, 0)
    answer = fcntl.fcntl(descriptor, command, request)
    kind, _, start, length, _ = _FLOCK.unpack(answer)
    return kind, start, length
