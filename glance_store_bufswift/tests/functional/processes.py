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

"""The processes of a test cloud, by their ids."""

import os
from pathlib import Path
import select


def servers(root: Path, name: str = '') -> list[int]:
    """Return the servers that log to a file below root.

    :param name: what the file's name begins with
    """
    return [
        int(entry.name)
        for entry in Path('/proc').iterdir()
        if entry.name.isdigit() and _log(entry).startswith(f'{root}/{name}')
    ]


def _log(entry: Path) -> str:
    try:
        return os.readlink(entry / 'fd/2')
    except OSError:
        return ''


def keeper(root: Path) -> int:
    """Return the keeper: above its nurseries, their forks, the servers."""
    [found] = {parent(parent(parent(pid))) for pid in servers(root)}
    return found


def parent(pid: int) -> int:
    """Return the parent of a process."""
    stat = Path(f'/proc/{pid}/stat').read_text()
    return int(stat.rpartition(')')[2].split()[1])


def children(pid: int) -> list[int]:
    """Return the children of a process that has one thread."""
    found = Path(f'/proc/{pid}/task/{pid}/children').read_text()
    return [int(each) for each in found.split()]


def below(pid: int) -> list[int]:
    """Return all descendants of a process."""
    found = children(pid)
    for child in children(pid):
        found += below(child)
    return found


def wait_gone(pid: int) -> None:
    """Block until the process has ended; no matter whose child it is."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([handle], [], [], 60)
        if not ready:
            raise AssertionError(f'process {pid} is still there')
    finally:
        os.close(handle)
