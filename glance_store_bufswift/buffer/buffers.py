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

"""What one upload holds of the buffer directory."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import math
import threading

from glance_store_bufswift.buffer import space


class UploadBuffers:
    """The rule by which an upload takes room and gives it back.

    Its first segment may take the last room there is. Each further one leaves
    as much for the first of another upload. An upload that finds no more room
    takes over that of a segment of its own, as soon as that is stored.

    Without a quota the file of one segment that is stored waits for the next
    segment: its pages are in memory already, which saves most of what writing
    them takes. With one, others may wait for its room.

    :param directory: where the files are
    """

    def __init__(self, directory: space.BufferDirectory) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._in_use: set[space.BufferFile] = set()
        self._kept: list[space.BufferFile] = []
        self._most_idle = 0 if directory.limited else 1
        self._most_kept: float = self._most_idle

    def take(self, size: int, wait: Callable[[], object]) -> space.BufferFile:
        """Room for a segment, to be given back by :meth:`give_back`.

        :param size: bytes in the segment
        :param wait: waits until a segment of this upload has ended
        :raises NoSpace: there is none, and the upload has none to take over
        """
        with self._keeping_all():
            while True:
                file = self._taken_over(size) or self._further(size)
                if file is not None:
                    break
                wait()
            with self._lock:
                self._in_use.add(file)
            return file

    def exchange(self, file: space.BufferFile) -> space.BufferFile:
        """The file that a segment had better write to.

        :param file: its own, to be left if one that was used before waits by
            now; when the segment began, the one before was not stored yet
        """
        with self._lock:
            for number, other in enumerate(self._kept):
                if other.used and not file.used and other.reuse(file.size):
                    self._kept[number] = file
                    self._in_use ^= {file, other}
                    return other
        return file

    def give_back(self, file: space.BufferFile) -> None:
        """Give back the room of a segment that has ended; on any thread."""
        with self._lock:
            self._in_use.discard(file)
            if file.reusable and len(self._kept) < self._most_kept:
                self._kept.append(file)
                return
        file.close()

    def close(self) -> None:
        """Give back what waits for a next segment: none comes any more.

        What is in use is still given back by give_back(). May be called twice.
        """
        self._keep(0)

    @contextlib.contextmanager
    def _keeping_all(self) -> Iterator[None]:
        """Keep all room that is given back meanwhile.

        Another upload could take it before this one asks again.
        """
        self._keep(math.inf)
        try:
            yield
        finally:
            self._keep(self._most_idle)

    def _keep(self, most: float) -> None:
        """Keep so many files from now on."""
        with self._lock:
            self._most_kept = most
            beyond = []
            while len(self._kept) > most:
                beyond.append(self._kept.pop())
        for file in beyond:
            file.close()

    def _further(self, size: int) -> space.BufferFile | None:
        with self._lock:
            holds = bool(self._kept) or any(
                file.reusable for file in self._in_use
            )
        try:
            return self._directory.open(size, spare=size if holds else 0)
        except space.NoSpace:
            if not holds:
                raise
            return None

    def _taken_over(self, size: int) -> space.BufferFile | None:
        with self._lock:
            file = self._kept.pop() if self._kept else None
        if file is not None and not file.reuse(size):
            file.close()
            return None
        return file
