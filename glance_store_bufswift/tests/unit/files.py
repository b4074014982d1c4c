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

"""Rooms on a disk that fails as a test wants it."""

import errno

from glance_store_bufswift.buffer import space


class BufferFile(space.BufferFile):
    """A file in memory, on a disk that is full at some byte.

    :param full_at: bytes that it takes
    :param give: bytes that it gives at a time
    """

    def __init__(self, full_at: int = 1 << 40, give: int = 1 << 40) -> None:
        self.data = bytearray()
        self.closed = False
        self.reusable = True
        self._full_at = full_at
        self._give = give

    def write(self, block: bytes, position: int) -> None:
        """A write that fails may have written a part, as on a disk."""
        self.data[position:] = block[: max(0, self._full_at - position)]
        if position + len(block) > self._full_at:
            raise OSError(errno.ENOSPC, 'No space left on device')

    def read(self, size: int, position: int) -> bytes:
        """May give less than asked for, as a disk may."""
        return bytes(self.data[position : position + min(size, self._give)])

    def truncate(self, size: int) -> None:
        """Drop the rest."""
        self.reusable = False
        del self.data[size:]

    def close(self) -> None:
        """Note it."""
        self.closed = True
