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

"""Non-blocking sockets of a fault proxy, and waiting for them."""

from collections.abc import Sequence
import select
import socket
import struct
import threading
import time
import types

# Bytes moved at once: large enough that Python's share does not count.
SIZE = 1 << 18

_CONNECT_TIMEOUT = 30.0


class Pace:
    """Bytes a second, made up of moments from which more may be read."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self.ready = 0.0
        # Some 50 pieces a second keep the flow even.
        self.limit = SIZE if rate is None else min(SIZE, int(rate / 50) + 1)

    def spend(self, count: int) -> None:
        """Say that so many bytes were read."""
        if self._rate is not None:
            # Oversleeping is made good, but idle time is not saved up.
            start = max(self.ready, time.monotonic() - 0.1)
            self.ready = start + count / self._rate


class Channel:
    """One side of a relay: a socket, and the bytes that wait for it.

    Only its own thread uses it, but for abort().
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._buffer = memoryview(bytearray(SIZE))
        self._lock = threading.Lock()
        self._aborted = threading.Event()
        self.pending = memoryview(b'')
        self.spare = b''  # received, but of the next message

    def __enter__(self) -> 'Channel':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self.close()

    def fileno(self) -> int:
        """The socket's file descriptor."""
        return self._sock.fileno()

    @property
    def aborted(self) -> bool:
        """Whether abort() was called."""
        return self._aborted.is_set()

    def receive(self, limit: int = SIZE) -> memoryview:
        """Return what is there; nothing means that the other side is gone.

        The bytes are valid until the next call.
        """
        try:
            count = self._sock.recv_into(self._buffer[:limit])
        except OSError:
            count = 0
        return self._buffer[:count]

    def queue(self, data: bytes | memoryview) -> None:
        """Append to what waits to be sent."""
        if self.pending:
            data = bytes(self.pending) + data
        self.pending = memoryview(data)

    def flush(self) -> None:
        """Send what the socket takes now."""
        try:
            while self.pending:
                self.pending = self.pending[self._sock.send(self.pending) :]
        except BlockingIOError:
            pass

    def flush_all(self) -> None:
        """Send all of it."""
        self.flush()
        while self.pending:
            wait([], [self])
            self.flush()

    def drop(self) -> None:
        """Forget what waits to be sent."""
        self.pending = memoryview(b'')

    def pause(self, seconds: float) -> None:
        """Wait so long, or until abort()."""
        if seconds:
            self._aborted.wait(seconds)

    def wait_closed(self) -> None:
        """Wait until the other side has closed, without reading."""
        poller = select.poll()
        poller.register(self._sock, select.POLLRDHUP)
        poller.poll()

    def end_output(self) -> None:
        """Let the other side see the end, but go on receiving."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it is gone already

    def abort(self) -> None:
        """Wake the channel's thread; all it does fails from now on."""
        with self._lock:
            self._aborted.set()
            try:
                self._sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # closed or reset already

    def reset(self) -> None:
        """Close with an RST."""
        linger = struct.pack('ii', 1, 0)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close()

    def close(self) -> None:
        """Close; never under abort(), as the number is soon another's."""
        with self._lock:
            self._sock.close()


def connect(address: tuple[str, int]) -> Channel:
    """Return a channel to a server."""
    return Channel(socket.create_connection(address, _CONNECT_TIMEOUT))


def wait(
    readers: Sequence[Channel],
    writers: Sequence[Channel],
    until: float | None = None,
) -> tuple[set[Channel], set[Channel]]:
    """Return which can be read and which written; none when it is `until`."""
    interest: dict[int, int] = {}
    for channels, event in (readers, select.POLLIN), (writers, select.POLLOUT):
        for side in channels:
            number = side.fileno()
            interest[number] = interest.get(number, 0) | event
    poller = select.poll()
    for number, events in interest.items():
        poller.register(number, events)
    delay = None
    if until is not None:
        delay = max(0.0, until - time.monotonic()) * 1000
    ready = dict(poller.poll(delay))
    # An error or a hang-up is for both: the next call on it tells.
    return (
        {
            side
            for side in readers
            if ready.get(side.fileno(), 0) & ~select.POLLOUT
        },
        {
            side
            for side in writers
            if ready.get(side.fileno(), 0) & ~select.POLLIN
        },
    )
