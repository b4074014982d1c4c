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

"""A server that does on the wire just what a test tells it."""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
import hashlib
import select
import socket
import ssl
import struct
import threading

import fixtures

#: Seconds after which a server that hangs gives up, and fails its test.
GENEROUS = 30

NONE: Mapping[str, str | None] = {}

#: What a server does with a request.
Action = Callable[['Request'], None]


@dataclasses.dataclass
class Request:
    """A request as far as it was read, and the socket it came on."""

    peer: socket.socket
    connection: int
    method: str
    path: str
    headers: dict[str, str]
    ahead: bytes = b''
    body: bytes = b''
    chunks: list[int] = dataclasses.field(default_factory=list)

    def receive(self, size: int) -> bytes:
        """Exactly ``size`` bytes of the body; raises EOFError at the end."""
        while len(self.ahead) < size:
            block = self.peer.recv(1 << 16)
            if not block:
                raise EOFError
            self.ahead += block
        block, self.ahead = self.ahead[:size], self.ahead[size:]
        return block

    def read_body(self) -> None:
        """The whole body, be its length announced or not."""
        if 'content-length' in self.headers:
            self.body = self.receive(int(self.headers['content-length']))
            return
        if 'transfer-encoding' not in self.headers:
            return
        while size := int(self._line(), 16):
            self.chunks.append(size)
            self.body += self.receive(size)
            self.receive(2)
        self.receive(2)

    def send(
        self,
        status: int,
        headers: Mapping[str, str | None] = NONE,
        body: bytes = b'',
    ) -> None:
        """An answer; its length is told unless the headers do.

        A header of None is left out.
        """
        headers = {'Content-Length': str(len(body)), **headers}
        lines = [f'HTTP/1.1 {status} Told']
        lines += [
            f'{name}: {value}'
            for name, value in headers.items()
            if value is not None
        ]
        self.peer.sendall('\r\n'.join([*lines, '', '']).encode() + body)

    def wait_for_hang_up(self) -> None:
        """Only for a body that was read: an unread one is in the way."""
        poll = select.poll()
        poll.register(self.peer, select.POLLRDHUP)
        if not poll.poll(GENEROUS * 1000):
            raise AssertionError('The client does not hang up')
        self.hang_up()

    def hang_up(self, reset: bool = False) -> None:
        """Close the socket; with a RST if it has unread bytes or is told."""
        if reset:
            self.peer.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)
            )
        self.peer.close()

    def _line(self) -> bytes:
        line = b''
        while not line.endswith(b'\r\n'):
            line += self.receive(1)
        return line


class Server(fixtures.Fixture):
    """Listens, and answers request for request with the next action.

    A request for which there is no action any more fails the test.

    :param actions: may be added to
    :param tls: speak TLS, None for plain HTTP
    """

    def __init__(
        self, *actions: Action, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__()
        self.actions = list(actions)
        self.requests: list[Request] = []
        #: How many connections were made, and how many ended, by whomever.
        self.made = self.ended = 0
        self.refused: list[ssl.SSLError] = []
        self.error: BaseException | None = None
        self._tls = tls
        self._stopped = False

    def _setUp(self) -> None:
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.addCleanup(self.stop)

    @property
    def url(self) -> str:
        """An account's URL."""
        scheme = 'https' if self._tls else 'http'
        return f'{scheme}://127.0.0.1:{self.port}/v1/AUTH_test'

    def stop(self) -> None:
        """Wait for the end of all connections; raises what went wrong."""
        if self._stopped:
            return
        self._stopped = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(GENEROUS)
        self._listener.close()
        if self._thread.is_alive():
            raise AssertionError('A connection was left open')
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.made += 1
            peer.settimeout(GENEROUS)
            try:
                self._serve(peer)
            except ssl.SSLError as exc:
                self.refused.append(exc)
            except ConnectionError:
                pass  # the client hung up
            except BaseException as exc:
                self.error = self.error or exc
            finally:
                peer.close()
                self.ended += 1

    def _serve(self, peer: socket.socket) -> None:
        if self._tls is not None:
            peer = self._tls.wrap_socket(peer, server_side=True)
        with peer:
            while peer.fileno() >= 0:
                request = self._request(peer)
                if request is None:
                    return
                self.requests.append(request)
                if not self.actions:
                    raise AssertionError(
                        f'One request too many: {len(self.requests)}'
                    )
                self.actions.pop(0)(request)

    def _request(self, peer: socket.socket) -> Request | None:
        head = b''
        while b'\r\n\r\n' not in head:
            block = peer.recv(1 << 16)
            if not block:
                return None
            head += block
        head, _, ahead = head.partition(b'\r\n\r\n')
        first, *lines = head.decode().split('\r\n')
        method, path, _ = first.split(' ')
        headers = {
            name.lower(): value
            for name, value in (line.split(': ', 1) for line in lines)
        }
        return Request(peer, self.made, method, path, headers, ahead)


# What a server may do with a request


def store(request: Request) -> None:
    """Take the object, as Swift does."""
    request.read_body()
    md5 = hashlib.md5(request.body, usedforsecurity=False).hexdigest()
    request.send(201, {'ETag': md5, 'X-Trans-Id': 'tx-stored'})


def answer(status: int, **headers: str) -> Action:
    """Answer after the whole body has come; ``_`` stands for ``-``."""

    def act(request: Request) -> None:
        if request.method == 'PUT':
            request.read_body()
        request.send(
            status, {name.replace('_', '-'): headers[name] for name in headers}
        )

    return act


def give(body: bytes, status: int = 200, **headers: str) -> Action:
    """Answer with a body; ``_`` stands for ``-`` in the headers' names."""

    def act(request: Request) -> None:
        request.read_body()
        request.send(
            status,
            {name.replace('_', '-'): headers[name] for name in headers},
            body,
        )

    return act


def early(status: int, after: int, **headers: str) -> Action:
    """Answer after a part of the body and close, as load balancers do."""

    def act(request: Request) -> None:
        request.receive(after)
        request.send(
            status, {name.replace('_', '-'): headers[name] for name in headers}
        )
        request.hang_up()

    return act


def reset(after: int) -> Action:
    """Reset the connection after a part of the body."""

    def act(request: Request) -> None:
        request.receive(after)
        request.hang_up(reset=True)

    return act


def say(text: bytes) -> Action:
    """Answer with these very bytes, after the body, and close."""

    def act(request: Request) -> None:
        request.read_body()
        request.peer.sendall(text)
        request.hang_up()

    return act


class Stall:
    """Take nothing and say nothing until the test ends it."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.released = threading.Event()

    def __call__(self, request: Request) -> None:
        self.began.set()
        self.released.wait(GENEROUS)
        request.hang_up()


def stall_answer(request: Request) -> None:
    """Take the body and say nothing until the client hangs up."""
    request.read_body()
    request.wait_for_hang_up()
