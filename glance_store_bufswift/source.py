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

"""One pass over the stream that Glance hands to add()."""

import time
from typing import Any
from typing import Protocol

from glance_store_bufswift import errors
from glance_store_bufswift import stopwatch
from glance_store_bufswift import units

#: Seconds for which short reads are gathered into one block. Short enough that
#: a source that trickles does not meet Swift's client_timeout.
GATHER_SECONDS = 0.25


class Readable(Protocol):
    """What Glance gives us: no seek, no tell, no length."""

    def read(self, size: int, /) -> Any:
        """Some bytes, b'' at the end; maybe fewer or more than asked."""


class Source:
    """Reads a stream once, in order, and checks its declared size.

    The last byte of the declared size is not given out before the stream
    has been asked for more: an image of another size than declared, or one
    whose source fails after its last byte, is never sent to its end.

    :param stream: read in the caller's thread only
    :param declared: bytes in the image; 0 = unknown
    :param watch: counts the waits for the stream
    :ivar size: bytes read so far; those of the image once it has ended
    :ivar ended: whether the stream has come to its end
    """

    def __init__(
        self, stream: Readable, declared: int, watch: stopwatch.Stopwatch
    ) -> None:
        self._stream = stream
        self._declared = declared
        self._watch = watch
        self._ahead = b''
        self.size = 0
        self.ended = False

    def peek(self) -> bytes:
        """The next block without taking it; b'' if there is none.

        :raises SourceFailed: the stream raised
        :raises WrongSize: the stream is longer or shorter than declared
        """
        if not self._ahead and not self.ended:
            with self._watch.share(stopwatch.SOURCE):
                self._ahead = self._gather()
                self._check()
        return self._ahead

    def read(self, limit: int) -> bytes:
        """At most ``limit`` bytes, b'' at the end; raises as peek() does."""
        block = self.peek()
        if len(block) > limit:
            # Bytes past a segment's end start the next one.
            self._ahead = block[limit:]
            return block[:limit]
        self._ahead = b''
        return block

    def _gather(self) -> bytes:
        block = self._read(units.BLOCK)
        if not block or len(block) >= units.BLOCK:
            return block
        blocks, size = [block], len(block)
        until = time.monotonic() + GATHER_SECONDS
        while (
            size < units.BLOCK
            and not self._complete
            and (time.monotonic() < until)
        ):
            block = self._read(units.BLOCK - size)
            if not block:
                break
            blocks.append(block)
            size += len(block)
        return b''.join(blocks)

    @property
    def _complete(self) -> bool:
        return bool(self._declared) and self.size >= self._declared

    def _read(self, size: int) -> bytes:
        try:
            block = _as_bytes(self._stream.read(size))
        except Exception as exc:
            raise errors.SourceFailed(exc) from exc
        self.size += len(block)
        self.ended = self.ended or not block
        return block

    def _check(self) -> None:
        if not self._declared:
            return
        if self.size == self._declared and not self.ended:
            self._read(1)
        if self.size > self._declared:
            raise errors.WrongSize(
                f'The image is longer than the {self._declared} bytes '
                'declared for it'
            )
        if self.ended and self.size < self._declared:
            raise errors.WrongSize(
                f'The image ended after {self.size} of the {self._declared} '
                'bytes declared for it'
            )


def _as_bytes(block: Any) -> bytes:
    """What a stream gave, as bytes of our own.

    A stream that has nothing yet may give None, which is a TypeError here.
    """
    return block if isinstance(block, bytes) else bytes(memoryview(block))
