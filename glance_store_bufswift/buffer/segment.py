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

"""One segment on its way: written by one thread, read by another.

The write side belongs to the upload; the read side is the file-like object
that swiftclient sends. Bytes go to a small window in memory and, once it is
full, to the segment's file as long as that takes them. The latest of them stay
in the window, so that a reader who keeps up needs no file. What is in the file
or in the window can be sent again.
"""

from collections.abc import Callable
from concurrent import futures
import io
import threading

from glance_store_bufswift.buffer import space
from glance_store_bufswift.buffer import window
from glance_store_bufswift import errors

#: Bytes in memory of a segment that is not buffered on disk. The source has
#: to wait while they are full of bytes that Swift has not taken yet.
UNBUFFERED_WINDOW = 4 << 20

#: Bytes in memory of a segment that has a file. Only what is longer uses it.
BUFFERED_WINDOW = UNBUFFERED_WINDOW


def _close(file: space.BufferFile) -> None:
    file.close()


def _same(file: space.BufferFile) -> space.BufferFile:
    return file


class SegmentBody:
    """The body of a PUT: a bounded queue of bytes that can be rewound.

    :param file: the file that buffers it, None for none
    :param give_back: takes the file at the end
    :param when_sent: called each time that all of it was read
    :param exchange: called before the file is used, gives the one to use
    """

    def __init__(
        self,
        file: space.BufferFile | None = None,
        give_back: Callable[[space.BufferFile], object] = _close,
        when_sent: Callable[[], object] = lambda: None,
        exchange: Callable[[space.BufferFile], space.BufferFile] = _same,
    ) -> None:
        self._file = file
        self._exchange = exchange
        self._give_back = give_back
        self._when_sent = when_sent
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._finished = False
        self._md5: futures.Future[str] | None = None
        self._feed: Callable[[], object] | None = None
        self._position = 0
        self._window = window.Window()
        #: Bytes in the file: none, all, or those before the disk failed.
        self.on_disk = 0
        #: Why the file takes no more bytes, None if it does.
        self.disk_error: OSError | None = None

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._window.end

    @property
    def buffered(self) -> bool:
        """Whether all that was and will be written can be sent again."""
        return self._file is not None and self.disk_error is None

    @property
    def buffered_size(self) -> int:
        """Bytes from the start that can be sent again until it is closed."""
        return self.size if self.buffered else self.on_disk

    @property
    def finished(self) -> bool:
        """Whether ``size`` is final."""
        return self._finished

    @property
    def sent(self) -> bool:
        """Whether all of it was read; seek() makes that untrue again."""
        return self._finished and self._position >= self.size

    # The write side

    def write(self, block: bytes) -> None:
        """Append a block, waiting while the window is full.

        :raises Aborted: the segment was aborted
        """
        self._raise_error()
        on_disk = self.on_disk
        if self._file is not None and self._needs_file(len(block)):
            on_disk = self._write_to(self._file, block)
        with self._changed:
            self.on_disk = on_disk
            if not self.buffered:
                self._wait_for_window(len(block))
            self._window.append(block)
            self._drop_what_is_on_disk()
            self._changed.notify_all()

    def finish(self, md5: 'futures.Future[str]') -> None:
        """End the segment: no more bytes will come.

        :param md5: gives the MD5 in hex of all that was written
        """
        with self._changed:
            self._md5 = md5
            self._finished = True
            self._changed.notify_all()
        if self.sent:
            self._when_sent()

    def feed_from(self, feed: Callable[[], object]) -> None:
        """Have the read side write what it needs, instead of waiting for it.

        :param feed: writes a block, or finishes the segment; for writing and
            reading on one thread
        """
        self._feed = feed

    def abort(self, error: BaseException) -> None:
        """Make both sides raise from now on; the first error is kept."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def close(self) -> None:
        """Give the file back. Neither side may still be in use."""
        self.abort(errors.Aborted('The segment is closed'))
        with self._changed:
            self._window.clear()
            file, self._file = self._file, None
        if file is not None:
            self._give_back(file)

    def _needs_file(self, size: int) -> bool:
        """Whether ``size`` bytes more have to go to the file."""
        return self.disk_error is None and (
            self.on_disk > 0 or self.size + size > BUFFERED_WINDOW
        )

    def _write_to(self, file: space.BufferFile, block: bytes) -> int:
        """Write a block, and before it what is in memory alone.

        If the disk fails the segment goes on in memory; what is in the file is
        still sent from it.

        :returns: bytes in the file
        """
        if not self.on_disk:
            self._file = file = self._exchange(file)
        on_disk = self.on_disk
        try:
            for each in (*self._window.after(on_disk), block):
                file.write(each, on_disk)
                on_disk += len(each)
        except OSError as exc:
            with self._changed:
                self.disk_error = exc
            file.truncate(on_disk)
        return on_disk

    def _wait_for_window(self, size: int) -> None:
        """Wait until the window takes ``size`` bytes more.

        Bytes that were sent stay until their room is needed: a request that
        breaks early can still be retried.
        """
        while self._window and len(self._window) + size > UNBUFFERED_WINDOW:
            self._raise_error()
            if self._window.end_of_first <= max(self._position, self.on_disk):
                self._window.drop()
            else:
                self._changed.wait()
        self._raise_error()

    def _drop_what_is_on_disk(self) -> None:
        while (
            len(self._window) > BUFFERED_WINDOW
            and self._window.end_of_first <= self.on_disk
        ):
            self._window.drop()

    # The read side

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, as soon as there are any; b'' at the end.

        :raises Aborted: the upload has failed elsewhere
        :raises BufferFailed: the disk does not return the bytes
        """
        self._wait_until(lambda: self._position < self.size)
        with self._changed:
            self._raise_error()
            if self._position >= self.size:
                return b''
            position, on_disk = self._position, self.on_disk
            in_memory = position >= self._window.start
            if in_memory:
                block = self._window.read(position, size)
        if not in_memory:
            count = on_disk - position
            assert self._file is not None  # noqa: S101  # on_disk > 0
            block = self._file.read(
                count if size < 0 else min(size, count), position
            )
        with self._changed:
            self._position = position + len(block)
            self._changed.notify_all()
        if self.sent:
            self._when_sent()
        return block

    def tell(self) -> int:
        """The position of the next byte to read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position back, to send the segment again.

        A segment with a file is first buffered to its end: its source may
        be slower than Swift is willing to wait.

        :raises NotRewindable: the bytes are not held any more
        :raises Aborted: the upload has failed elsewhere
        """
        if whence != io.SEEK_SET:
            raise ValueError('A segment is positioned from its start')
        with self._changed:
            self._raise_error()
            if self._window.start > self.on_disk:
                raise errors.NotRewindable(self._why_lost())
            # Before the wait, so that the window keeps what is sent again.
            self._position = offset
            self._changed.notify_all()
        self._wait_until(lambda: not self.buffered)
        self._raise_error()
        return offset

    def md5(self) -> str:
        """The MD5 in hex of the whole segment, waiting for its end.

        :raises Aborted: the upload has failed elsewhere
        """
        self._wait_until_ended()
        if self._md5 is None:
            self._raise_error()
        assert self._md5 is not None  # noqa: S101  # or it has raised
        return self._md5.result()

    def _wait_until_ended(self) -> None:
        self._wait_until(lambda: False)

    def _wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until the write side is ready, has ended, or has failed."""
        while True:
            with self._changed:
                if ready() or self._finished or self._error:
                    return
                if self._feed is None:
                    self._changed.wait()
                    continue
            # Without the lock: the source may take its time, and an abort
            # does not wait for it.
            self._feed()

    def _why_lost(self) -> str:
        if self.disk_error is not None:
            return f'the buffer gave out: {self.disk_error}'
        return 'it is not buffered'

    def _raise_error(self) -> None:
        if self._error is not None:
            raise errors.Aborted(str(self._error)) from self._error
