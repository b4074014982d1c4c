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

"""A server that stores and gives images as Swift does, at little CPU time.

It runs as a process of its own: ``python -m ...bench.sink OPTIONS``, the
options as JSON; it prints its port and ends with its standard input.
"""

import contextlib
import dataclasses
import json
import random
import socket
import ssl
import sys
import threading
import time

from glance_store_bufswift.tests.programs.bench import bucket
from glance_store_bufswift.tests.programs.bench import channel
from glance_store_bufswift.tests.programs.bench import children
from glance_store_bufswift.tests.programs.bench import pattern

HOST = '127.0.0.1'

#: Segments before the limit counts (rate_limit_after_segment).
AT_ONCE = 10


@dataclasses.dataclass(frozen=True)
class Options:
    """How the sink behaves.

    :ivar rate: bytes per second that a connection takes or gives; 0 = any
    :ivar latency: seconds before each answer
    :ivar commit: seconds more before the answer to an object's PUT
    :ivar jitter: part by which these seconds vary to both sides
    :ivar limited: whether it gives one segment of a DLO a second after the
        first ten, as Swift does by default
    :ivar certificate: directory of cert.pem and key.pem, for TLS
    :ivar lengths: of the objects to come, whose ETags are made beforehand
    """

    rate: float = 0
    latency: float = 0
    commit: float = 0
    jitter: float = 0
    limited: bool = False
    certificate: str = ''
    lengths: tuple[int, ...] = ()


class Sink:
    """The server; listens from the start.

    :param options: how it behaves
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._random = random.Random(7)
        self._socket = socket.create_server((HOST, 0), backlog=256)
        self._tls = _tls(options.certificate)
        self.port: int = self._socket.getsockname()[1]
        etags = pattern.Etags()
        etags.prepare([0, *options.lengths])
        scheme = 'https' if self._tls else 'http'
        self._bucket = bucket.Bucket(f'{scheme}://{HOST}:{self.port}', etags)

    def serve(self) -> None:
        """Answer until close() is called."""
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._socket.accept()
                threading.Thread(
                    target=self._talk, args=(sock,), daemon=True
                ).start()

    def close(self) -> None:
        """Take no more connections; those that are open go on."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _talk(self, sock: socket.socket) -> None:
        """Serve a connection until its client closes it."""
        with contextlib.suppress(OSError, channel.Closed):
            with sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls:
                    sock = self._tls.wrap_socket(sock, server_side=True)
                with sock:
                    self._answer_all(channel.Channel(sock, self._options.rate))

    def _answer_all(self, connection: channel.Channel) -> None:
        while True:
            request = connection.head()
            if request.headers.get('expect', '').lower() == '100-continue':
                connection.send(b'HTTP/1.1 100 Continue\r\n\r\n')
            answer = self._bucket.answer(request, connection.drain(request))
            self._pause(request)
            head = request.method == 'HEAD'
            connection.send(
                channel.render(
                    answer.status, answer.headers, b'' if head else answer.body
                )
            )
            if not head:
                self._give(connection, answer.content)

    def _give(
        self, connection: channel.Channel, content: tuple[tuple[int, int], ...]
    ) -> None:
        """Send what is stored; the pattern begins with each segment."""
        due = 0.0
        for number, (offset, size) in enumerate(content, 1):
            if self._options.limited and number > AT_ONCE:
                # swift.common.utils.RateLimitedIterator
                time.sleep(max(0.0, due - time.perf_counter()))
                due = time.perf_counter() + 1
            connection.give(offset, size)

    def _pause(self, request: channel.Request) -> None:
        """Take the time of the network, and of writing to disk."""
        seconds = self._options.latency
        if request.method == 'PUT' and _is_object(request.path):
            seconds += self._options.commit
        jitter = self._options.jitter
        if seconds:
            time.sleep(seconds * self._random.uniform(1 - jitter, 1 + jitter))


def _is_object(path: str) -> bool:
    return '/' in path.removeprefix(bucket.ACCOUNT + '/')


def _tls(directory: str) -> ssl.SSLContext | None:
    if not directory:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f'{directory}/cert.pem', f'{directory}/key.pem')
    return context


def main(text: str) -> None:
    """Serve until standard input ends."""
    options = json.loads(text)
    server = Sink(Options(**options))
    print(server.port, flush=True)
    children.end_with_input()
    server.serve()


if __name__ == '__main__':
    main(sys.argv[1])
