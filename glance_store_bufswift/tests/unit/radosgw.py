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

As RGW 16.2.15 and 18.2.7, of Debian 12 and 13, were seen to answer behind
their frontend "beast", with Keystone and ``rgw swift account in url``:

* An error's body is its code alone, or JSON for a request that asks for JSON.
* 401 to a token that has expired, was revoked or never was one, with the code
  AccessDenied; 403 with the same to another project's account.
* What is refused is refused at once; then RGW takes the rest of the body, to
  its end, and the connection can be used again.
* An object may have 5 GiB (rgw_max_put_size), one byte more is worth a 400
  EntityTooLarge: at once for a known length, else behind the body.
* The first requests of a project that it does not know yet race: the user is
  made twice, which is a 409 BucketAlreadyExists to any of them.
* A PUT that breaks off leaves nothing.
* ``/info`` offers bulk delete and tells no limit: one request deletes 1,024
  objects, the names behind them count as nothing at all.

Other releases did otherwise, by their sources or reports, see ``older``.
"""

from collections.abc import Iterator
import dataclasses
import hashlib
from http import server
import json
import threading
from typing import Any
from urllib import parse

import fixtures

#: Statuses and the code in their body (rgw_common.cc, rgw_http_swift_errors).
ERRORS = {
    400: 'EntityTooLarge',
    401: 'AccessDenied',
    403: 'AccessDenied',
    404: 'NoSuchKey',
    409: 'BucketAlreadyExists',
    422: 'UnprocessableEntity',
}

#: What the /info of 16.2 has of what the driver asks for.
INFO = {
    'bulk_delete': {},
    'slo': {'max_manifest_segments': 1000},
    'swift': {
        'max_file_size': 5 * (1 << 30),
        'version': '16.2.15',
        'container_listing_limit': 10000,
        'max_object_name_size': 1024,
    },
}

#: Objects that one bulk delete deletes (rgw_rest_swift.cc, MAX_CHUNK_ENTRIES).
BULK = 1024


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
    :ivar conflicts: requests that lose the race for a new user
    :ivar largest: bytes that an object may have
    :ivar breaks: bytes after which the next PUTs of segments lose their
        client
    :ivar etag: what a HEAD of a DLO gives, {} standing for the right one;
        None for no such header
    :ivar bulk: whether it knows bulk delete
    :ivar older: whether an unknown token is worth a 403, the ETag of a
        manifest a 422 (bug 1824533), and what has come of a PUT that breaks
        becomes an object
    """

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, Object] = {}
        self.tokens = {f'token-{number}' for number in range(1, 9)}
        self.conflicts = 0
        self.largest = 5 * (1 << 30)
        self.breaks: list[int] = []
        self.etag: str | None = '"{}"'
        self.bulk = True
        self.older = False

    def _setUp(self) -> None:
        handler = type('Handler', (_Handler,), {'gateway': self})
        self._server = server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        thread.start()
        self.addCleanup(self._server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self._server.shutdown)

    @property
    def url(self) -> str:
        """The storage URL: without an account, if it is not set up so."""
        return f'http://127.0.0.1:{self._server.server_port}/swift/v1'

    def refuses(self) -> bool:
        """Whether the next request loses the race."""
        lost = self.conflicts > 0
        self.conflicts -= lost
        return lost


