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

"""The buffer directory: does it exist, and has its file system room."""

from collections.abc import Iterator
import os
from pathlib import Path
import pwd
import stat
import tempfile

from glance_store_bufswift.buffer import quota
from glance_store_bufswift.buffer import space
from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding
from glance_store_bufswift.check import mounts
from glance_store_bufswift import opts
from glance_store_bufswift import units

_DIRECTORY = 'buffer directory'
_ROOM = 'buffer room'


def findings(
    settings: opts.Settings, uploads: int, named: bool = True
) -> Iterator[Finding]:
    """Look at the directory and its file system.

    :param uploads: how many at a time it should have room for
    :param named: whether the configuration names the directory
    """
    yield _usable(settings)
    yield from _owner(settings.directory)
    if not named:
        yield finding.warning(
            _DIRECTORY,
            f'swift_buffered_dir is not set: buffers go to '
            f'{settings.directory}, with the temporary files of all others',
            'make a directory for the buffers, owned by the user of '
            'glance-api and with mode 0700, and set swift_buffered_dir',
        )
    elif os.path.isdir(settings.directory):
        yield from _open_to_others(settings.directory)
    if os.path.isdir(settings.directory):
        yield _file_system(settings)
        yield _free(settings, uploads)
    yield _quota(settings, uploads)


def _usable(settings: opts.Settings) -> Finding:
    directory = settings.directory
    if not os.path.isdir(directory):
        return finding.error(
            _DIRECTORY,
            f'{directory} does not exist: images are uploaded '
            'without a buffer',
            'create it, owned by the user of glance-api '
            'and with mode 0700, or set swift_buffered_dir',
        )
    try:
        # In a directory of its own: a quota file made by another user
        # than glance-api's would turn buffering off.
        with tempfile.TemporaryDirectory(
            dir=directory, prefix='.bufswift-check-'
        ) as own:
            space.BufferDirectory(own, 0, 0).open(
                settings.segment_size
            ).close()
    except space.NoSpace as exc:
        return finding.error(
            _DIRECTORY,
            f'a segment of {finding.size(settings.segment_size)} '
            f'can not be buffered: {exc}',
            'free or add space in swift_buffered_dir',
        )
    except OSError as exc:
        return finding.error(
            _DIRECTORY,
            f'{directory} can not be written to: {exc.strerror}',
            'give it to the user of glance-api, and run this command as '
            'that user',
        )
    return finding.ok(
        _DIRECTORY,
        f'a file in {directory} takes a segment '
        f'of {finding.size(settings.segment_size)}',
    )


def _owner(directory: str) -> Iterator[Finding]:
    """Whether the directory's user is the one that runs this check."""
    path = Path(directory, quota.FILE_NAME)
    try:
        owner = path.stat().st_uid
    except OSError:
        yield from _as_root(directory)
        return
    if owner != os.geteuid():
        yield finding.error(
            _DIRECTORY,
            f'{path} belongs to {_user(owner)}, this is '
            f'{_user(os.geteuid())}: only its owner can keep to the quota',
            'run this command as the user of glance-api; if it is, and '
            'while no glance-api of another user runs, remove the file',
        )


def _as_root(directory: str) -> Iterator[Finding]:
    """root can write everywhere, which says nothing about glance-api."""
    try:
        owner = os.stat(directory).st_uid
    except OSError:
        return
    if os.geteuid() == 0 and owner != 0:
        yield finding.warning(
            _DIRECTORY,
            f'{directory} belongs to {_user(owner)}, and root '
            'looks: whether glance-api may write there is not known',
            'run this command as the user of glance-api',
        )


def _open_to_others(directory: str) -> Iterator[Finding]:
    mode = stat.S_IMODE(os.stat(directory).st_mode)
    if mode & 0o077:
        yield finding.warning(
            _DIRECTORY,
            f'{directory} has mode {mode:04o}: other users may '
            'look into it, or take its room',
            f'chmod 0700 {directory}',
        )


def _user(number: int) -> str:
    try:
        return f'user {pwd.getpwuid(number).pw_name}'
    except KeyError:
        return f'user {number}'


