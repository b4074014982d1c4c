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

"""The sink answers as Swift and Keystone do, as far as uploads go."""

from collections.abc import Iterator
import hashlib
import http.client
import json
import socket
import threading
from typing import Any

from oslotest import base

from glance_store_bufswift.tests.programs.bench import bucket
from glance_store_bufswift.tests.programs.bench import channel
from glance_store_bufswift.tests.programs.bench import pattern
from glance_store_bufswift.tests.programs.bench import sink

C = f'{bucket.ACCOUNT}/c'


class TestChannel(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client, server = socket.socketpair()
        self.addCleanup(self.client.close)
        self.addCleanup(server.close)
        # A pair of Unix sockets can't drop what it receives.
        self.channel = channel.Channel(server)
        self.channel._flags = 0

    def _drain(self, sent: bytes) -> list[tuple[str, int]]:
        self.client.sendall(sent)
        self.client.shutdown(socket.SHUT_WR)
        return list(self._requests())

    def _requests(self) -> Iterator[tuple[str, int]]:
        while True:
            try:
                request = self.channel.head()
            except channel.Closed:
                return
            yield request.method, self.channel.drain(request)

    def test_lengths(self) -> None:
        first = b'PUT /a HTTP/1.1\r\nContent-Length: 1000\r\n\r\n'
        found = self._drain(first + bytes(1000) + b'HEAD /b HTTP/1.1\r\n\r\n')
        self.assertEqual([('PUT', 1000), ('HEAD', 0)], found)

    def test_chunks(self) -> None:
        head = b'PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n'
        body = b''.join(
            b'%x\r\n%b\r\n' % (size, bytes(size))
            for size in (1, 20, 33, 70_000)
        )
        found = self._drain(head + body + b'0\r\n\r\nHEAD /b HTTP/1.1\r\n\r\n')
        self.assertEqual([('PUT', 70_054), ('HEAD', 0)], found)

    def test_cut_short(self) -> None:
        self.client.sendall(b'PUT /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nx')
        self.client.shutdown(socket.SHUT_WR)
        request = self.channel.head()
        self.assertRaises(channel.Closed, self.channel.drain, request)

    def test_render(self) -> None:
        self.assertEqual(
            b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n',
            channel.render(200, {'Content-Length': '7'}, b''),
        )


class TestSink(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.etags = pattern.Etags()
        server = sink.Sink(sink.Options(lengths=(pattern.PERIOD, 5)))
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.close)
        self.connection = http.client.HTTPConnection(
            sink.HOST, server.port, timeout=60
        )
        self.addCleanup(self.connection.close)

    def _ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        self.connection.request(
            method,
            path,
            body=body,
            headers=headers,
            encode_chunked='Transfer-Encoding' in headers,
        )
        answer = self.connection.getresponse()
        return (
            answer.status,
            {name.lower(): value for name, value in answer.getheaders()},
            answer.read(),
        )

    def test_container(self) -> None:
        self.assertEqual(404, self._ask('HEAD', C)[0])
        self.assertEqual(404, self._ask('PUT', C + '/o', b'x')[0])
        self.assertEqual(201, self._ask('PUT', C)[0])
        self.assertEqual(204, self._ask('HEAD', C)[0])
        self.assertEqual(204, self._ask('DELETE', C)[0])
        self.assertEqual(404, self._ask('HEAD', C)[0])

    def test_object(self) -> None:
        self._ask('PUT', C)
        status, headers, _ = self._ask('PUT', C + '/o', pattern.period())
        etag = self.etags.of(pattern.PERIOD)
        self.assertEqual((201, etag), (status, headers['etag']))
        status, headers, _ = self._ask('HEAD', C + '/o')
        self.assertEqual(
            (200, etag, str(pattern.PERIOD)),
            (status, headers['etag'], headers['content-length']),
        )
        self.assertEqual(204, self._ask('DELETE', C + '/o')[0])
        self.assertEqual(404, self._ask('DELETE', C + '/o')[0])

    def test_in_chunks(self) -> None:
        self._ask('PUT', C)
        chunks = iter([pattern.period()[:3], pattern.period()[3:]])
        headers = self._ask(
            'PUT', C + '/o', chunks, **{'Transfer-Encoding': 'chunked'}
        )[1]
        self.assertEqual(self.etags.of(pattern.PERIOD), headers['etag'])

    def test_dynamic_large_object(self) -> None:
        self._ask('PUT', C)
        self._ask('PUT', C + '/o/2', pattern.period()[:5])
        self._ask('PUT', C + '/o/1', pattern.period())
        self._ask(
            'PUT',
            C + '/o',
            b'',
            **{'X-Object-Manifest': 'c/o/', 'X-Object-Meta-Whose': 'mine'},
        )
        whole = self.etags.of(pattern.PERIOD) + self.etags.of(5)
        etag = hashlib.md5(whole.encode(), usedforsecurity=False).hexdigest()
        _, headers, _ = self._ask('HEAD', C + '/o')
        self.assertEqual(
            (f'"{etag}"', str(pattern.PERIOD + 5), 'mine'),
            (
                headers['etag'],
                headers['content-length'],
                headers['x-object-meta-whose'],
            ),
        )

    def test_given_as_it_was_stored(self) -> None:
        self._ask('PUT', C)
        self._ask('PUT', C + '/o', pattern.period())
        whole = pattern.period()
        status, _, body = self._ask('GET', C + '/o')
        self.assertEqual((200, True), (status, whole == body))
        status, headers, body = self._ask('GET', C + '/o', Range='bytes=5-104')
        self.assertEqual(
            (206, f'bytes 5-104/{pattern.PERIOD}', whole[5:105]),
            (status, headers['content-range'], body),
        )
        last = pattern.PERIOD - 7
        self.assertEqual(
            whole[-7:], self._ask('GET', C + '/o', Range=f'bytes={last}-')[2]
        )
        self.assertEqual(
            416,
            self._ask('GET', C + '/o', Range=f'bytes={pattern.PERIOD}-')[0],
        )
        self.assertEqual(404, self._ask('GET', C + '/other')[0])

    def test_large_object_given(self) -> None:
        self._ask('PUT', C)
        self._ask('PUT', C + '/o/2', pattern.period()[:5])
        self._ask('PUT', C + '/o/1', pattern.period())
        self._ask('PUT', C + '/o', b'', **{'X-Object-Manifest': 'c/o/'})
        whole = pattern.period() + pattern.period()[:5]
        self.assertEqual(whole, self._ask('GET', C + '/o')[2])
        first = pattern.PERIOD - 3
        self.assertEqual(
            whole[first : first + 6],
            self._ask('GET', C + '/o', Range=f'bytes={first}-{first + 5}')[2],
        )
        status, headers, body = self._ask(
            'GET', C + '/o?multipart-manifest=get'
        )
        self.assertEqual(
            (200, 'c/o/', b''), (status, headers['x-object-manifest'], body)
        )

    def test_static_large_object(self) -> None:
        self._ask('PUT', C)
        self._ask('PUT', C + '/o/try/1', pattern.period())
        self._ask('PUT', C + '/o?multipart-manifest=put', b'[]')
        self.assertEqual(pattern.period(), self._ask('GET', C + '/o')[2])
        _, headers, body = self._ask('GET', C + '/o?multipart-manifest=get')
        self.assertEqual('True', headers['x-static-large-object'])
        self.assertEqual(
            [('/c/o/try/1', pattern.PERIOD)],
            [(each['name'], each['bytes']) for each in json.loads(body)],
        )
        self.assertEqual(
            str(pattern.PERIOD),
            self._ask('HEAD', C + '/o')[1]['content-length'],
        )

    def test_listing(self) -> None:
        self._ask('PUT', C)
        for name in ('a/1', 'a/2', 'a/3', 'b'):
            self._ask('PUT', f'{C}/{name}', b'')
        body = self._ask('GET', C + '?prefix=a/&marker=a/1&limit=1')[2]
        self.assertEqual(['a/2'], [each['name'] for each in json.loads(body)])

    def test_keystone(self) -> None:
        status, headers, body = self._ask('POST', '/v3/auth/tokens', b'{}')
        self.assertEqual((201, 'bench'), (status, headers['x-subject-token']))
        service = json.loads(body)['token']['catalog'][0]
        self.assertTrue(
            service['endpoints'][0]['url'].endswith(bucket.ACCOUNT)
        )

    def test_etags_were_prepared(self) -> None:
        self._ask('PUT', C)
        self._ask('PUT', C + '/o', pattern.period())
        stats = json.loads(self._ask('GET', '/stats')[2])
        self.assertEqual(0, stats['missed'])
        self.assertEqual({'PUT': 2, 'GET': 1}, stats['requests'])
