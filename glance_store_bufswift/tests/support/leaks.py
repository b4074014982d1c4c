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

"""What a process has open: what an upload must not leave behind."""

from collections.abc import Iterator
import os
from pathlib import Path
import socket

#: What /proc calls the process that asks.
_OURSELVES = 'self'


def files(directory: str, pid: int | str = _OURSELVES) -> list[str]:
    """The files open in a directory, also those without a name."""
    return [name for name in _descriptors(pid) if name.startswith(directory)]


def connections(*ports: int) -> list[str]:
    """The connections to ports of this host.

    The servers' own ends, which may be in this process too, don't count.
    """
    found = []
    for link in Path(f'/proc/{_OURSELVES}/fd').iterdir():
        try:
            if not os.readlink(link).startswith('socket:'):
                continue
            with socket.socket(fileno=os.dup(int(link.name))) as end:
                local, remote = end.getsockname(), end.getpeername()
        except OSError:
            continue  # it listens, or is closed by now
        if end.family == socket.AF_INET and remote[1] in ports:
            found.append(f'{local} to {remote}')
    return found


def _descriptors(pid: int | str = _OURSELVES) -> Iterator[str]:
    for link in Path(f'/proc/{pid}/fd').iterdir():
        try:
            yield os.readlink(link)
        except FileNotFoundError:
            continue  # the descriptor that reads the directory
