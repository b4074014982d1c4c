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

"""Reading pieces over one connection, on the thread that wants them."""

from glance_store_bufswift.reader import gauge
from glance_store_bufswift.reader import parts
from glance_store_bufswift.reader import plan
from glance_store_bufswift.reader import proving
from glance_store_bufswift.swift import opening
from glance_store_bufswift.swift import reading


class DirectReader:
    """One connection that gives piece after piece of an object.

    :param opened: open already, at the plan's first piece; to be read to its
        end if there is none; None if nothing is open
    """

    def __init__(
        self,
        prover: proving.Prover,
        left: plan.ReadPlan,
        opened: reading.ObjectReader | None,
    ) -> None:
        self._prover = prover
        self._opened = opened
        # How many of its bytes are wanted so far, and the part and place where
        # they end.
        self._left = 0
        self._end: tuple[parts.Part, int] | None = None
        if opened is not None and left.first is not None:
            self._end = left.first.part, left.first.offset
        elif opened is not None:
            self._left = opened.left or 0
        self._gauge = gauge.Gauge()
        #: Whether the last bytes came so slowly that more connections would
        #: help.
        self.slow = False

    @property
    def reads(self) -> bool:
        """Whether the piece that was begun has bytes to come."""
        return self._left > 0

    def begin(self, left: plan.ReadPlan) -> None:
        """Take the next piece off a plan, and read it.

        The open connection goes on if the piece follows there.

        :raises RequestFailed: it can't be read
        """
        piece, stretch = left.first, left.stretch
        if piece is None or stretch is None:
            return
        if self._opened is None or self._end != (piece.part, piece.offset):
            self.close()
            self._gauge.begin()
            self._opened = self._prover.open(stretch)
            self._gauge.end(0)
        self._left, self._end = piece.size, (piece.part, piece.end)
        left.drop()

    def read(self) -> bytes:
        """The next bytes of the piece; b'' at its end."""
        if self._opened is None:
            return b''
        self._gauge.begin()
        block = self._opened.read(min(opening.READ_BLOCK, self._left))
        self.slow = self._gauge.end(len(block))
        self._left -= len(block)
        return block

    def measure_anew(self) -> None:
        """Start measuring anew whether it is slow."""
        self._gauge, self.slow = gauge.Gauge(), False

    def close(self) -> None:
        """Close the connection if there are bytes to come over it."""
        if self._opened is not None and self._opened.left:
            self._opened.close()
        self._opened, self._left = None, 0
