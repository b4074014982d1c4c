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

"""One connection of the sink: requests, and bodies that are thrown away."""

import dataclasses
import http
import socket
import ssl
import time

from glance_store_bufswift.tests.programs.bench import pattern

#: Bytes taken from a connection at a time at most.
BUFFER = 1 << 20

#: Seconds of its rate that a connection may catch up on after a pause.
SLACK = 0.02


@dataclasses.dataclass(frozen=True)
class Request:
    """A request's head; names of headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def length(self) -> int | None:
        """Bytes in the body; None if it comes in chunks."""
        if self.headers.get('transfer-encoding', '').lower() == 'chunked':
            return None
        return int(self.headers.get('content-length', 0))


class Closed(Exception):
    """The client has closed the connection."""


def parse_head(head: bytes) -> Request:
    """Read a request's head, without its empty line."""
    first, *lines = head.decode('latin-1').split('\r\n')
    method, path, _ = first.split(' ', 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(':')
        headers[name.strip().lower()] = value.strip()
    return Request(method, path, headers)


def render(status: int, headers: dict[str, str], body: bytes) -> bytes:
    """An answer's bytes; the headers may tell a length of their own."""
    lines = [f'HTTP/1.1 {status} {http.HTTPStatus(status).phrase}']
    headers = {'Content-Length': str(len(body))} | headers
    lines += [f'{name}: {value}' for name, value in headers.items()]
    return '\r\n'.join([*lines, '', '']).encode('latin-1') + body


class Channel:
    """A connection from the server's side.

    Bodies are counted, not kept: on a plain socket the kernel drops them
    (MSG_TRUNC, tcp(7)) and they are never copied.

    :param sock: the connection
    :param rate: bytes per second that it takes at most; 0 = any
    """

    def __init__(self, sock: socket.socket, rate: float = 0) -> None:
        self._sock = sock
        self._rate = rate
        self._due = 0.0
        self._ahead = b''
        self._buffer = bytearray(min(BUFFER, 1 << 16 if rate else BUFFER))
        tls = isinstance(sock, ssl.SSLSocket)
        self._flags = 0 if tls else socket.MSG_TRUNC

    def head(self) -> Request:
        """The next request's head.

        :raises Closed: there is none
        """
        while b'\r\n\r\n' not in self._ahead:
            self._ahead += self._receive(1 << 14)
        head, _, self._ahead = self._ahead.partition(b'\r\n\r\n')
        return parse_head(head)

    def drain(self, request: Request) -> int:
        """Take a request's body; tells its length.

        :raises Closed: it was cut short
        """
        if request.length is not None:
            self._skip(request.length)
            return request.length
        total = 0
        while size := self._chunk_size():
            self._skip(size)
            total += size
            self._line()
        self._line()
        return total

    def send(self, data: bytes) -> None:
        """Send an answer."""
        self._sock.sendall(data)

    def give(self, offset: int, size: int) -> None:
        """Send bytes of the pattern, from its start or an offset there."""
        source = memoryview(pattern.stretch())
        step = len(self._buffer)
        while size:
            begin = offset % pattern.PERIOD
            count = min(size, step)
            self._sock.sendall(source[begin : begin + count])
            offset, size = offset + count, size - count
            if self._rate:
                self._wait(count)

    def _chunk_size(self) -> int:
        return int(self._line().split(b';')[0], 16)

    def _line(self) -> bytes:
        while b'\n' not in self._ahead:
            # Little, as the bytes behind a chunk's size are its data.
            self._ahead += self._receive(32)
        line, _, self._ahead = self._ahead.partition(b'\n')
        return line

    def _receive(self, size: int) -> bytes:
        data = self._sock.recv(size)
        if not data:
            raise Closed
        return data

    def _skip(self, count: int) -> None:
        taken = min(count, len(self._ahead))
        self._ahead = self._ahead[taken:]
        count -= taken
        while count:
            wanted = min(count, len(self._buffer))
            got = self._sock.recv_into(self._buffer, wanted, self._flags)
            if not got:
                raise Closed
            count -= got
            if self._rate:
                self._wait(got)

    def _wait(self, got: int) -> None:
        """Keep to the rate."""
        now = time.perf_counter()
        self._due = max(self._due, now - SLACK) + got / self._rate
        if self._due > now:
            time.sleep(self._due - now)
