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

"""Faults on the wire in the middle of a PUT."""

import random

from glance_store_bufswift import errors
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import waits
from glance_store_bufswift.tests.unit import wires

DATA = streams.image(3_000_000)

#: What a fault may be that passes, each as the action for one request.
FAULTS = (
    sockets.answer(401),
    sockets.answer(408),
    sockets.answer(422),
    sockets.answer(429),
    sockets.answer(498),
    sockets.answer(499),
    sockets.answer(500),
    sockets.answer(503),
    sockets.answer(507),
    sockets.answer(201, ETag='0' * 32),
    sockets.answer(202),
    sockets.reset(2),
    sockets.early(401, 2),
    sockets.early(503, 0),
    sockets.say(b'what?\r\n\r\n'),
    sockets.say(b''),
)


class _TestCase(wires.WireTestCase):
    def put(
        self,
        server: sockets.Server,
        retries: int = 3,
        length: int | None = len(DATA),
        data: bytes = DATA,
        timeout: float = 20,
    ) -> None:
        self.last = self.account(server, retries, timeout=timeout)
        self.last.objects.put('c', 'o', self.segment(data), length)

    def fail(  # type: ignore[override]  # shorter
        self,
        server: sockets.Server,
        retries: int = 3,
        timeout: float = 20,
    ) -> errors.RequestFailed:
        """The error of a PUT of a few bytes."""
        exc: errors.RequestFailed = self.assertRaises(
            errors.RequestFailed,
            self.put,
            server,
            retries,
            4,
            b'body',
            timeout,
        )
        self.assertIn('PUT of c/o failed', str(exc))
        return exc


class TestResume(_TestCase):
    def _recovered(self, *faults: sockets.Action) -> sockets.Server:
        for length in (len(DATA), None):
            server = self.serve(*faults, sockets.store)
            self.put(server, length=length)
            self.assertEqual(DATA, server.requests[-1].body)
            self.assertEqual(len(faults) + 1, len(server.requests))
            self.assertEqual(len(faults), self.last.client.retries)
        return server

    def test_reset_in_the_middle(self) -> None:
        self._recovered(sockets.reset(1_000_000))

    def test_reset_at_either_end(self) -> None:
        self._recovered(sockets.reset(0), sockets.reset(2_900_000))

    def test_answer_is_lost(self) -> None:
        self._recovered(sockets.say(b''))

    def test_answer_is_garbage(self) -> None:
        self._recovered(sockets.say(b'SSH-2.0-OpenSSH_9.6\r\n'))

    def test_answer_is_cut_in_its_header(self) -> None:
        self._recovered(
            sockets.say(b'HTTP/1.1 201 Created\r\nETag: 0123'),
            sockets.say(b'HTTP/1.1 20'),
        )

    def test_408_and_499_get_a_fresh_socket(self) -> None:
        server = self._recovered(sockets.answer(408), sockets.answer(499))
        self.assertEqual(
            [1, 2, 3], [each.connection for each in server.requests]
        )

    def test_early_answer_and_closed_socket(self) -> None:
        self._recovered(sockets.early(503, 100_000))

    def test_answers_that_do_not_confirm(self) -> None:
        self._recovered(sockets.answer(202))
        self._recovered(sockets.answer(201, ETag='0' * 32))
        self._recovered(sockets.answer(202, ETag='0' * 32))

    def test_422_is_sent_again(self) -> None:
        self._recovered(sockets.answer(422), sockets.answer(422))

    def test_two_faults_of_different_kinds(self) -> None:
        self._recovered(
            sockets.reset(10), sockets.answer(202), sockets.answer(503)
        )


class TestTokens(_TestCase):
    def _tokens(self, server: sockets.Server) -> list[str]:
        return [each.headers['x-auth-token'] for each in server.requests]

    def test_401_gets_a_new_token(self) -> None:
        server = self.serve(sockets.answer(401), sockets.store)
        self.put(server)
        self.assertEqual(['token-1', 'token-2'], self._tokens(server))

    def test_early_401_with_a_closed_socket_gets_a_new_token(self) -> None:
        server = self.serve(sockets.early(401, 100_000), sockets.store)
        self.put(server)
        self.assertEqual(['token-1', 'token-2'], self._tokens(server))
        self.assertEqual(DATA, server.requests[1].body)

    def test_any_fault_has_the_session_asked_for_its_token(self) -> None:
        def act(request: sockets.Request) -> None:
            self.session.number += 1
            sockets.reset(100)(request)

        server = self.serve(act, sockets.store)
        self.put(server)
        self.assertEqual(['token-1', 'token-2'], self._tokens(server))

    def test_401_twice(self) -> None:
        server = self.serve(
            sockets.answer(401), sockets.answer(401), sockets.store
        )
        self.put(server)
        self.assertEqual(
            ['token-1', 'token-2', 'token-3'], self._tokens(server)
        )

    def test_401_for_ever(self) -> None:
        server = self.serve(*[sockets.answer(401)] * 4)
        self.assertEqual(401, self.fail(server).status)
        self.assertEqual(4, len(server.requests))

    def test_401_without_a_session_is_final(self) -> None:
        server = self.serve(sockets.answer(401))
        account = self.account(server, login=None, token='given')
        exc = self.assertRaises(
            errors.RequestFailed,
            account.objects.put,
            'c',
            'o',
            self.segment(b'body'),
            4,
        )
        self.assertEqual(401, exc.status)
        self.assertEqual(['given'], self._tokens(server))


