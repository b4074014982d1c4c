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

"""TLS in front of a server that has none."""

from pathlib import Path
import socket
import socketserver
import ssl
import threading
from typing import Any

import fixtures

from glance_store_bufswift.tests.programs.bench import certificate
from glance_store_bufswift.tests.support.cloud import process


class _Handler(socketserver.BaseRequestHandler):
    server: '_Server'

    def handle(self) -> None:
        try:
            client = self.server.front.context.wrap_socket(
                self.request, server_side=True
            )
        except OSError:  # the client does not trust us
            return
        with (
            client,
            socket.create_connection(
                (process.HOST, self.server.front.port)
            ) as behind,
        ):
            back = threading.Thread(target=_pass_on, args=(behind, client))
            back.start()
            _pass_on(client, behind)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # the other end has closed
        return


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, front: 'Front') -> None:
        self.front = front
        super().__init__((process.HOST, 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave it to the client, who sees the connection end."""


class Front(fixtures.Fixture):
    """Speaks TLS for a port of this host.

    :ivar bundle: the CA that it can be trusted by
    :ivar url: where it listens
    """

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port

    def _setUp(self) -> None:
        directory = Path(self.useFixture(fixtures.TempDir()).path)
        certificate.make(directory)
        self.bundle = str(directory / certificate.CERT)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.bundle, directory / certificate.KEY)
        server = _Server(self)
        self.url = f'https://{process.HOST}:{server.server_address[1]}'
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
