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

"""Checksum, multihash, verifier and the segments' MD5s, beside each other.

hashlib lets go of the interpreter's lock for large blocks, so every digest
has a thread of its own and the slowest one sets the pace, not their sum.
"""

from concurrent import futures
import hashlib
import queue
import threading
from typing import Any
from typing import Protocol

#: Blocks that a digest may be behind; with blocks of at most 1 MiB this
#: bounds the memory.
QUEUE = 8


class Digest(Protocol):
    """A hash or a signature verifier."""

    def update(self, block: bytes, /) -> Any:
        """Take a block."""


class Digests:
    """All digests of one image, fed once with each byte.

    :param hashing_algo: hashlib's name of the multihash
    :param verifier: Glance's signature verifier, None for none
    """

    def __init__(self, hashing_algo: str,
                 verifier: Digest | None = None) -> None:
        self._checksum = _md5()
        self._multihash = hashlib.new(hashing_algo, usedforsecurity=False)
        wholes: list[Digest] = [self._checksum, self._multihash]
        if verifier is not None:
            wholes.append(verifier)
        self._lanes = [_Lane(digest) for digest in wholes]
        self._segments = _SegmentLane()
        self._lanes.append(self._segments)

    def update(self, block: bytes) -> None:
        """Hand a block to all digests, waiting for the slowest to keep up.

        :raises Exception: what the verifier raised
        """
        for lane in self._lanes:
            lane.put(block)

    def end_segment(self) -> 'futures.Future[str]':
        """The MD5 in hex of what came since the last segment's end."""
        return self._segments.end()

    def finish(self) -> tuple[str, str]:
        """Wait for all digests; gives checksum and multihash in hex."""
        self.close()
        for lane in self._lanes:
            lane.raise_error()
        return self._checksum.hexdigest(), self._multihash.hexdigest()

    def close(self) -> None:
        """End the threads; what they have not taken yet is taken first."""
        for lane in self._lanes:
            lane.close()


class _Lane:
    """A digest and the thread that feeds it."""

    def __init__(self, digest: Digest) -> None:
        self._digest = digest
        self._queue: queue.Queue[Any] = queue.Queue(QUEUE)
        self._error: Exception | None = None
        self._thread = threading.Thread(
            target=self._run, name='bufswift-digest', daemon=True)
        self._thread.start()

    def put(self, block: bytes) -> None:
        self.raise_error()
        self._queue.put(block)

    def raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if self._error is None:
                self._take(item)

    def _take(self, block: Any) -> None:
        try:
            self._digest.update(block)
        except Exception as exc:
            self._error = exc


class _SegmentLane(_Lane):
    """The MD5 of each segment in turn."""

    def __init__(self) -> None:
        super().__init__(_md5())

    def end(self) -> 'futures.Future[str]':
        """Mark the end of a segment in the stream of blocks."""
        result: futures.Future[str] = futures.Future()
        self._queue.put(result)
        return result

    def _take(self, item: Any) -> None:
        if isinstance(item, futures.Future):
            item.set_result(self._digest.hexdigest())  # type: ignore[attr-defined]
            self._digest = _md5()
        else:
            super()._take(item)


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)
