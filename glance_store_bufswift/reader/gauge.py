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

"""Whether a download has use for several connections."""

import time

#: Bytes a second from which on several connections gain little and cost
#: much: a process of Python takes about 1 GB/s, be it from one or from many,
#: and three times the processor for what waits in memory.
FAST = 300e6

#: Bytes after which it is known how fast a connection is.
ENOUGH = 8 << 20

#: So many times as much is remembered, with less weight the older it is.
REMEMBERED = 8


class Gauge:
    """How fast a connection gives while somebody waits for it."""

    def __init__(self) -> None:
        self._size = 0
        self._seconds = 0.0
        self._began = 0.0

    def begin(self) -> None:
        """From now on somebody waits."""
        self._began = time.monotonic()

    def end(self, size: int) -> bool:
        """So many bytes came; tells whether it is known that it is slow."""
        self._seconds += time.monotonic() - self._began
        self._size += size
        if self._size > REMEMBERED * ENOUGH:
            self._size, self._seconds = self._size // 2, self._seconds / 2
        return ENOUGH <= self._size < self._seconds * FAST
