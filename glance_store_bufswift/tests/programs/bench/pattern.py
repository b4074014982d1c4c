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

"""The benchmark's image: random bytes that repeat after one period.

Upstream's "MB" is the period, so every segment starts where a period starts
and the MD5 of an object tells its length only. The sink knows the ETag of
what it gets without hashing it.
"""

from collections.abc import Iterable
import functools
import hashlib
import random
from typing import Any

#: Bytes in a period: what swift_store_large_object_chunk_size counts in.
PERIOD = 1000 * 1024

#: Bytes that the source gives at a time at most.
MOST = 4 << 20


@functools.cache
def period() -> bytes:
    """The bytes that repeat."""
    return random.Random(5).randbytes(PERIOD)


@functools.cache
def stretch() -> bytes:
    """Enough periods to cut any read of up to MOST bytes from."""
    return period() * (MOST // PERIOD + 2)


class Etags:
    """The MD5 of the image's first bytes, by their number."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}
        #: How many were asked for that had not been prepared.
        self.missed = 0

    def prepare(self, lengths: Iterable[int]) -> None:
        """Hash now what will be asked for."""
        state, done = _md5(), 0
        for length in sorted(set(lengths)):
            _feed(state, done, length)
            done = length
            self._known[length] = state.hexdigest()

    def of(self, length: int) -> str:
        """The MD5 in hex of so many bytes."""
        if length not in self._known:
            self.missed += 1
            self.prepare([length])
        return self._known[length]


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def _feed(state: Any, start: int, end: int) -> None:
    """Take the image's bytes from `start` up to `end`."""
    while start < end:
        offset = start % PERIOD
        count = min(end - start, PERIOD - offset)
        state.update(memoryview(period())[offset : offset + count])
        start += count