class TestWaits(_TestCase):
    def test_retry_after_is_honoured(self) -> None:
        server = self.serve(
            sockets.answer(503, Retry_After='17'),
            sockets.answer(429, Retry_After='19'),
            sockets.store,
        )
        self.put(server)
        self.assertEqual([17, 19], self.waits.seconds)

    def test_retry_after_is_honoured_up_to_the_limit(self) -> None:
        server = self.serve(
            sockets.answer(503, Retry_After='3600'), sockets.store
        )
        self.put(server)
        self.assertEqual([30], self.waits.seconds)

    def test_each_further_try_has_one_wait_before_it(self) -> None:
        faults = [
            sockets.reset(10),
            sockets.answer(202),
            sockets.answer(401),
            sockets.answer(503),
        ]
        self.put(self.serve(*faults, sockets.store), retries=4)
        self.assertEqual(4, len(self.waits.seconds))
        for made, wait in enumerate(self.waits.seconds):
            self.assertGreaterEqual(wait, 2**made / 2)


class TestFailure(_TestCase):
    def test_never_more_tries_than_allowed(self) -> None:
        choose = random.Random(5)
        for _ in range(60):
            retries = choose.randrange(5)
            faults = choose.choices(FAULTS, k=retries + 1)
            # One request more would fail the test.
            server = self.serve(*faults)
            self.fail(server, retries)
            self.assertEqual(retries + 1, len(server.requests))
            self.assertEqual(retries, len(self.waits.seconds))
            self.waits.seconds.clear()
            self.last.close()
            server.stop()

    def test_last_allowed_try_may_succeed(self) -> None:
        choose = random.Random(6)
        for _ in range(30):
            faults = choose.choices(FAULTS, k=choose.randrange(1, 5))
            server = self.serve(*faults, sockets.store)
            self.put(server, len(faults), 4, b'body')
            self.assertEqual(b'body', server.requests[-1].body)

    def test_what_can_not_pass_is_not_tried_again(self) -> None:
        for status in (400, 403, 404, 405, 409, 411, 412, 413):
            server = self.serve(sockets.answer(status, X_Trans_Id='tx-7'))
            exc = self.fail(server)
            self.assertEqual(status, exc.status)
            self.assertIn('tx-7', str(exc))
            self.assertIn('once', str(exc))

    def test_timeout_of_the_answer(self) -> None:
        exc = self.fail(self.serve(*[sockets.stall_answer] * 2), 1, 0.2)
        self.assertTrue(exc.timed_out)
        self.assertIsNone(exc.status)

    def test_timeout_while_sending(self) -> None:
        data = bytes(32 << 20)  # more than sockets hold
        # No more is accepted meanwhile: the second try stalls like it.
        stall = sockets.Stall()
        server = self.serve(stall, stall)
        self.addCleanup(stall.released.set)
        exc = self.assertRaises(
            errors.RequestFailed, self.put, server, 1, len(data), data, 0.2
        )
        self.assertTrue(exc.timed_out)

    def test_reset_is_no_timeout(self) -> None:
        exc = self.fail(self.serve(sockets.reset(0)), 0)
        self.assertFalse(exc.timed_out)

    def test_nobody_listens(self) -> None:
        server = self.serve()
        server.stop()
        self.assertIsNone(self.fail(server).status)
        self.assertEqual(3, len(self.waits.seconds))

    def test_message_names_the_last_fault(self) -> None:
        server = self.serve(sockets.answer(500), sockets.answer(503))
        self.assertIn('503', str(self.fail(server, 1)))


class TestUnbuffered(_TestCase):
    """Segments that can't be sent again once too much of them was sent."""

    def _lost(self, *faults: sockets.Action) -> errors.RequestFailed:
        body = self.segment(b'', buffered=False, finished=False)
        server = self.serve(*faults)
        account = self.account(server)
        size = 6 << 20
        put = waits.start(account.objects.put, 'c', 'o', body, size)
        for _ in range(6):
            body.write(bytes(1 << 20))
        body.finish(wires.md5_of(bytes(size)))
        exc = put.exception(waits.GENEROUS)
        self.assertIsInstance(exc, errors.RequestFailed)
        assert isinstance(exc, errors.RequestFailed)
        self.assertIn('PUT of c/o', str(exc))
        self.assertIn('not sent again', str(exc))
        return exc

    def test_within_its_window_it_is_sent_again(self) -> None:
        server = self.serve(
            sockets.reset(1000), sockets.answer(202), sockets.store
        )
        self.account(server).objects.put(
            'c', 'o', self.segment(DATA, buffered=False), len(DATA)
        )
        self.assertEqual(DATA, server.requests[-1].body)

    def test_error_names_the_fault_that_swiftclient_would_retry(self) -> None:
        self.assertEqual(503, self._lost(sockets.answer(503)).status)

    def test_error_names_the_fault_that_we_would_retry(self) -> None:
        self.assertEqual(422, self._lost(sockets.answer(422)).status)
        self.assertIn('202', str(self._lost(sockets.answer(202))))
