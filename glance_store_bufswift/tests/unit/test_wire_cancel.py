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

"""Breaking off a request from another thread, plain and on TLS."""

from pathlib import Path
import ssl

import fixtures

from glance_store_bufswift.buffer import segment
from glance_store_bufswift import errors
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import certificates
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import waits
from glance_store_bufswift.tests.unit import wires


class TestCancel(wires.WireTestCase):
    tls: ssl.SSLContext | None = None
    cacert: str | None = None

    def _cancelled(
        self,
        server: sockets.Server,
        stall: sockets.Stall,
        body: segment.SegmentBody,
        size: int,
    ) -> BaseException | None:
        """What a PUT ends with that is cancelled while it hangs."""
        self.addCleanup(stall.released.set)
        # Nothing but the cancelling ends it before the test gives up.
        account = self.account(server, timeout=3600, cacert=self.cacert)
        put = waits.start(account.objects.put, 'c', 'o', body, size)
        self.assertTrue(stall.began.wait(waits.GENEROUS))
        account.client.cancel()
        exc = put.exception(waits.GENEROUS)
        self.assertRaises(errors.Aborted, account.objects.head, 'c', 'o')
        stall.released.set()
        return exc

    def test_blocked_send_ends(self) -> None:
        stall = sockets.Stall()
        server = self.serve(stall, tls=self.tls)
        data = bytes(32 << 20)  # more than sockets hold
        exc = self._cancelled(server, stall, self.segment(data), len(data))
        self.assertIsInstance(exc, errors.Aborted)

    def test_blocked_wait_for_the_answer_ends(self) -> None:
        stall = sockets.Stall()

        def act(request: sockets.Request) -> None:
            request.read_body()
            stall(request)

        server = self.serve(act, tls=self.tls)
        exc = self._cancelled(server, stall, self.segment(b'body'), 4)
        self.assertIsInstance(exc, errors.Aborted)

    def test_nothing_is_sent_after_it(self) -> None:
        server = self.serve(tls=self.tls)
        account = self.account(server, cacert=self.cacert)
        account.client.cancel()
        exc = self.assertRaises(
            errors.BufswiftError,
            account.objects.put,
            'c',
            'o',
            self.segment(b'body'),
            4,
        )
        self.assertIsInstance(exc, errors.Aborted)
        account.close()
        server.stop()
        self.assertEqual([], server.requests)

    def test_fresh_account_is_not_cancelled(self) -> None:
        server = self.serve(sockets.answer(204), tls=self.tls)
        account = self.account(server, cacert=self.cacert)
        account.client.cancel()
        fresh = account.fresh()
        self.addCleanup(fresh.close)
        fresh.objects.delete('c', 'o')
        self.assertEqual('DELETE', server.requests[0].method)

    def test_idle_connection_is_broken_off(self) -> None:
        server = self.serve(sockets.store, tls=self.tls)
        account = self.account(server, cacert=self.cacert)
        account.objects.put('c', 'o', self.segment(b'body'), 4)
        account.client.cancel()
        server.stop()
        self.assertEqual(1, server.ended)


class TestTLS(TestCancel):
    """The same on TLS, and what only TLS can do wrong."""

    def setUp(self) -> None:
        super().setUp()
        path = Path(self.useFixture(fixtures.TempDir()).path, 'cert.pem')
        certificates.write_certificate(path)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(path)
        self.cacert = str(path)

    def resume(self, known: bool) -> None:
        data = streams.image(3_000_000)
        server = self.serve(
            sockets.reset(1_000_000), sockets.store, tls=self.tls
        )
        self.account(server, cacert=self.cacert).objects.put(
            'c', 'o', self.segment(data), len(data) if known else None
        )
        self.assertEqual(data, server.requests[1].body)

    def test_resume(self) -> None:
        self.resume(known=True)

    def test_resume_in_chunks(self) -> None:
        self.resume(known=False)

    def test_unknown_certificate_is_not_tried_again(self) -> None:
        server = self.serve(tls=self.tls)
        exc = self.assertRaises(
            errors.RequestFailed,
            self.account(server).objects.put,
            'c',
            'o',
            self.segment(b'body'),
            4,
        )
        self.assertIn('certificate verify failed', str(exc))
        server.stop()
        self.assertEqual((1, 1), (server.made, len(server.refused)))
        self.assertEqual([], self.waits.seconds)

    def test_unknown_certificate_is_fine_where_told(self) -> None:
        server = self.serve(sockets.store, tls=self.tls)
        self.account(server, insecure=True).objects.put(
            'c', 'o', self.segment(b'body'), 4
        )
        self.assertEqual(b'body', server.requests[0].body)
