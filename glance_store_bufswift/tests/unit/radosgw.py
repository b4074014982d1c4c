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

"""Ceph RGW's Swift API in memory, with what it does unlike Swift.

From Ceph's sources, src/rgw/: rgw_rest_swift.cc, rgw_op.cc, rgw_common.cc,
rgw_auth_keystone.cc.
"""

import contextlib
import dataclasses
import hashlib
from http import server
import json
import socket
import threading
from typing import Any
from urllib import parse

import fixtures

#: Statuses and the code in their body (rgw_http_swift_errors).
ERRORS = {403: 'AccessDenied', 404: 'NoSuchKey', 411: 'MissingContentLength',
          422: 'UnprocessableEntity'}


def md5(data: bytes) -> str:
    """The MD5 in hex."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@dataclasses.dataclass
class Object:
    """An object and the headers that it keeps."""

    data: bytes
    headers: dict[str, str]


class Radosgw(fixtures.Fixture):
    """A gateway on loopback with one container.

    :ivar objects: what is stored, by name
    :ivar tokens: those that Keystone knows
    :ivar breaks: bytes after which the next PUTs of segments lose their
        client; what has come until then becomes the object
    :ivar etag: what a HEAD of a DLO gives, {} standing for the right one;
        None for no such header
    :ivar bulk: whether it knows bulk delete
    """

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, Object] = {}
        self.tokens = {f'token-{number}' for number in range(1, 9)}
        self.breaks: list[int] = []
        self.etag: str | None = '"{}"'
        self.bulk = True

    def _setUp(self) -> None:
        handler = type('Handler', (_Handler,), {'gateway': self})
        self._server = server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        thread = threading.Thread(target=self._server.serve_forever,
                                  args=(0.05,), daemon=True)
        thread.start()
        self.addCleanup(self._server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self._server.shutdown)

    @property
    def url(self) -> str:
        """The storage URL: without an account, if it is not set up so."""
        return f'http://127.0.0.1:{self._server.server_port}/swift/v1'


class _Handler(server.BaseHTTPRequestHandler):
    gateway: Radosgw
    protocol_version = 'HTTP/1.1'
    # Else an answer waits for the acknowledgement of its own headers.
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        """Nothing to the terminal."""

    def answer(self, status: int, body: bytes = b'', /,
               **headers: str) -> None:
        """Answer, with names of headers in lower case."""
        self.send_response(status)
        headers = {'content_length': str(len(body)),
                   'x_trans_id': 'tx00000a1b2c3-default', **headers}
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def fail(self, status: int) -> None:
        """Refuse, before the body if there is one."""
        text = json.dumps({
            'Code': ERRORS[status], 'RequestId': 'tx00000a1b2c3-default',
            'HostId': '1234-default-default'}).encode()
        if self.command != 'PUT':
            self.answer(status, text)
            return
        self.answer(status, text, connection='close')
        # Closed on unread bytes, the connection would be reset, and the
        # answer perhaps lost.
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while self.rfile.read1(1 << 16):
                pass

    def handle_request(self) -> None:
        """Do what was asked for."""
        path, _, query = self.path.partition('?')
        if not path.startswith('/swift/v1'):
            self.fail(404)
        elif self.headers['x-auth-token'] not in self.gateway.tokens:
            # Keystone knows it no more: EACCES, which is 403 here.
            self.fail(403)
        elif name := parse.unquote(path).split('/', 4)[4:]:
            getattr(self, f'object_{self.command}')(name[0])
        else:
            getattr(self, f'container_{self.command}')(query)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request  # noqa: N815

    def container_GET(self, query: str) -> None:  # noqa: N802
        asked = dict(parse.parse_qsl(query))
        self.answer(200, json.dumps([
            {'name': name, 'hash': md5(each.data), 'bytes': len(each.data)}
            for name, each in sorted(self.gateway.objects.items())
            if name.startswith(asked.get('prefix', ''))
            and name > asked.get('marker', '')]).encode(),
            content_type='application/json; charset=utf-8')

    def container_POST(self, query: str) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers['content-length']))
        if not self.gateway.bulk:
            self.fail(404)
            return
        names = [parse.unquote(path).lstrip('/').partition('/')[2]
                 for path in body.decode().split()]
        found = [name for name in names
                 if self.gateway.objects.pop(name, None)]
        self.answer(200, json.dumps({
            'Number Deleted': len(found), 'Errors': [],
            'Number Not Found': len(names) - len(found),
            'Response Status': '200 OK', 'Response Body': ''}).encode())

    def object_PUT(self, name: str) -> None:  # noqa: N802
        manifest = self.headers['x-object-manifest']
        if manifest and self.headers['etag']:
            self.fail(422)      # bug 1824533
            return
        size = int(self.headers['content-length'])
        breaks = not manifest and self.gateway.breaks
        if breaks:
            size = breaks.pop(0)
        data = self.rfile.read(size)
        self.gateway.objects[name] = Object(data, {
            key.lower(): value for key, value in self.headers.items()
            if key.lower().startswith('x-object-')})
        if breaks:
            self.close_connection = True    # nobody is there to be answered
        else:
            self.answer(201, etag=md5(data))

    def object_HEAD(self, name: str) -> None:  # noqa: N802
        if name not in self.gateway.objects:
            self.fail(404)
            return
        found = self.gateway.objects[name]
        headers = {key.replace('-', '_'): value
                   for key, value in found.headers.items()}
        size, etag = len(found.data), md5(found.data)
        if target := found.headers.get('x-object-manifest'):
            prefix = parse.unquote(target).partition('/')[2]
            parts = [each.data for key, each
                     in sorted(self.gateway.objects.items())
                     if key.startswith(prefix)]
            size = sum(map(len, parts))
            etag = md5(''.join(map(md5, parts)).encode())
            if self.gateway.etag is not None:
                headers['etag'] = self.gateway.etag.format(etag)
        else:
            headers['etag'] = etag
        self.answer(200, **{**headers, 'content_length': str(size)})

    def object_DELETE(self, name: str) -> None:  # noqa: N802
        if self.gateway.objects.pop(name, None):
            self.answer(204)
        else:
            self.fail(404)
