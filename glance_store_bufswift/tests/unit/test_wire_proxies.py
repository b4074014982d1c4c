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

"""What proxies in front of Swift do that Swift itself does not.

As nginx 1.22.1 and HAProxy 2.6.12 of Debian 12 were seen to answer:

* Both pass on an answer that comes before the whole body. HAProxy then closes
  the socket. nginx (proxy_request_buffering off) says ``Connection:
  keep-alive`` and goes on reading, for 5 s at most between two packets and
  30 s in all (lingering_timeout, lingering_time).
* When the server behind it has reset the connection, nginx says 502 instead
  of what the server had answered, a 401 for one.
* nginx's own 413 (client_max_body_size, 1 MiB if nobody sets it) comes at
  once for a known length, with ``Connection: close``, else after the MiB.
* HAProxy's own answers have headers in lower case, ``connection: close``, and
  a body in HTML; nginx's have a body in HTML.
* Both close idle connections without a word (keepalive_timeout, timeout
  http-keep-alive).
* A ``100 Continue`` that nobody asked for comes through.
"""

from pathlib import Path
import ssl
import threading
from typing import Any

import fixtures

from glance_store_bufswift import errors
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import certificates
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import waits
from glance_store_bufswift.tests.unit import wires

DATA = streams.image(3_000_000)

HTML = (
    b'<html>\r\n<head><title>%b</title></head>\r\n<body>\r\n'
    b'<center><h1>%b</h1></center>\r\n<hr><center>nginx/1.22.1</center>'
    b'\r\n</body>\r\n</html>\r\n'
)


def html(status: bytes, close: bool = False) -> bytes:
    """An answer of nginx's own."""
    body = HTML % (status, status)
    return (
        b'HTTP/1.1 %b\r\nServer: nginx/1.22.1\r\n'
        b'Content-Type: text/html\r\nContent-Length: %d\r\n'
        b'Connection: %b\r\n\r\n'
        % (status, len(body), b'close' if close else b'keep-alive')
        + body
    )


def whole(text: bytes) -> sockets.Action:
    """Answer with these bytes after the body, keeping the connection."""

    def act(request: sockets.Request) -> None:
        if request.method == 'PUT':
            request.read_body()
        request.peer.sendall(text)

    return act


class Early:
    """Answer after a part of the body, and go on reading as nginx does."""

    def __init__(self, text: bytes, after: int = 100_000) -> None:
        self._text = text
        self._after = after
        self.answered = threading.Event()
        self.came = after

    def __call__(self, request: sockets.Request) -> None:
        request.receive(self._after)
        request.peer.sendall(self._text)
        self.answered.set()
        while block := request.peer.recv(1 << 16):
            self.came += len(block)
        request.hang_up()


