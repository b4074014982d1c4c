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

"""The memory that downloads read ahead into, bounded for the whole process.

Buffers are mapped from the kernel and used again and again: malloc would cost
a fault for each page of each block, and keep the memory at the end. Only
threads that read an image take and give back, not those that fetch ahead for
them. So a download that the garbage collector ends can wait for its own
threads.
"""

import mmap
import threading


class Memory:
    """A bound on bytes that several downloads share."""

    def __init__(self) -> None:
        # The garbage collector can end a download while this one takes.
        self._lock = threading.RLock()
        self.taken = 0

    def take(self, size: int, most: int) -> bool:
        """Take so many bytes if the total then stays within the bound.

        :param most: the bound, bytes
        """
        with self._lock:
            if self.taken + size > most:
                return False
            self.taken += size
            return True

    def give_back(self, size: int) -> None:
        """Give back what was taken."""
        with self._lock:
            self.taken -= size


#: The memory of this process.
SHARED = Memory()


class DownloadBuffers:
    """The buffers of one download.

    :param window: bytes that it may take
    :param most: bytes that all downloads of the process may take
    """

    def __init__(self, window: int, most: int) -> None:
        self._window = window
        self._most = most
        self._taken = 0
        self._free: list[mmap.mmap] = []

    def take(self, size: int) -> mmap.mmap | None:
        """A buffer of so many bytes or more, None if there is no room."""
        for number, free in enumerate(self._free):
            if len(free) >= size:
                return self._free.pop(number)
        self.shrink()
        if self._taken + size > self._window or not SHARED.take(
            size, self._most
        ):
            return None
        self._taken += size
        return mmap.mmap(-1, size)

    def give_back(self, buffer: mmap.mmap) -> None:
        """Keep a buffer, to be used again."""
        self._free.append(buffer)

    def shrink(self) -> None:
        """Give the memory of unused buffers back."""
        while self._free:
            free = self._free.pop()
            self._taken -= len(free)
            SHARED.give_back(len(free))
            free.close()
