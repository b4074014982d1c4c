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

#: Bytes a second from which on several connections gain little and cost much:
#: a Python process takes about 1 GB/s from one or from many, and needs three
#: times the processor time for bytes that wait in memory.
FAST_RATE = 300e6

#: Bytes in a sample: enough to know how fast a connection is.
SAMPLE_SIZE = 8 << 20

#: So many samples are remembered, older ones with less weight.
MAX_SAMPLES = 8


class Gauge:
    """How fast a connection gives bytes while the caller waits for them."""

    def __init__(self) -> None:
        self._size = 0
        self._seconds = 0.0
        self._began = 0.0

    def begin(self) -> None:
        """The caller waits from now on."""
        self._began = time.monotonic()

    def end(self, size: int) -> bool:
        """Count bytes that came; returns whether the connection is slow."""
        self._seconds += time.monotonic() - self._began
        self._size += size
        if self._size > MAX_SAMPLES * SAMPLE_SIZE:
            self._size, self._seconds = self._size // 2, self._seconds / 2
        return SAMPLE_SIZE <= self._size < self._seconds * FAST_RATE
