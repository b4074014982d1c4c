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

"""What a process takes: memory in itself, disk as seen from outside."""

from collections.abc import Iterable
import contextlib
import ctypes
import os
from pathlib import Path
import resource

KIB = 1024

#: Bytes in a block as stat(2) counts them.
_BLOCK = 512


def cpu() -> float:
    """Seconds of CPU time that this process has taken."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Memory:
    """How far this process's memory rises above what it holds now."""

    def __init__(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            # What was freed before is not to hide what is taken next.
            ctypes.CDLL(None).malloc_trim(0)
        with contextlib.suppress(OSError):
            # Sets the peak back to what is resident (proc(5)).
            Path('/proc/self/clear_refs').write_text('5')
        self._before = _status('VmHWM')

    def risen(self) -> int:
        """Bytes between the peak since then and what was held then."""
        return _status('VmHWM') - self._before


def _status(name: str) -> int:
    for line in Path('/proc/self/status').read_text().splitlines():
        key, _, value = line.partition(':')
        if key == name:
            return int(value.split()[0]) * KIB
    raise LookupError(name)


def disk(directory: str, processes: Iterable[int]) -> int:
    """Bytes on disk of all files in a directory, also those unnamed.

    :param processes: ids of those that may hold files without a name
    """
    found: dict[int, int] = {}
    for path in _open_files(processes):
        with contextlib.suppress(OSError):
            if os.readlink(path).startswith(directory + os.sep):
                _note(found, path)
    for entry in os.scandir(directory):
        with contextlib.suppress(OSError):
            _note(found, entry.path)
    return sum(found.values())


def _note(found: dict[int, int], path: str) -> None:
    stat = os.stat(path)
    found[stat.st_ino] = stat.st_blocks * _BLOCK


def _open_files(processes: Iterable[int]) -> Iterable[str]:
    for pid in processes:
        with contextlib.suppress(OSError):
            for entry in os.scandir(f'/proc/{pid}/fd'):
                yield entry.path
