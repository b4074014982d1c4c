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
import threading

from glance_store_bufswift.buffer import space


class UploadBuffers:
    """The rule by which an upload takes room and gives it back.

    Its first segment may take the last room there is. Each further one leaves
    as much for the first of another upload. An upload that finds no more room
    takes over that of a segment of its own, as soon as that is stored.

    :param directory: where the files are
    """

    def __init__(self, directory: space.BufferDirectory) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._in_use: set[space.BufferFile] = set()
        self._kept: list[space.BufferFile] | None = None

    def take(self, size: int, wait: Callable[[], object]) -> space.BufferFile:
        """Room for a segment, to be given back by :meth:`give_back`.

        :param size: bytes in the segment
        :param wait: waits until a segment of this upload has ended
        :raises NoSpace: there is none, and the upload has none to take over
        """
        with self._keeping():
            while True:
                file = self._further(size) or self._taken_over(size, wait)
                if file is not None:
                    with self._lock:
                        self._in_use.add(file)
                    return file

    def give_back(self, file: space.BufferFile) -> None:
        """Give back the room of a segment that has ended; on any thread."""
        with self._lock:
            self._in_use.discard(file)
            if self._kept is not None and file.reusable:
                self._kept.append(file)
                return
        file.close()

    @contextlib.contextmanager
    def _keeping(self) -> Iterator[None]:
        """Keep room that is given back meanwhile.

        Another upload could take it before this one asks again.
        """
        with self._lock:
            self._kept = []
        try:
            yield
        finally:
            with self._lock:
                kept, self._kept = self._kept or [], None
            for file in kept:
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

    def _taken_over(
        self, size: int, wait: Callable[[], object]
    ) -> space.BufferFile | None:
        if not self._kept:
            wait()
        with self._lock:
            file = self._kept.pop() if self._kept else None
        if file is not None and not file.reuse(size):
            file.close()
            return None
        return file