def _file_system(settings: opts.Settings) -> Finding:
    try:
        kind = mounts.kind(
            os.path.realpath(settings.directory),
            Path(mounts.MOUNT_TABLE).read_text(),
        )
    except OSError:
        kind = None
    if kind in mounts.NETWORK_TYPES:
        return finding.warning(
            _DIRECTORY,
            f'its file system is {kind}, over a network: '
            'each segment goes through it twice',
            'put swift_buffered_dir on a local disk',
        )
    if kind in mounts.MEMORY_TYPES and not settings.disk_quota:
        return finding.warning(
            _DIRECTORY,
            f'its file system is {kind}: buffers take memory, '
            'and there is no quota',
            'set swift_buffered_disk_quota, or put swift_buffered_dir on a '
            'local disk',
        )
    return finding.ok(
        _DIRECTORY, f'its file system is {kind or "of an unknown kind"}'
    )


def room(settings: opts.Settings) -> int | None:
    """Bytes that buffers may take, whatever the quota; None if not known."""
    try:
        disk = os.statvfs(settings.directory)
    except OSError:
        return None
    return _free_for_buffers(disk, settings) if disk.f_blocks else None


def _free_for_buffers(disk: os.statvfs_result, settings: opts.Settings) -> int:
    floor = disk.f_blocks * settings.min_free_percent // 100
    return max(0, disk.f_bavail - floor) * disk.f_frsize


def _free(settings: opts.Settings, uploads: int) -> Finding:
    """What the file system has, compared with what uploads can take."""
    disk = os.statvfs(settings.directory)
    free = _free_for_buffers(disk, settings)
    wanted = _wanted(settings, uploads)
    if settings.disk_quota:
        wanted = min(wanted, settings.disk_quota)
    if not disk.f_blocks:
        return finding.warning(
            _ROOM,
            'the file system does not tell its size',
            f'make sure that it has {finding.size(wanted)}',
        )
    size = disk.f_blocks * disk.f_frsize
    if settings.disk_quota > size:
        return finding.warning(
            _ROOM,
            f'the quota is {finding.size(settings.disk_quota)}, the '
            f'file system has {finding.size(size)}: the quota bounds '
            'nothing',
            'lower swift_buffered_disk_quota',
        )
    return _compared(settings, free, wanted)


def _compared(settings: opts.Settings, free: int, wanted: int) -> Finding:
    text = (
        f'{finding.size(free)} may be used before '
        f'{settings.min_free_percent} % of the file system are left, '
        f'buffers may take {finding.size(wanted)}'
    )
    if free >= wanted:
        return finding.ok(_ROOM, text)
    advice = (
        'add space, or lower swift_buffered_threads or '
        'swift_store_large_object_chunk_size, or '
        'swift_buffered_min_free_percent'
    )
    if free < settings.segment_size:
        return finding.error(
            _ROOM, f'{text}: not even one segment is buffered', advice
        )
    return finding.warning(
        _ROOM, f'{text}: some segments go unbuffered', advice
    )


def _quota(settings: opts.Settings, uploads: int) -> Finding:
    """The quota, compared with what uploads need to never wait for room.

    Room is counted in whole MiB by segment, and each further buffer of an
    upload leaves room for another upload's first.
    """
    if not settings.disk_quota:
        return finding.ok(
            _ROOM,
            'no quota (swift_buffered_disk_quota): '
            'swift_buffered_min_free_percent alone bounds the buffers',
        )
    segment = units.mib(settings.segment_size) * units.MIB
    wanted = _wanted(settings, uploads) + segment
    text = (
        f'the quota is {finding.size(settings.disk_quota)}, {uploads} '
        f'uploads of {settings.most_in_flight} segments at a time take '
        f'{finding.size(wanted)}'
    )
    advice = f'set swift_buffered_disk_quota to {wanted // units.MIB} or more'
    if settings.disk_quota < segment:
        return finding.error(
            _ROOM,
            f'{text}: less than one segment, nothing is buffered',
            advice,
        )
    if settings.disk_quota < wanted:
        return finding.warning(
            _ROOM, f'{text}: uploads wait for room, or go unbuffered', advice
        )
    return finding.ok(_ROOM, text)


def _wanted(settings: opts.Settings, uploads: int) -> int:
    """Bytes of all segments that may be in flight, in whole MiB each."""
    segment = units.mib(settings.segment_size) * units.MIB
    return uploads * settings.most_in_flight * segment
