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

"""The threads that hash the blocks of an image.

Each pass over the bytes has one. If the accelerator makes all digests in one
pass, SHA-512 gets a thread of its own while that pass falls behind.
"""

from collections.abc import Iterator
from concurrent import futures
import contextlib
import os
import queue
import threading
from typing import Any

from glance_store_bufswift import accelerator
from glance_store_bufswift import hashes
from glance_store_bufswift import workers

#: Blocks, of at most 1 MiB, that a digest may be behind: a bound on memory.
#: Several passes share two cores evenly only if each may be ahead of the
#: others for a while; one pass by itself needs less.
MAX_BLOCKS_BEHIND = 8
MAX_BLOCKS_BEHIND_ONE_PASS = 4

#: Blocks that wait when one pass is too slow for the source.
BLOCKS_TOO_MANY = MAX_BLOCKS_BEHIND_ONE_PASS // 2

#: Cores that an upload in two passes keeps busy: one each, and one for the
#: rest, which reads, writes the buffer files and sends.
CORES_FOR_TWO_PASSES = 3

#: Name of the threads.
NAME = 'bufswift-digest'


class HashThread:
    """A digest and the thread that feeds it, from its first block on.

    If no thread can be started, the caller's own feeds it.

    :param most_behind: blocks that wait for it at most
    """

    def __init__(
        self, digest: hashes.Digest, most_behind: int = MAX_BLOCKS_BEHIND
    ) -> None:
        self._digest = digest
        self._most_behind = most_behind
        # Faster than one bounded Queue, whose locks are written in Python.
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._places: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(self._most_behind):
            self._places.put(None)
        self._error: BaseException | None = None
        self._begun = False
        self._thread: threading.Thread | None = None

    def put(self, block: bytes) -> None:
        """Hand a block over.

        :raises Exception: what the digest has raised
        """
        self.raise_error()
        self._hand_over(block)

    def _hand_over(self, item: Any) -> None:
        if not self._begun:
            self._begun = True
            self._thread = workers.start(self._run, NAME)
        if self._thread is None:
            self._take_unless_failed(item)
            return
        self._places.get()
        self._queue.put(item)

    def raise_error(self) -> None:
        """Raise what the digest has raised."""
        if self._error is not None:
            raise self._error

    def wait(self) -> None:
        """Return when all blocks are taken.

        :raises Exception: what the digest has raised
        """
        for _ in range(self._most_behind):
            self._places.get()
        for _ in range(self._most_behind):
            self._places.put(None)
        self.raise_error()

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
            self._update(item)
        except BaseException as exc:
            self._error = exc

    def _update(self, block: bytes) -> None:
        self._digest.update(block)


class MD5Thread(HashThread):
    """An MD5 that can be asked for where a part of the stream ends."""

    def __init__(
        self, digest: accelerator.MD5, most_behind: int = MAX_BLOCKS_BEHIND
    ) -> None:
        self._md5 = digest
        super().__init__(digest, most_behind)

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


class OnePassThread(MD5Thread):
    """The MD5s and SHA-512: in one pass, or in two while blocks wait for it.

    One pass is a third less work. Two are done sooner, if there is a core for
    each.
    """

    def __init__(self, digest: accelerator.MD5AndSHA512) -> None:
        super().__init__(digest, MAX_BLOCKS_BEHIND_ONE_PASS)
        self._all = digest
        self._sha512 = HashThread(_SHA512(digest), MAX_BLOCKS_BEHIND_ONE_PASS)

    def raise_error(self) -> None:
        """Raise what a digest has raised."""
        super().raise_error()
        self._sha512.raise_error()

    def close(self) -> None:
        """Take what is left and end the threads."""
        super().close()
        self._sha512.close()

    def _update(self, block: bytes) -> None:
        behind = self._queue.qsize() >= BLOCKS_TOO_MANY
        with _UPLOADS.hashing():
            if behind and _UPLOADS.have_cores_for_two_passes():
                self._sha512.put(block)
                self._all.update_md5s(block)
            else:
                self._sha512.wait()
                self._all.update(block)


class _SHA512:
    """The SHA-512 of what makes the MD5s too."""

    def __init__(self, both: accelerator.MD5AndSHA512) -> None:
        self.update = both.update_sha512


class _Uploads:
    """How many uploads of this process hash a block now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    @contextlib.contextmanager
    def hashing(self) -> Iterator[None]:
        """While a block is hashed."""
        with self._lock:
            self._count += 1
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1

    def have_cores_for_two_passes(self) -> bool:
        """Whether each of them could have as many as it can keep busy."""
        return cores() >= CORES_FOR_TWO_PASSES * self._count


_UPLOADS = _Uploads()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))
