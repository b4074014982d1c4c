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

"""What swiftclient does not expect, and what it logs of all that fails."""

import logging

import swiftclient.client

from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import failures
from glance_store_bufswift.swift import pool
from glance_store_bufswift.swift import retry
from glance_store_bufswift.tests.support import fresh
from glance_store_bufswift.tests.support import logs
from glance_store_bufswift.tests.unit import refusals
from glance_store_bufswift.tests.unit import sockets

DATA = refusals.DATA

#: What swiftclient does not expect, each as the whole answer.
SURPRISES = {
    'a byte that is no UTF-8': (
        b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Odd: caf\xe9\r\n\r\n'
    ),
    'the same, with an error': (
        b'HTTP/1.1 503 No\r\nContent-Length: 0\r\nX-Odd: \xff\r\n\r\n'
    ),
    'two lengths': (
        b'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'
    ),
    'no HTTP': b'SSH-2.0-OpenSSH_9.2\r\n',
    'too many headers': b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 999 + b'\r\n',
    'an endless line': b'HTTP/1.1 200 OK\r\nX: ' + b'y' * 70_000 + b'\r\n\r\n',
}

#: The same for what reads JSON.
BODIES = {
    'no UTF-8': (b'\xff\xfe', 'application/json'),
    'a page': (b'<html>', 'text/html'),
    'null': (b'null', 'x/y'),
    'too deep': (b'[' * 100_000, 'application/json'),
    'names': (b'["a", "b"]', 'application/json'),
    'no names': (b'[{"bytes": 7}]', 'application/json'),
}


CALLS: tuple[refusals.Call, ...] = (
    *refusals.READERS,
    *refusals.WRITERS,
    lambda account: account.objects.head('c', 'o'),
    lambda account: account.containers.head('c'),
    lambda account: account.objects.get(
        'c', 'o', {}, account.client.tries('GET of c/o'), lambda answer: answer
    ),
)


class TestSurprises(refusals.Case):
    """Never a ValueError: Glance would take the image for invalid."""

    def setUp(self) -> None:
        super().setUp()
        self.records = self.useFixture(logs.Records())

    def test_every_request(self) -> None:
        for text in SURPRISES.values():
            for call in (self.put, *CALLS):
                exc = self.failed(
                    call, self.to(*[sockets.say(text)] * 2, retries=1)
                )
                self.assertIn('tried 2 times: ', str(exc))
                # swiftclient tells a 503 before it stumbles, or does not.
                self.assertIn(exc.status, (None, 503))

    def test_passes(self) -> None:
        for buffered in (True, False):
            for text in SURPRISES.values():
                self.put(self.to(sockets.say(text), sockets.store), buffered)
                self.assertEqual(DATA, self.server.requests[-1].body)

    def test_named_and_traced(self) -> None:
        exc = self.failed(
            self.put,
            self.to(
                sockets.say(SURPRISES['a byte that is no UTF-8']), retries=0
            ),
        )
        self.assertIn('swiftclient failed with UnicodeDecodeError', str(exc))
        [record] = [
            each
            for each in self.records.all
            if each.name.endswith('swift.guard')
        ]
        self.assertEqual(logging.DEBUG, record.levelno)
        self.assertIn('UnicodeDecodeError', logs.text_of(record))

    def test_json(self) -> None:
        for body, kind in BODIES.values():
            odd = sockets.give(body, Content_Type=kind)
            for call in refusals.READERS:
                exc = self.failed(call, self.to(odd, odd, retries=1))
                self.assertIn('tried 2 times', str(exc))

    def test_charset(self) -> None:
        odd = sockets.give(b'[]', Content_Type='text/json; charset=x-odd')
        for call in refusals.READERS[:2]:
            exc = self.failed(call, self.to(odd, retries=0))
            self.assertIn('LookupError', str(exc))

    def test_in_the_middle_of_a_body(self) -> None:
        """What is read past swiftclient, in chunks."""
        account = self.to(
            sockets.say(
                b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size'
            )
        )
        body = account.objects.get(
            'c', 'o', {}, account.client.tries('GET'), lambda answer: answer
        ).body
        try:
            body.read(10)
        except Exception as exc:
            self.assertNotIsInstance(exc, ValueError)
            self.assertIsNotNone(failures.of_exception(exc))
        else:
            self.fail('nothing was raised')

    def test_scheme(self) -> None:
        """What the catalog has may be no address at all."""
        for url in ('ftp://swift/v1', 'http://swift:port/v1', '/v1'):
            self.to()
            account = accounts.Account(
                client.Client(
                    pool.Endpoint(url, login=self.session),
                    retry.Policy(3, 30, self.waits),
                )
            )
            exc = self.failed(self.put, account)
            self.assertNotIn('no answer', str(exc))


class TestQuiet(refusals.Case):
    """swiftclient's four lines for each failed request are not ours."""

    def setUp(self) -> None:
        super().setUp()
        self.records = self.useFixture(logs.Records())

    def told(self, level: int) -> list[str]:
        return [
            each.getMessage()
            for each in self.records.all
            if each.name == 'swiftclient' and each.levelno == level
        ]

    def ask(self) -> None:
        self.useFixture(fresh.Info())
        account = self.to(
            sockets.answer(503), sockets.answer(404), sockets.answer(404)
        )
        account.objects.head('c', 'o')
        account.site.capabilities()

    def test_ours(self) -> None:
        self.ask()
        self.assertEqual([], self.told(logging.INFO))
        self.assertNotEqual([], self.told(logging.DEBUG))

    def test_ours_above_debug(self) -> None:
        logger = swiftclient.client.logger
        self.addCleanup(logger.setLevel, logger.level)
        logger.setLevel(logging.INFO)
        self.ask()
        self.assertEqual([], self.told(logging.DEBUG))

    def test_others(self) -> None:
        """The stock driver is heard as before."""
        server = self.serve(
            sockets.say(b'HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n')
        )
        connection = swiftclient.client.Connection(
            preauthurl=server.url, preauthtoken='x', retries=0
        )
        self.addCleanup(connection.close)
        self.assertRaises(
            swiftclient.ClientException, connection.head_object, 'c', 'o'
        )
        self.assertNotEqual([], self.told(logging.INFO))
