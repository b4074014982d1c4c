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

"""Connections that another thread can break off.

They send a body without copying it, and stop when its answer comes.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import socket
import ssl
import threading
from typing import Any
import weakref

import urllib3
import urllib3.connection

#: Bytes handed to a TLS socket at a time: it has to send them all within its
#: timeout, while a plain socket takes what it can.
TLS_BLOCK = 128 << 10


class Sockets:
    """The connections to an account, to be broken off from outside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()
        self._broken = False

    def add(self, connection: Any) -> None:
        """Watch a connection that has just been made."""
        with self._lock:
            self._open.add(connection)
            if self._broken:
                _shut_down(connection)

    def break_off(self) -> None:
        """End what is being sent or awaited on any connection, for good."""
        with self._lock:
            self._broken = True
            for connection in self._open:
                _shut_down(connection)


def _shut_down(connection: Any) -> None:
    sock = connection.sock
    if sock is None:  # closed, and about to be opened again or dropped
        return
    # Nothing here may keep an upload from ending with its own error.
    with contextlib.suppress(Exception):
        if isinstance(sock, ssl.SSLSocket):
            # Not SSLSocket.shutdown(), which drops the TLS state that another
            # thread is using.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        else:
            sock.shutdown(socket.SHUT_RDWR)


class _Watched:
    """A connection that sends large blocks and registers with Sockets.

    It stops sending a body once the answer is there, or the other end is
    gone: nginx 1.22 and HAProxy 2.6 pass on a 401 or their own 413 before the
    body has come, and then read no more or for some seconds only
    (lingering_timeout of nginx).

    :param block: bytes read of a body at a time, if its length is known
    """

    def __init__(
        self, sockets: Sockets, block: int, *args: Any, **kwargs: Any
    ) -> None:
        kwargs['blocksize'] = block
        super().__init__(*args, **kwargs)
        self._sockets = sockets
        self._in_body = False
        self._cut = False

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._sockets.add(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request."""
        self._begin()
        if kwargs.get('chunked'):
            kwargs['body'] = self._send_chunks(kwargs['body'])
        super().request(*args, **kwargs)  # type: ignore[misc]

    def request_chunked(self, *args: Any, **kwargs: Any) -> None:
        """Called by urllib3 1.26 for a body of unknown length."""
        self._begin()
        kwargs['body'] = self._send_chunks(kwargs['body'])
        super().request_chunked(*args, **kwargs)  # type: ignore[misc]

    def _begin(self) -> None:
        """Don't send after half of another request.

        nginx answers "keep-alive" even if it did not get the whole body.
        """
        if self._cut:
            self.close()  # type: ignore[attr-defined]
        self._in_body = self._cut = False

    def _send_chunks(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Send a body in chunks here, and give none to urllib3.

        urllib3 asks for them once the head is sent, and would copy each to
        put its length before it.
        """
        for block in blocks:
            if block:
                self._send_body(b'%x\r\n' % len(block), block, b'\r\n')
        yield from ()

    def send(self, data: Any) -> None:
        """Send a part of a request, its head first."""
        if self._in_body:
            self._send_body(data)
        else:
            super().send(data)  # type: ignore[misc]
            self._in_body = True

    def _send_body(self, *parts: bytes) -> None:
        """Send, or raise BrokenPipeError to have urllib3 read the answer.

        Linux returns what came before a reset, but urllib3 1.26 reads it only
        after this error.
        """
        if self._answered():
            self._cut = True
            raise BrokenPipeError('The answer came before the whole request')
        try:
            self._write(*parts)
        except (ConnectionError, ssl.SSLEOFError) as exc:
            self._cut = True
            raise BrokenPipeError(str(exc)) from exc

    def _answered(self) -> bool:
        """Whether an answer is there; always False over TLS."""
        return False

    def _write(self, *parts: bytes) -> None:
        """Send these bytes; each step on the socket has its timeout."""
        raise NotImplementedError


class HTTP(_Watched, urllib3.connection.HTTPConnection):
    """A plain connection."""

    def _answered(self) -> bool:
        return urllib3.util.wait_for_read(self.sock, timeout=0) and (
            _is_final(self.sock.recv(1 << 12, socket.MSG_PEEK))
        )

    def _write(self, *parts: bytes) -> None:
        sent = self.sock.sendmsg(parts)
        for part in parts:
            rest = memoryview(part)[sent:]
            sent = max(0, sent - len(part))
            while rest:
                rest = rest[self.sock.send(rest) :]


class HTTPS(_Watched, urllib3.connection.HTTPSConnection):
    """A connection over TLS."""

    def _write(self, *parts: bytes) -> None:
        for part in parts:
            rest = memoryview(part)
            while rest:
                rest = rest[self.sock.send(rest[:TLS_BLOCK]) :]


def _is_final(come: bytes) -> bool:
    """Whether this begins an answer, or the other end is gone.

    "100 Continue" was not asked for, but HAProxy 2.6 passes it on.
    """
    if not come:
        return True
    while come.startswith((b'HTTP/1.1 1', b'HTTP/1.0 1')):
        come = come.partition(b'\r\n\r\n')[2]
    return len(come) >= len(b'HTTP/1.1 1')
