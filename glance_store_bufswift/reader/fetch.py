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

"""A piece that another thread reads, handed on while it comes."""

import mmap
import queue

from glance_store_bufswift.reader import parts
from glance_store_bufswift.reader import proving


class Fetch:
    """One piece on its way; read whole, whether it is taken or not.

    So no connection waits for the caller until Swift takes it for dead.

    :param buffer: where the bytes are put
    """

    def __init__(
        self, prover: proving.Prover, piece: parts.Range, buffer: mmap.mmap
    ) -> None:
        self._prover = prover
        self._piece = piece
        # In C, so that the garbage collector can't meet it half done.
        self._lengths: queue.SimpleQueue[int | BaseException] = (
            queue.SimpleQueue()
        )
        self._at = 0
        self.buffer = buffer
        #: Whether the piece is read, or has failed.
        self.done = False

    def run(self) -> None:
        """Read the piece, on the thread that fetches."""
        try:
            opened = self._prover.open(self._piece)
            try:
                at = 0
                while block := opened.read():
                    self.buffer[at : at + len(block)] = block
                    at += len(block)
                    self._lengths.put(len(block))
            except BaseException:
                opened.close()
                raise
        except BaseException as exc:
            self._lengths.put(exc)
        finally:
            self.done = True

    @property
    def waits(self) -> bool:
        """Whether take() would have to wait now."""
        return self._at < self._piece.size and self._lengths.empty()

    def take(self) -> bytes:
        """The next block, waited for; b'' at the end."""
        if self._at == self._piece.size:
            return b''
        length = self._lengths.get()
        if isinstance(length, BaseException):
            raise length
        self._at += length
        return self.buffer[self._at - length : self._at]
