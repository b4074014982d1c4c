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

"""The latest bytes of a segment, in memory."""

import collections

from glance_store_bufswift import errors


class Window:
    """Blocks in a row: new ones at the end, the oldest dropped first.

    Its length is that of all blocks, in bytes.

    :ivar start: the place in the segment of its first byte
    :ivar end: the place after its last byte, even if that was dropped
    """

    def __init__(self) -> None:
        self._blocks: collections.deque[bytes] = collections.deque()
        self.start = 0
        self.end = 0

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def end_of_first(self) -> int:
        """The place after the oldest block."""
        return self.start + len(self._blocks[0])

    def append(self, block: bytes) -> None:
        """Add a block."""
        self._blocks.append(block)
        self.end += len(block)

    def after(self, position: int) -> list[bytes]:
        """The blocks from a position on, at which one begins."""
        blocks, start = [], self.end
        for block in reversed(self._blocks):
            if start <= position:
                break
            blocks.append(block)
            start -= len(block)
        return blocks[::-1]

    def drop(self) -> None:
        """Drop the oldest block."""
        self.start += len(self._blocks.popleft())

    def clear(self) -> None:
        """Drop all blocks."""
        self._blocks.clear()
        self.start = self.end

    def read(self, position: int, size: int) -> bytes:
        """Some bytes from a position on, those of one block.

        :param size: bytes at most; negative = no bound
        :raises BufferFailed: there is no such position
        """
        start = self.start
        for block in self._blocks:
            if position < start + len(block):
                first = position - start
                end = len(block) if size < 0 else first + size
                return block[first:end]
            start += len(block)
        raise errors.BufferFailed('The window has lost its place')
