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

"""Checksum, multihash, verifier and the segments' MD5s, side by side.

hashlib releases the interpreter's lock for large blocks. So every digest has a
thread of its own, and the slowest one sets the pace, not their sum. A
digest that gets no thread is fed on the caller's.
"""

from concurrent import futures
import queue
import threading
from typing import Any

from glance_store_bufswift import accelerator
from glance_store_bufswift import hashes
from glance_store_bufswift import workers

#: Blocks, of at most 1 MiB, that a digest may be behind: a bound on memory.
MAX_BLOCKS_BEHIND = 4


class Digests:
    """All digests of one image, fed once with each byte.

    :param hashing_algo: hashlib's name of the multihash
    :param verifier: Glance's signature verifier, None for none
    :raises ConfigError: there is no such multihash
    """

    def __init__(
        self, hashing_algo: str, verifier: hashes.Digest | None = None
    ) -> None:
        made = hashes.new(hashing_algo)
        self._checksum = _MD5Thread(made.image)
        self._segments = (
            self._checksum
            if made.segments is made.image
            else _MD5Thread(made.segments)
        )
        self._multihash = made.multihash
        self._in_first_segment = True
        self._threads = [self._checksum, *map(_HashThread, made.others)]
        if verifier is not None:
            self._threads.append(_HashThread(verifier))

    def update(self, block: bytes) -> None:
        """Hand a block to all digests, waiting for the slowest to keep up.

        :raises Exception: what the verifier raised
        """
        for thread in self._threads:
            thread.put(block)

    def end_segment(self) -> 'futures.Future[str]':
        """The MD5 in hex of what came since the last segment's end.

        Up to the first segment's end that is the checksum so far: an image
        of one object is hashed by MD5 only once.
        """
        if not self._in_first_segment:
            return self._segments.mark()
        self._in_first_segment = False
        if self._segments is not self._checksum:
            self._threads.append(self._segments)
        return self._checksum.mark()

    def finish(self) -> tuple[str, str]:
        """Wait for all digests; gives checksum and multihash in hex."""
        self.close()
        for thread in self._threads:
            thread.raise_error()
        return self._checksum.hexdigest(), self._multihash()

    def close(self) -> None:
        """End the threads, once they have taken all blocks."""
        for thread in self._threads:
            thread.close()


class _HashThread:
    """A digest and the thread that feeds it, from its first block on."""

    def __init__(self, digest: hashes.Digest) -> None:
        self._digest = digest
        # Faster than one bounded Queue, whose locks are written in Python.
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._places: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(MAX_BLOCKS_BEHIND):
            self._places.put(None)
        self._error: BaseException | None = None
        self._begun = False
        self._thread: threading.Thread | None = None

    def put(self, block: bytes) -> None:
        """Hand a block over, or raise what the digest has raised."""
        self.raise_error()
        self._hand_over(block)

    def _hand_over(self, item: Any) -> None:
        if not self._begun:
            self._begun = True
            self._thread = workers.start(self._run, hashes.THREAD)
        if self._thread is None:
            self._take_unless_failed(item)
            return
        self._places.get()
        self._queue.put(item)

    def raise_error(self) -> None:
        """Raise what the digest has raised."""
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Take what is left and end the thread."""
        if self._thread is not None and self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            self._take_unless_failed(item)
            self._places.put(None)

    def _take_unless_failed(self, item: Any) -> None:
        if self._error is None:
            self._take(item)

    def _take(self, item: Any) -> None:
        try:
            self._digest.update(item)
        except BaseException as exc:
            self._error = exc


class _MD5Thread(_HashThread):
    """An MD5 that can be asked for where a part of the stream ends."""

    def __init__(self, digest: accelerator.MD5) -> None:
        self._md5 = digest
        super().__init__(digest)

    def mark(self) -> 'futures.Future[str]':
        """The MD5 in hex of the part that ends here."""
        result: futures.Future[str] = futures.Future()
        self._hand_over(result)
        return result

    def hexdigest(self) -> str:
        """The MD5 in hex of all blocks, after close()."""
        return self._md5.hexdigest()

    def _take(self, item: Any) -> None:
        if isinstance(item, futures.Future):
            item.set_result(self._md5.end_part())
        else:
            super()._take(item)
