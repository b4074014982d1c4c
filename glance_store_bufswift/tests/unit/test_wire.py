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

"""What a PUT looks like on the wire."""

import threading
from unittest import mock


from glance_store_bufswift.buffer import segment
from glance_store_bufswift import errors
from glance_store_bufswift.swift import tcp
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import waits
from glance_store_bufswift.tests.unit import wires


class TestPut(wires.WireTestCase):
    def test_known_length_is_announced(self) -> None:
        server = self.serve(sockets.store)
        data = streams.image(3_000_000)
        self.account(server).objects.put(
            'c', 'o', self.segment(data), len(data)
        )
        (request,) = server.requests
        self.assertEqual('3000000', request.headers['content-length'])
        self.assertNotIn('transfer-encoding', request.headers)
        self.assertEqual(data, request.body)
        self.assertEqual('/v1/AUTH_test/c/o', request.path)

    def test_unknown_length_is_chunked(self) -> None:
        server = self.serve(sockets.store)
        data = streams.image(3_000_000)
        self.account(server).objects.put('c', 'o', self.segment(data))
        (request,) = server.requests
        self.assertEqual('chunked', request.headers['transfer-encoding'])
        self.assertNotIn('content-length', request.headers)
        self.assertEqual(data, request.body)

    def test_chunks_are_large(self) -> None:
        server = self.serve(sockets.store)
        self.account(server).objects.put(
            'c', 'o', self.segment(bytes(3 << 20))
        )
        self.assertEqual([1 << 20] * 3, server.requests[0].chunks)

    def test_blocks_of_a_known_length_are_large(self) -> None:
        asked: list[int] = []

        class Asked(segment.SegmentBody):
            def read(self, size: int = -1) -> bytes:
                asked.append(size)
                return super().read(size)

        body = Asked()
        body.write(bytes(1 << 20))
        body.write(bytes(1 << 20))
        body.finish(wires.md5_of(bytes(2 << 20)))
        server = self.serve(sockets.store)
        self.account(server).objects.put('c', 'o', body, 2 << 20)
        self.assertEqual([1 << 20] * 2, asked)

    def test_blocks_are_not_copied(self) -> None:
        block = bytes(1 << 20)
        written: list[int] = []
        true_write = tcp.HTTP._write

        def write(connection: tcp.HTTP, *parts: bytes) -> None:
            written.extend(map(id, parts))
            true_write(connection, *parts)

        account = self.account(self.serve(sockets.store, sockets.store))
        with mock.patch.object(tcp.HTTP, '_write', write):
            account.objects.put('c', 'o', self.segment(block), len(block))
            account.objects.put('c', 'o', self.segment(block))
        self.assertEqual(2, written.count(id(block)))

    def test_zero_bytes(self) -> None:
        server = self.serve(sockets.store, sockets.store)
        account = self.account(server)
        account.objects.put('c', 'o', self.segment(b''), 0)
        account.objects.put('c', 'o', self.segment(b''))
        self.assertEqual([b'', b''], [each.body for each in server.requests])
        self.assertEqual('0', server.requests[0].headers['content-length'])

    def test_headers_go_with_it(self) -> None:
        server = self.serve(sockets.store)
        self.account(server).objects.put(
            'c', 'o', self.segment(b'x'), 1, {'X-Object-Meta-A': 'b'}
        )
        headers = server.requests[0].headers
        self.assertEqual('b', headers['x-object-meta-a'])
        self.assertEqual('token-1', headers['x-auth-token'])

    def test_names_are_quoted(self) -> None:
        server = self.serve(sockets.store)
        self.account(server).objects.put('my c', 'a/ä', self.segment(b'x'), 1)
        self.assertEqual(
            '/v1/AUTH_test/my%20c/a/%C3%A4', server.requests[0].path
        )

    def test_sending_begins_before_the_segment_is_whole(self) -> None:
        came = threading.Event()

        def first_half(request: sockets.Request) -> None:
            half = request.receive(10)
            came.set()
            request.ahead = half + request.ahead
            sockets.store(request)

        server = self.serve(first_half)
        body = self.segment(bytes(10), finished=False)
        put = waits.start(self.account(server).objects.put, 'c', 'o', body, 20)
        self.assertTrue(came.wait(waits.GENEROUS))
        body.write(bytes(10))
        body.finish(wires.md5_of(bytes(20)))
        put.result(waits.GENEROUS)
        self.assertEqual(bytes(20), server.requests[0].body)

    def test_one_connection_serves_many_requests(self) -> None:
        server = self.serve(*[sockets.store] * 3)
        account = self.account(server)
        for _ in range(3):
            account.objects.put('c', 'o', self.segment(b'x'), 1)
        self.assertEqual(1, server.made)
        self.assertEqual(0, account.client.retries)


class TestClose(wires.WireTestCase):
    """The server's own cleanup fails when a connection is left open."""

    def test_idle_connection_is_closed(self) -> None:
        server = self.serve(sockets.store)
        account = self.account(server)
        account.objects.put('c', 'o', self.segment(b'x'), 1)
        self.assertEqual(0, server.ended)
        account.close()
        server.stop()
        self.assertEqual((1, 1), (server.made, server.ended))

    def test_connections_of_other_threads_are_closed(self) -> None:
        server = self.serve(*[sockets.store] * 3)
        account = self.account(server)
        for _ in range(3):
            # One after the other: the server has one thread.
            waits.start(
                account.objects.put, 'c', 'o', self.segment(b'x'), 1
            ).result(waits.GENEROUS)
            account.close()
        server.stop()
        self.assertEqual((3, 3), (server.made, server.ended))

    def test_dropped_connections_are_closed(self) -> None:
        server = self.serve(
            sockets.answer(408),
            sockets.answer(499),
            sockets.stall_answer,
            sockets.reset(1),
            sockets.store,
        )
        account = self.account(server, retries=4, timeout=2)
        account.objects.put('c', 'o', self.segment(bytes(100)), 100)
        account.close()
        server.stop()
        self.assertEqual((5, 5), (server.made, server.ended))


class TestEmptyPut(wires.WireTestCase):
    def test_manifest_has_no_body(self) -> None:
        server = self.serve(sockets.store)
        self.account(server).objects.put_empty(
            'c', 'o', {'X-Object-Manifest': 'c/o/'}
        )
        (request,) = server.requests
        self.assertEqual('0', request.headers['content-length'])
        self.assertEqual('c/o/', request.headers['x-object-manifest'])

    def test_waits_between_its_tries(self) -> None:
        server = self.serve(
            sockets.answer(503, Retry_After='9'),
            sockets.answer(202),
            sockets.store,
        )
        self.account(server).objects.put_empty('c', 'o', {})
        self.assertEqual(3, len(server.requests))
        self.assertEqual(9, self.waits.seconds[0])

    def test_202_is_not_stored(self) -> None:
        server = self.serve(*[sockets.answer(202)] * 2)
        exc = self.assertRaises(
            errors.RequestFailed,
            self.account(server, retries=1).objects.put_empty,
            'c',
            'o',
            {},
        )
        self.assertIn('202', str(exc))
