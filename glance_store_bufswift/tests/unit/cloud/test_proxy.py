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

"""The fault proxy against a small server: each fault, and true relaying."""

from collections.abc import Iterator
import contextlib
import hashlib
import http.client
import http.server
import socket
import threading
from typing import Any

from oslotest import base

from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support.cloud import proxy

BODY = bytes(range(256)) * 4096  # 1 MiB


class _Handler(http.server.BaseHTTPRequestHandler):
    """Store what is PUT; refuse early under /refuse."""

    protocol_version = 'HTTP/1.1'
    server: '_Upstream'

    def log_message(self, *args: Any) -> None:
        pass

    def _answer(self, status: int, body: bytes = b'', **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        if status not in (204, 304):
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def _body(self) -> bytes | None:
        if 'Content-Length' in self.headers:
            length = int(self.headers['Content-Length'])
            body = self.rfile.read(length)
            return body if len(body) == length else None
        chunks = []
        while True:
            line = self.rfile.readline().strip()
            if not line:
                return None
            size = int(line, 16)
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
            if not size:
                return b''.join(chunks)

    def do_PUT(self) -> None:
        if self.path.startswith('/refuse'):
            self.close_connection = self.path == '/refuse/close'
            self._answer(401, b'who are you')
            self.wfile.flush()
            if self.close_connection:
                return
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        if not self.path.startswith('/refuse'):
            self.server.stored[self.path] = body
            self._answer(
                201,
                ETag=hashlib.md5(body, usedforsecurity=False).hexdigest(),
                X_Trans_Id='tx1',
            )

    def do_GET(self) -> None:
        if self.path == '/chunked':
            self.send_response(200)
            self.send_header('Transfer-Encoding', 'chunked')
            self.end_headers()
            self.wfile.write(b'3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n')
            return
        if self.path == '/endless':
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'until I close')
            self.close_connection = True
            return
        self._answer(200, self.server.stored.get(self.path, b'nothing'))

    do_HEAD = do_GET

    def do_DELETE(self) -> None:
        self._answer(204)


class _Upstream(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), _Handler)
        self.stored: dict[str, bytes] = {}

    def handle_error(self, *args: Any) -> None:
        """A broken request is what the faults are about."""


