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

"""Uploads to Glance over a plain socket: to stop in the middle of one."""

from collections.abc import Iterator
import contextlib
import http.client

from glance_store_bufswift.tests.support.cloud import process


@contextlib.contextmanager
def begun(
    port: int, image: str, token: str, **headers: str
) -> Iterator[http.client.HTTPConnection]:
    """An upload whose head is sent; the connection is closed at the end.

    :param headers: how the body comes; underscores become dashes
    """
    client = http.client.HTTPConnection(process.HOST, port)
    with contextlib.closing(client):
        client.putrequest('PUT', f'/v2/images/{image}/file')
        client.putheader('X-Auth-Token', token)
        client.putheader('Content-Type', 'application/octet-stream')
        for name, value in headers.items():
            client.putheader(name.replace('_', '-'), value)
        client.endheaders()
        yield client


def chunk(client: http.client.HTTPConnection, data: bytes) -> None:
    """Send a piece of a body that comes in chunks."""
    client.send(b'%x\r\n%b\r\n' % (len(data), data))


def end(client: http.client.HTTPConnection) -> None:
    """Say that the last chunk was sent."""
    client.send(b'0\r\n\r\n')
