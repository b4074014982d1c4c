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

"""Where the benchmark's uploads read from: read(n) and nothing else."""

import dataclasses
import time

from glance_store_bufswift.tests.programs.bench import pattern


@dataclasses.dataclass(frozen=True)
class Pace:
    """How fast a source gives its bytes.

    :ivar rate: bytes per second; 0 = as fast as they are asked for
    :ivar stall_every: bytes after which it pauses each time; 0 = never
    :ivar stall: seconds of such a pause
    """

    rate: float = 0
    stall_every: int = 0
    stall: float = 0

    def due(self, position: int) -> float:
        """Seconds from the start until so many bytes are there.

        Bytes that are not fetched in time pile up, as in a file that is
        written meanwhile: who reads late may read faster.
        """
        seconds = position / self.rate if self.rate else 0.0
        if self.stall_every:
            seconds += (position - 1) // self.stall_every * self.stall
        return seconds


class Stream:
    """An image that is read once, in order.

    :param size: bytes in it
    :param pace: how fast they come
    """

    def __init__(self, size: int, pace: Pace) -> None:
        self._stretch = pattern.stretch()
        self._size = size
        self._pace = pace
        self._position = 0
        self._began: float | None = None
        #: When the last byte was handed out (time.perf_counter()).
        self.ended = 0.0

    def read(self, size: int) -> bytes:
        """Give the next bytes, b'' at the end."""
        if self._began is None:
            self._began = time.perf_counter()
        count = min(size, self._size - self._position, pattern.MOST)
        if count <= 0:
            return b''
        offset = self._position % pattern.PERIOD
        self._position += count
        wait = (
            self._began + self._pace.due(self._position) - time.perf_counter()
        )
        if wait > 0:
            time.sleep(wait)
        if self._position == self._size:
            self.ended = time.perf_counter()
        return self._stretch[offset : offset + count]
