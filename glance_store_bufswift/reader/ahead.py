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

"""An image's pieces in their order, some of them fetched ahead."""

import collections
from collections.abc import Iterable
import dataclasses
import threading

from glance_store_bufswift.reader import direct
from glance_store_bufswift.reader import fetch
from glance_store_bufswift.reader import memory
from glance_store_bufswift.reader import parts
from glance_store_bufswift.reader import plan
from glance_store_bufswift.reader import proving
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import reading
from glance_store_bufswift import workers

#: The name of the threads that fetch.
THREAD_NAME = 'bufswift-get'


@dataclasses.dataclass(frozen=True)
class Bounds:
    """How far a download reads ahead.

    :ivar threads: connections at most
    :ivar most: bytes that all downloads of the process may hold
    """

    threads: int
    most: int

    @property
    def window(self) -> int:
        """Bytes that one download may hold."""
        return self.threads * parts.MAX_PIECE


class ImageReader:
    """Reads an image; used by one thread at a time.

    That thread reads over one connection. Other threads fetch the pieces to
    come, unless several connections would not be faster, the caller takes less
    than one gives, or there is no memory or thread for them. They hold no
    reference to this object: dropping it ends them.

    :param account: for this download alone; cancelled by close()
    :param stretches: what is read of each part, in order
    :param opened: open already at the first of them; read to its end if there
        are none
    """

    def __init__(
        self,
        account: accounts.Account,
        bounds: Bounds,
        stretches: Iterable[parts.Range],
        opened: reading.ObjectReader | None = None,
    ) -> None:
        self._account = account
        self._bounds = bounds
        self._prover = proving.Prover(account)
        self._plan = plan.ReadPlan(stretches)
        self._direct = direct.DirectReader(self._prover, self._plan, opened)
        self._fetches: collections.deque[fetch.Fetch] = collections.deque()
        self._workers = workers.Workers(bounds.threads, THREAD_NAME)
        self._buffers = memory.DownloadBuffers(bounds.window, bounds.most)
        # Whether to fetch ahead now, and whether there are threads for it.
        self._wide = False
        self._alone = bounds.threads == 1
        # Bytes that were there before they were asked for, in a row.
        self._unwaited = 0

    def open(self) -> None:
        """Ask for the first bytes, or fail at once.

        :raises RequestFailed: they can't be read
        """
        if not self._direct.reads:
            self._direct.begin(self._plan)

    def read(self) -> bytes:
        """The next bytes; b'' at the image's end.

        :raises RequestFailed: they can't be read
        """
        while True:
            if self._wide:
                self._begin()
            if self._direct.reads:
                block = self._direct.read()
                if self._direct.slow and not self._alone:
                    self._wide = True
                    self._begin()
            elif self._fetches:
                self._direct.close()  # the fetches have what comes next
                block = self._take()
            elif self._plan.first is not None:
                self._direct.begin(self._plan)
                continue
            else:
                self._direct.close()
                return b''
            if block:
                return block

    def close(self) -> None:
        """End the threads and connections, and give the memory back."""
        self._plan = plan.ReadPlan(())
        self._direct.close()
        if not all(each.done for each in self._fetches):
            self._account.client.cancel()
        # The garbage collector can call this on a thread that fetches.
        self._workers.close(
            wait=threading.current_thread().name != THREAD_NAME
        )
        while self._fetches:
            self._buffers.give_back(self._fetches.popleft().buffer)
        self._buffers.shrink()

    def _take(self) -> bytes:
        """A block of the first piece; b'' at its end."""
        first = self._fetches[0]
        self._unwaited = 0 if first.waits else self._unwaited
        block = first.take()
        self._unwaited += len(block)
        if not block:
            self._fetches.popleft()
            self._buffers.give_back(first.buffer)
            if not self._wide:
                self._buffers.shrink()
        elif self._unwaited > self._bounds.window:
            # A caller that takes less than Swift gives needs only one
            # connection; other downloads can use the memory.
            self._wide, self._unwaited = False, 0
            self._direct.measure_anew()
        return block

    def _begin(self) -> None:
        """Fetch the next pieces, as far as there is room."""
        while self._wide and self._may_begin():
            piece = self._plan.first
            buffer = self._buffers.take(piece.size) if piece else None
            if piece is None or buffer is None:
                return
            begun = fetch.Fetch(self._prover, piece, buffer)
            self._workers.submit(begun.run)
            self._fetches.append(begun)
            if self._workers.threadless:
                self._stay_alone()
            else:
                self._plan.drop()

    def _stay_alone(self) -> None:
        """Read on this thread alone, since no other can be started."""
        self._alone, self._wide = True, False
        self._workers.close()
        self._buffers.give_back(self._fetches.pop().buffer)
        self._buffers.shrink()

    def _may_begin(self) -> bool:
        limit = self._account.client.connection_limit(self._bounds.threads)
        # Begin some more, to start as soon as a connection becomes free.
        waiting = limit if limit == self._bounds.threads else 0
        busy = sum(not each.done for each in self._fetches)
        return busy + self._direct.reads < limit + waiting