class ProxyTestCase(base.BaseTestCase):
    """A proxy in front of the small server."""

    def setUp(self) -> None:
        super().setUp()
        self.upstream = _Upstream()
        server = threading.Thread(
            target=self.upstream.serve_forever, kwargs={'poll_interval': 0.01}
        )
        server.start()
        self.addCleanup(self.upstream.server_close)
        self.addCleanup(server.join)
        self.addCleanup(self.upstream.shutdown)
        self.proxy = proxy.FaultProxy('127.0.0.1', self.upstream.server_port)
        self.proxy.start()
        self.addCleanup(self.proxy.stop)

    @contextlib.contextmanager
    def client(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection(
            '127.0.0.1', self.proxy.port, timeout=30
        )
        with contextlib.closing(connection):
            yield connection

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        with self.client() as client:
            client.request(method, path, body)
            answer = client.getresponse()
            return answer.status, dict(answer.headers), answer.read()

    def begin_put(
        self, client: http.client.HTTPConnection, path: str, length: int | None
    ) -> None:
        client.putrequest('PUT', path)
        if length is None:
            client.putheader('Transfer-Encoding', 'chunked')
        else:
            client.putheader('Content-Length', str(length))
        client.endheaders()

    def finished(self, count: int) -> journal.Log:
        return self.proxy.wait_for(
            lambda log: sum(e.finished for e in log) == count
        )

    def only(self) -> journal.Exchange:
        [exchange] = self.finished(1)
        return exchange


class TestRelay(ProxyTestCase):
    """Without a fault everything passes as it is."""

    def test_put_get(self) -> None:
        status, headers, _ = self.request('PUT', '/a', BODY)
        self.assertEqual(201, status)
        self.assertEqual('tx1', headers['X-Trans-Id'])
        self.assertEqual(BODY, self.upstream.stored['/a'])
        self.assertEqual(BODY, self.request('GET', '/a')[2])
        put, get = self.finished(2)
        self.assertEqual(
            ('PUT', '/a', len(BODY), 201),
            (put.method, put.path, put.received, put.status),
        )
        self.assertEqual(str(len(BODY)), put.headers['content-length'])
        self.assertEqual((None, None), (put.fault, put.error))
        self.assertEqual(200, get.status)

    def test_keep_alive(self) -> None:
        with self.client() as client:
            for method in ('PUT', 'HEAD', 'GET', 'DELETE', 'GET'):
                client.request(method, '/a', b'x' if method == 'PUT' else None)
                kept = client.sock
                client.getresponse().read()
                self.assertIs(kept, client.sock)
        self.assertEqual(
            [201, 200, 200, 204, 200], [e.status for e in self.finished(5)]
        )

    def test_chunked_request(self) -> None:
        with self.client() as client:
            for piece in (7, 1, 70000):
                chunks = (
                    BODY[at : at + piece] for at in range(0, 200000, piece)
                )
                client.request('PUT', f'/{piece}', chunks, encode_chunked=True)
                self.assertEqual(b'', client.getresponse().read())
        for exchange in self.finished(3):
            stored = self.upstream.stored[exchange.path]
            self.assertEqual(BODY[: len(stored)], stored)
            self.assertEqual(len(stored), exchange.received)

    def test_answers_of_unknown_length(self) -> None:
        self.assertEqual(b'abcde', self.request('GET', '/chunked')[2])
        self.assertEqual(b'until I close', self.request('GET', '/endless')[2])

    def test_expect_100(self) -> None:
        with socket.create_connection(('127.0.0.1', self.proxy.port)) as sock:
            sock.sendall(
                b'PUT /a HTTP/1.1\r\nContent-Length: 2\r\n'
                b'Expect: 100-continue\r\n\r\n'
            )
            self.assertIn(b' 100 ', sock.recv(1000))
            sock.sendall(b'ab')
            self.assertIn(b' 201 ', sock.recv(1000))
        self.assertEqual((2, 201), (self.only().received, self.only().status))

    def test_early_answer_while_the_body_comes(self) -> None:
        with self.client() as client:
            self.begin_put(client, '/refuse', len(BODY))
            client.send(BODY[:10])
            answer = client.response_class(client.sock, method='PUT')
            answer.begin()
            self.assertEqual(
                (401, b'who are you'), (answer.status, answer.read())
            )
            [exchange] = self.proxy.log
            self.assertFalse(exchange.finished)
            client.send(BODY[10:])
            client._HTTPConnection__state = 'Idle'  # type: ignore
            client.request('GET', '/a')
            self.assertEqual(200, client.getresponse().status)
        self.assertEqual(len(BODY), self.finished(2)[0].received)

    def test_early_answer_survives_the_rest_of_the_body(self) -> None:
        with self.client() as client:
            self.begin_put(client, '/refuse/close', 50 * len(BODY))
            for _ in range(50):
                client.send(BODY)
            self.assertEqual(b'who are you', client.getresponse().read())
        self.assertEqual(401, self.only().status)

    def test_client_gone_in_mid_body(self) -> None:
        with self.client() as client:
            self.begin_put(client, '/a', 10)
            client.send(b'12345')
        self.assertIn('closed in mid-body', str(self.only().error))
        self.assertNotIn('/a', self.upstream.stored)

    def test_upstream_gone(self) -> None:
        with proxy.FaultProxy('127.0.0.1', 1) as dead:
            client = http.client.HTTPConnection('127.0.0.1', dead.port)
            with contextlib.closing(client):
                client.request('GET', '/')
                self.assertRaises(ConnectionError, client.getresponse)
            self.assertIn('refused', str(dead.log[0].error))

    def test_peak(self) -> None:
        with self.client() as one, self.client() as two:
            for client in (one, two):
                self.begin_put(client, '/a', 1)
            self.proxy.wait_for(lambda log: len(log) == 2)
            for client in (one, two):
                client.send(b'x')
                client.getresponse().read()
            one.request('PUT', '/b', b'x')
        self.finished(3)
        self.assertEqual(2, self.proxy.peak('PUT'))
        self.assertEqual(0, self.proxy.peak('GET'))
        self.proxy.clear()
        self.assertEqual((0, []), (self.proxy.peak('PUT'), self.proxy.log))

    def test_wait_for_tells_the_log(self) -> None:
        self.request('GET', '/some-path')
        error = self.assertRaises(
            AssertionError, self.proxy.wait_for, lambda log: False, timeout=0
        )
        self.assertIn('/some-path', str(error))

    def test_stop_ends_everything(self) -> None:
        before = set(threading.enumerate())
        other = proxy.FaultProxy(*self.proxy.upstream)
        other.start()
        other.add(faults.Rule(faults.Stall()))
        idle = socket.create_connection(('127.0.0.1', other.port))
        stalled = socket.create_connection(('127.0.0.1', other.port))
        with idle, stalled:
            stalled.sendall(b'GET / HTTP/1.1\r\n\r\n')
            other.wait_for(lambda log: log and log[0].parked)
            other.stop()
            self.assertEqual(b'', idle.recv(1))
            self.assertEqual(b'', stalled.recv(1))
        mine = [t for t in threading.enumerate() if 'proxy' in t.name]
        self.assertEqual([], [t for t in mine if t not in before])
        self.assertRaises(
            ConnectionError,
            socket.create_connection,
            ('127.0.0.1', other.port),
        )


class TestFaults(ProxyTestCase):
    """Each of the faults."""

    def add(self, fault: faults.Fault, **match: Any) -> faults.Rule:
        return self.proxy.add(faults.Rule(fault, **match))

    def assert_reset(
        self, method: str = 'PUT', body: bytes | None = BODY
    ) -> journal.Exchange:
        self.assertRaises(
            (ConnectionError, BrokenPipeError),
            self.request,
            method,
            '/a',
            body,
        )
        exchange = self.finished(1)[0]
        self.assertTrue(exchange.fired)
        self.assertIsNone(exchange.status)
        return exchange

    def test_status(self) -> None:
        places: list[faults.Place] = [0, 1000, -1, faults.WHOLE]
        for number, after in enumerate(places, 1):
            self.add(faults.Status(after, 503, {'Retry-After': '7'}, b'busy'))
            status, headers, body = self.request('PUT', '/a', BODY)
            self.assertEqual(
                (503, '7', b'busy'), (status, headers['Retry-After'], body)
            )
            exchange = self.finished(number)[-1]
            self.assertEqual(
                ('Status', True, 503),
                (exchange.fault, exchange.fired, exchange.status),
            )
            self.assertEqual(after != 0, exchange.forwarded)
            self.assertEqual(
                after == faults.WHOLE, 'Connection' not in headers
            )
        self.assertEqual({}, self.upstream.stored)

    def test_status_without_body_keeps_the_connection(self) -> None:
        self.add(faults.Status(code=404), method='HEAD')
        with self.client() as client:
            for expected in (404, 200):
                client.request('HEAD', '/a')
                kept = client.sock
                answer = client.getresponse()
                answer.read()
                self.assertEqual(expected, answer.status)
                self.assertIs(kept, client.sock)

    def test_status_into_chunks(self) -> None:
        places: list[faults.Place] = [5, faults.WHOLE]
        for number, after in enumerate(places, 1):
            self.add(faults.Status(after, 500))
            with self.client() as client:
                client.request(
                    'PUT', '/a', iter([b'abc', b'defg']), encode_chunked=True
                )
                self.assertEqual(500, client.getresponse().status)
            self.assertEqual(7, self.finished(number)[-1].received)
        self.assertEqual({}, self.upstream.stored)

    def test_reset(self) -> None:
        for after in (0, 1000, -1, faults.WHOLE):
            self.add(faults.Reset(after))
            exchange = self.assert_reset()
            self.assertEqual(faults.place(after, len(BODY)), exchange.received)
            self.proxy.clear()
        self.assertEqual({}, self.upstream.stored)

    def test_reset_is_an_rst(self) -> None:
        self.add(faults.Reset())
        with socket.create_connection(('127.0.0.1', self.proxy.port)) as sock:
            sock.sendall(b'GET /a HTTP/1.1\r\n\r\n')
            # An orderly end would be an empty read.
            self.assertRaises(ConnectionResetError, sock.recv, 1)

    def test_place_beyond_the_body_never_comes(self) -> None:
        self.add(faults.Reset(after=len(BODY) + 1))
        self.assertEqual(201, self.request('PUT', '/a', BODY)[0])
        self.assertFalse(self.only().fired)

    def test_place_from_the_end_of_chunks(self) -> None:
        self.add(faults.Reset(after=-1))
        with self.client() as client:
            self.begin_put(client, '/a', None)
            self.assertRaises(ConnectionError, client.getresponse)
        self.assertIn('Content-Length', str(self.only().error))

    def test_lost_answer(self) -> None:
        self.add(faults.LostAnswer())
        self.assertEqual(201, self.assert_reset().upstream_status)
        self.assertEqual(BODY, self.upstream.stored['/a'])

    def test_break_answer(self) -> None:
        """What was answered up to there comes, and no more."""
        self.upstream.stored['/a'] = BODY
        for after in (0, 1, 700_000):
            self.proxy.clear()
            self.add(faults.BreakAnswer(after))
            with self.client() as client:
                client.request('GET', '/a')
                answer = client.getresponse()
                error = self.assertRaises(
                    http.client.IncompleteRead, answer.read
                )
            self.assertEqual(BODY[:after], error.partial)
            self.assertTrue(self.only().fired)

    def test_break_answer_with_reset(self) -> None:
        self.upstream.stored['/a'] = BODY
        self.add(faults.BreakAnswer(5, 'reset'))
        with self.client() as client:
            client.request('GET', '/a')
            self.assertRaises(
                (ConnectionResetError, http.client.IncompleteRead),
                lambda: client.getresponse().read(),
            )
        self.assertTrue(self.only().fired)

    def test_break_answer_that_stalls(self) -> None:
        self.upstream.stored['/a'] = BODY
        self.add(faults.BreakAnswer(5, 'stall'))
        with self.client() as client:
            client.request('GET', '/a')
            self.assertEqual(BODY[:5], client.getresponse().read(5))
            self.proxy.wait_for(lambda log: log[0].parked)
        self.only()

    def test_break_answer_behind_its_end_never_comes(self) -> None:
        self.upstream.stored['/a'] = BODY
        self.add(faults.BreakAnswer(len(BODY)))
        self.assertEqual(200, self.request('GET', '/a')[0])
        self.assertFalse(self.only().fired)

    def test_late_landing_with_reset(self) -> None:
        rule = self.add(faults.LateLanding(reset=True))
        self.assertTrue(self.assert_reset().held)
        self.assertEqual({}, self.upstream.stored)
        self.assertEqual([201], rule.release())
        self.assertEqual(BODY, self.upstream.stored['/a'])
        self.assertEqual([], rule.release())

    def test_late_landing_while_the_client_waits(self) -> None:
        rule = self.add(faults.LateLanding())
        with self.client() as client:
            client.request(
                'PUT', '/a', iter([b'abc', b'd']), encode_chunked=True
            )
            self.proxy.wait_for(lambda log: log and log[0].held)
        self.only()
        self.assertEqual({}, self.upstream.stored)
        self.assertEqual([201], rule.release())
        self.assertEqual(b'abcd', self.upstream.stored['/a'])

    def test_clear_drops_what_is_held_or_stalled(self) -> None:
        rule = self.add(faults.LateLanding(), method='PUT')
        self.add(faults.Stall(), method='GET')
        with self.client() as one, self.client() as two:
            one.request('PUT', '/a', BODY)
            two.request('GET', '/a')
            self.proxy.wait_for(lambda log: sum(e.parked for e in log) == 2)
            self.proxy.clear()
            for client in (one, two):
                self.assertRaises(ConnectionError, client.getresponse)
        self.assertEqual([], rule.release())
        self.assertEqual([], self.proxy.log)
        self.assertEqual(200, self.request('GET', '/a')[0])

    def test_clear_tells_what_does_not_end(self) -> None:
        with self.client() as client:
            self.begin_put(client, '/stuck', 10)
            self.proxy.wait_for(lambda log: log)
            error = self.assertRaises(AssertionError, self.proxy.clear, 0)
        self.assertIn('/stuck', str(error))

    def test_stall(self) -> None:
        self.add(faults.Stall(after=10))
        with self.client() as client:
            self.begin_put(client, '/a', len(BODY))
            client.send(BODY[:100])
            self.proxy.wait_for(lambda log: log and log[0].parked)
            self.assertEqual(10, self.proxy.log[0].received)
        self.only()
        self.assertEqual({}, self.upstream.stored)

    def test_flipped_byte(self) -> None:
        for offset in (0, 300000, -1):
            self.add(faults.FlipByte(offset))
            self.assertEqual(201, self.request('PUT', '/a', BODY)[0])
            stored = self.upstream.stored['/a']
            self.assertEqual(len(BODY), len(stored))
            wrong = [at for at in range(len(BODY)) if BODY[at] != stored[at]]
            self.assertEqual([offset % len(BODY)], wrong)

    def test_rewritten_answer(self) -> None:
        self.add(faults.Rewrite(202, {'etag': None, 'X-New': 'y'}))
        status, headers, _ = self.request('PUT', '/a', BODY)
        self.assertEqual(
            (202, 'y', 'tx1'),
            (status, headers['X-New'], headers['X-Trans-Id']),
        )
        self.assertNotIn('ETag', headers)
        exchange = self.only()
        self.assertEqual(
            (202, 201, True),
            (exchange.status, exchange.upstream_status, exchange.fired),
        )

    def test_rewritten_headers_keep_the_status(self) -> None:
        self.add(faults.Rewrite(headers={'ETag': 'wrong'}))
        status, headers, _ = self.request('PUT', '/a', BODY)
        self.assertEqual((201, 'wrong'), (status, headers['ETag']))

    def test_throttle_and_latency_pass_the_same_bytes(self) -> None:
        self.add(faults.Throttle(50e6), times=None)
        self.add(faults.Latency(before=0.001, after=0.001), times=None)
        self.assertEqual(201, self.request('PUT', '/a', BODY)[0])
        self.assertEqual(BODY, self.request('GET', '/a')[2])

    def test_hook_runs_before_the_request_goes_on(self) -> None:
        seen: list[tuple[str, bool]] = []
        self.add(faults.Hook(lambda e: seen.append((e.path, e.forwarded))))
        self.add(faults.LostAnswer())
        self.assert_reset()
        self.assertEqual([('/a', False)], seen)

    def test_failing_hook_is_in_the_log(self) -> None:
        self.add(faults.Hook(lambda e: 1 / 0))
        self.assertRaises(ConnectionError, self.request, 'GET', '/a')
        self.assertIn('ZeroDivisionError', str(self.only().error))

    def test_matching(self) -> None:
        self.add(
            faults.Status(code=500),
            method='GET',
            path=r'/x\?n=\d$',
            skip=1,
            times=2,
        )
        self.add(faults.Status(code=501), path='^/x')
        wanted = [501, 200, 500, 500, 200]
        self.request('DELETE', '/y')
        self.assertEqual(501, self.request('HEAD', '/x?n=1')[0])
        wanted = [200, 500, 500, 200]
        self.assertEqual(
            wanted, [self.request('GET', f'/x?n={n}')[0] for n in range(4)]
        )

    def test_two_rules_alike_are_two_faults(self) -> None:
        self.add(faults.Status(code=500))
        self.add(faults.Status(code=502))
        self.assertEqual(
            [500, 502, 200], [self.request('GET', '/a')[0] for _ in range(3)]
        )