class TestEarlyAnswers(wires.WireTestCase):
    def put(
        self,
        server: sockets.Server,
        early: Early,
        length: int | None = len(DATA),
        **how: Any,
    ) -> BaseException | None:
        """Write half of a segment before the answer, half behind it."""
        body = self.segment(DATA[:1_000_000], finished=False)
        self.last = self.account(server, **how)
        put = waits.start(self.last.objects.put, 'c', 'o', body, length)
        self.assertTrue(early.answered.wait(waits.GENEROUS))
        body.write(DATA[1_000_000:])
        body.finish(wires.md5_of(DATA))
        return put.exception(waits.GENEROUS)

    def test_what_is_refused_is_not_sent_on(self) -> None:
        for length in (len(DATA), None):
            early = Early(html(b'413 Request Entity Too Large', close=True))
            server = self.serve(early)
            exc = self.put(server, early, length)
            self.assertIsInstance(exc, errors.RequestFailed)
            assert isinstance(exc, errors.RequestFailed)
            self.assertEqual(413, exc.status)
            self.assertIn('tried once: 413 Request Entity Too Large', str(exc))
            self.last.close()
            server.stop()
            self.assertLess(early.came, len(DATA) // 2)

    def test_nothing_follows_half_a_request(self) -> None:
        """Although the proxy offers to keep the connection."""
        early = Early(html(b'503 Service Temporarily Unavailable'))
        server = self.serve(early, sockets.store)
        # With a session, swiftclient takes a new connection anyway.
        self.assertIsNone(self.put(server, early, login=None, token='x'))
        self.assertEqual(
            [1, 2], [request.connection for request in server.requests]
        )
        self.assertEqual(DATA, server.requests[1].body)
        self.assertEqual(1, self.last.client.retries)

    def test_new_token_after_a_401(self) -> None:
        early = Early(html(b'401 Unauthorized'))
        server = self.serve(early, sockets.store)
        self.assertIsNone(self.put(server, early))
        self.assertEqual(
            ['token-1', 'token-2'],
            [request.headers['x-auth-token'] for request in server.requests],
        )
        self.assertEqual(DATA, server.requests[1].body)

    def test_interim_answer_is_none(self) -> None:
        early = Early(b'HTTP/1.1 100 Continue\r\n\r\n', 0)

        def act(request: sockets.Request) -> None:
            request.peer.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
            early.answered.set()
            sockets.store(request)

        server = self.serve(act)
        self.assertIsNone(self.put(server, early))
        self.assertEqual(0, self.last.client.retries)
        self.assertEqual(DATA, server.requests[0].body)

    def test_answer_behind_an_interim_one(self) -> None:
        early = Early(
            b'HTTP/1.1 100 Continue\r\n\r\n' + html(b'403 Forbidden')
        )
        server = self.serve(early)
        exc = self.put(server, early)
        assert isinstance(exc, errors.RequestFailed)
        self.assertEqual(403, exc.status)
        self.last.close()
        server.stop()
        self.assertLess(early.came, len(DATA) // 2)

    def test_connection_that_ends_is_not_sent_to(self) -> None:
        early = Early(b'')

        def act(request: sockets.Request) -> None:
            request.receive(100)
            request.hang_up()
            early.answered.set()

        server = self.serve(act, sockets.store)
        self.assertIsNone(self.put(server, early))
        self.assertEqual(1, self.last.client.retries)


class TestLostAnswers(wires.WireTestCase):
    """A 401 that the reset of its connection, or a 502, stands for."""

    def tokens(
        self, *faults: sockets.Action, timeout: float = 60
    ) -> list[str]:
        server = self.serve(*faults, sockets.store)
        self.account(server, timeout=timeout).objects.put(
            'c', 'o', self.segment(DATA), len(DATA)
        )
        self.assertEqual(DATA, server.requests[-1].body)
        return [request.headers['x-auth-token'] for request in server.requests]

    def test_second_reset_gets_a_new_token(self) -> None:
        self.assertEqual(
            ['token-1', 'token-1', 'token-2'],
            self.tokens(sockets.reset(100), sockets.reset(100)),
        )

    def test_second_502_gets_a_new_token(self) -> None:
        bad = whole(html(b'502 Bad Gateway'))
        self.assertEqual(
            ['token-1', 'token-1', 'token-2'], self.tokens(bad, bad)
        )

    def test_one_reset_costs_none(self) -> None:
        self.assertEqual(['token-1'] * 2, self.tokens(sockets.reset(100)))

    def test_what_hides_no_401_costs_none(self) -> None:
        for fault in (sockets.answer(503), sockets.answer(504)):
            self.assertEqual(['token-1'] * 3, self.tokens(fault, fault))

    def test_a_timeout_costs_none(self) -> None:
        self.assertEqual(
            ['token-1'] * 2, self.tokens(sockets.stall_answer, timeout=2)
        )

    def test_without_a_session_there_is_no_other(self) -> None:
        server = self.serve(
            sockets.reset(100), sockets.reset(100), sockets.store
        )
        self.account(server, login=None, token='only').objects.put(
            'c', 'o', self.segment(DATA), len(DATA)
        )
        self.assertEqual(
            {'only'},
            {request.headers['x-auth-token'] for request in server.requests},
        )


def refuse_first_token(request: sockets.Request) -> None:
    """Answer 401 to it before the body, and reset the connection."""
    if request.headers['x-auth-token'] == 'token-1':
        sockets.early(401, 100_000)(request)
    else:
        sockets.store(request)


class TestEarly401(wires.WireTestCase):
    """A 401, and a socket closed on what is still being sent."""

    def test_it_is_read_behind_the_broken_pipe(self) -> None:
        server = self.serve(*[refuse_first_token] * 2)
        self.account(server).objects.put(
            'c', 'o', self.segment(DATA), len(DATA)
        )
        self.assertEqual(
            ['token-1', 'token-2'],
            [request.headers['x-auth-token'] for request in server.requests],
        )

    def test_on_tls_it_may_take_another_try(self) -> None:
        """OpenSSL does not always give what came before the reset."""
        path = Path(self.useFixture(fixtures.TempDir()).path, 'cert.pem')
        certificates.write_certificate(path)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(path)
        server = self.serve(*[refuse_first_token] * 3, tls=tls)
        self.account(server, cacert=str(path)).objects.put(
            'c', 'o', self.segment(DATA), len(DATA)
        )
        self.assertEqual(DATA, server.requests[-1].body)


class TestOwnAnswers(wires.WireTestCase):
    def test_html_is_not_quoted(self) -> None:
        for status in (b'502 Bad Gateway', b'504 Gateway Time-out'):
            server = self.serve(*[whole(html(status))] * 2)
            exc = self.assertRaises(
                errors.RequestFailed,
                self.account(server, 1).objects.put,
                'c',
                'o',
                self.segment(b'body'),
                4,
            )
            self.assertIn(status.decode(), str(exc))
            self.assertNotIn('<', str(exc))
            self.assertNotIn('\n', str(exc))

    def test_html_where_nothing_is_sent(self) -> None:
        bad = whole(html(b'502 Bad Gateway'))
        server = self.serve(bad, sockets.answer(200), bad, sockets.answer(204))
        account = self.account(server)
        self.assertTrue(account.containers.exists('c'))
        account.objects.delete('c', 'o')

    def test_haproxys_429(self) -> None:
        server = self.serve(
            sockets.say(
                b'HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\n'
                b'content-length: 0\r\nconnection: close\r\n\r\n'
            ),
            sockets.store,
        )
        self.account(server).objects.put('c', 'o', self.segment(b'body'), 4)
        self.assertEqual([7], self.waits.seconds)

    def test_http_1_0(self) -> None:
        """Headers in lower case, no length, no connection that is kept."""
        answer = sockets.say(
            b'HTTP/1.0 201 Created\r\netag: '
            b'"841a2d689ad86bd1611447453c22c6fc"\r\n\r\n'
        )
        server = self.serve(answer, answer)
        account = self.account(server)
        for _ in range(2):
            account.objects.put('c', 'o', self.segment(b'body'), 4)
        self.assertEqual((2, 0), (server.made, account.client.retries))


class TestIdleConnections(wires.WireTestCase):
    def test_closed_between_two_segments(self) -> None:
        closed = threading.Event()

        def act(request: sockets.Request) -> None:
            sockets.store(request)
            request.hang_up()
            closed.set()

        server = self.serve(act, sockets.store)
        account = self.account(server)
        account.objects.put('c', 'o', self.segment(b'body'), 4)
        self.assertTrue(closed.wait(sockets.GENEROUS))
        account.objects.put('c', 'o', self.segment(b'body'), 4)
        self.assertEqual((2, 0), (server.made, account.client.retries))

    def test_closed_just_when_the_next_one_comes(self) -> None:
        server = self.serve(sockets.store, sockets.reset(0), sockets.store)
        account = self.account(server)
        for _ in range(2):
            account.objects.put('c', 'o', self.segment(DATA), len(DATA))
        self.assertEqual(1, account.client.retries)
        self.assertEqual(DATA, server.requests[2].body)


class TestLengthRequired(wires.WireTestCase):
    """411: old proxies take no chunked encoding (nginx before 1.3.9)."""

    def test_segment_is_sent_with_its_length(self) -> None:
        server = self.serve(
            sockets.early(411, 2), sockets.store, sockets.store
        )
        account = self.account(server)
        account.objects.put('c', 'o', self.segment(DATA))
        account.objects.put('c', 'p', self.segment(DATA))
        self.assertEqual(
            ['chunked', None, None],
            [
                request.headers.get('transfer-encoding')
                for request in server.requests
            ],
        )
        self.assertEqual(
            [DATA, DATA], [request.body for request in server.requests[1:]]
        )
        self.assertEqual(1, account.client.retries)

    def test_next_segments_wait_for_their_end(self) -> None:
        server = self.serve(
            sockets.early(411, 2), sockets.store, sockets.store
        )
        account = self.account(server)
        account.objects.put('c', 'o', self.segment(b'body'))
        account.close()  # the server has one thread
        body = self.segment(b'bo', finished=False)
        put = waits.start(account.objects.put, 'c', 'p', body)
        body.write(b'dy')
        body.finish(wires.md5_of(b'body'))
        put.result(waits.GENEROUS)
        self.assertEqual('4', server.requests[2].headers['content-length'])

    def test_without_a_buffer(self) -> None:
        server = self.serve(sockets.early(411, 2))
        exc = self.assertRaises(
            errors.RequestFailed,
            self.account(server).objects.put,
            'c',
            'o',
            self.segment(b'body', buffered=False),
        )
        self.assertEqual(411, exc.status)
        self.assertIn('swift_buffered_dir', str(exc))
        self.assertIn('PUT of c/o', str(exc))

    def test_with_a_length_it_is_final(self) -> None:
        server = self.serve(sockets.answer(411))
        exc = self.assertRaises(
            errors.RequestFailed,
            self.account(server).objects.put,
            'c',
            'o',
            self.segment(b'body'),
            4,
        )
        self.assertIn('tried once: 411', str(exc))