class _Handler(server.BaseHTTPRequestHandler):
    gateway: Radosgw
    protocol_version = 'HTTP/1.1'
    # Else an answer waits for the acknowledgement of its own headers.
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        """Nothing to the terminal."""

    def answer(
        self, status: int, body: bytes = b'', /, **headers: str
    ) -> None:
        """Answer, with names of headers in lower case."""
        self.send_response(status)
        headers = {
            'content_length': str(len(body)),
            'x_trans_id': 'tx00000a1b2c3-default',
            'connection': 'Keep-Alive',
            **headers,
        }
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def fail(self, status: int) -> None:
        """Refuse, and only then take the body if there is one."""
        self.tell(status)
        self.wfile.flush()
        for _ in self.blocks():
            pass

    def tell(self, status: int) -> None:
        """Answer with an error."""
        text = ERRORS[status]
        if 'format=json' in self.path or 'json' in (
            self.headers['accept'] or ''
        ):
            text = json.dumps(
                {
                    'Code': text,
                    'Message': '',
                    'RequestId': 'tx00000a1b2c3-default',
                    'HostId': '1234-default-default',
                }
            )
        self.answer(status, text.encode())

    def blocks(self) -> Iterator[bytes]:
        """The body, to its end or to where the client has hung up."""
        if 'chunked' in (self.headers['transfer-encoding'] or ''):
            while size := int(self.rfile.readline() or b'0', 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers['content-length'] or 0)
        while block := self.rfile.read1(min(left, 1 << 16)):
            left -= len(block)
            yield block

    def handle_request(self) -> None:
        """Do what was asked for."""
        path, _, query = self.path.partition('?')
        if path == '/swift/info':
            self.answer(200, json.dumps(INFO).encode())
        elif not path.startswith('/swift/v1'):
            self.fail(404)
        elif self.headers['x-auth-token'] not in self.gateway.tokens:
            self.fail(403 if self.gateway.older else 401)
        elif self.gateway.refuses():
            self.fail(409)
        elif name := parse.unquote(path).split('/', 4)[4:]:
            getattr(self, f'object_{self.command}')(name[0])
        else:
            getattr(self, f'container_{self.command}')(query)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request  # noqa: N815

    def container_HEAD(self, query: str) -> None:  # noqa: N802
        self.answer(204)

    def container_PUT(self, query: str) -> None:  # noqa: N802
        self.answer(202)

    def container_GET(self, query: str) -> None:  # noqa: N802
        asked = dict(parse.parse_qsl(query))
        self.answer(
            200,
            json.dumps(
                [
                    {
                        'name': name,
                        'hash': md5(each.data),
                        'bytes': len(each.data),
                    }
                    for name, each in sorted(self.gateway.objects.items())
                    if name.startswith(asked.get('prefix', ''))
                    and name > asked.get('marker', '')
                ]
            ).encode(),
            content_type='application/json; charset=utf-8',
        )

    def container_POST(self, query: str) -> None:  # noqa: N802
        body = b''.join(self.blocks())
        if not self.gateway.bulk:
            self.fail(404)
            return
        names = [
            parse.unquote(path).lstrip('/').partition('/')[2]
            for path in body.decode().split()
        ][:BULK]
        found = [
            name for name in names if self.gateway.objects.pop(name, None)
        ]
        self.answer(
            200,
            json.dumps(
                {
                    'Number Deleted': len(found),
                    'Errors': [],
                    'Number Not Found': len(names) - len(found),
                    'Response Status': '200 OK',
                    'Response Body': '',
                }
            ).encode(),
        )

    def object_PUT(self, name: str) -> None:  # noqa: N802
        gateway = self.gateway
        manifest = self.headers['x-object-manifest']
        if manifest and self.headers['etag'] and gateway.older:
            self.fail(422)
            return
        if int(self.headers['content-length'] or 0) > gateway.largest:
            self.fail(400)
            return
        breaks = not manifest and gateway.breaks
        end = breaks.pop(0) if breaks else None
        data = b''
        for block in self.blocks():
            data = (data + block)[:end]
            if len(data) == end:
                break
        if len(data) > gateway.largest:
            self.tell(400)
            return
        if end is None or gateway.older:
            gateway.objects[name] = Object(
                data,
                {
                    key.lower(): value
                    for key, value in self.headers.items()
                    if key.lower().startswith('x-object-')
                },
            )
        if end is None:
            self.answer(201, etag=md5(data))
        else:
            self.close_connection = True  # nobody is there to be answered

    def object_HEAD(self, name: str) -> None:  # noqa: N802
        if name not in self.gateway.objects:
            self.fail(404)
            return
        found = self.gateway.objects[name]
        headers = {
            key.replace('-', '_'): value
            for key, value in found.headers.items()
        }
        size, etag = len(found.data), md5(found.data)
        if target := found.headers.get('x-object-manifest'):
            prefix = parse.unquote(target).partition('/')[2]
            parts = [
                each.data
                for key, each in sorted(self.gateway.objects.items())
                if key.startswith(prefix)
            ]
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
