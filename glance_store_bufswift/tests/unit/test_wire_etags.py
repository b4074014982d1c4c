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

"""What confirms that an object was stored, whatever a proxy does to it."""

import hashlib

from glance_store_bufswift import errors
from glance_store_bufswift.swift import answers
from glance_store_bufswift.tests.support import fresh
from glance_store_bufswift.tests.support import logs
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import wires

DATA = b'body'
MD5 = hashlib.md5(DATA, usedforsecurity=False).hexdigest()

#: The same ETag in other forms: weak as nginx makes it, quoted as etag-quoter
#: does, in capitals.
FORMS = (
    MD5,
    f'"{MD5}"',
    f'W/"{MD5}"',
    f'w/"{MD5.upper()}"',
    MD5.upper(),
    f' "{MD5}" ',
    f'W/{MD5}',
)

BARE = sockets.answer(201)


class TestForms(wires.WireTestCase):
    def test_same_md5(self) -> None:
        for etag in FORMS:
            self.assertEqual(MD5, answers.md5_of({'etag': etag}), etag)

    def test_other_etags(self) -> None:
        for etag, told in (
            ('"abc-2"', 'abc-2'),
            ('W/"x"', 'x'),
            ('a"b', 'a"b'),
            ('"', None),
            ('', None),
            ('""', None),
            ('W/""', None),
            ('-', None),
            ('  ', None),
        ):
            self.assertEqual(told, answers.md5_of({'etag': etag}), etag)
        self.assertIsNone(answers.md5_of({}))

    def test_confirm_a_put(self) -> None:
        for etag in FORMS:
            for buffered in (True, False):
                server = self.serve(sockets.answer(201, ETag=etag))
                self.account(server).objects.put(
                    'c', 'o', self.segment(DATA, buffered), len(DATA)
                )
                self.assertEqual(1, len(server.requests))

    def test_other_bytes_stay_unconfirmed(self) -> None:
        wrong = sockets.answer(201, ETag=f'W/"{"0" * 32}"')
        exc = self.assertRaises(
            errors.RequestFailed,
            self.account(self.serve(wrong), 0).objects.put,
            'c',
            'o',
            self.segment(DATA),
            len(DATA),
        )
        self.assertIn(f"ETag '{'0' * 32}'", str(exc))


class TestMissing(wires.WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fresh.Notices())
        self.records = self.useFixture(logs.Records())

    def put(
        self, *actions: sockets.Action, retries: int = 5, buffered: bool = True
    ) -> None:
        self.server = self.serve(*actions)
        self.last = self.account(self.server, retries)
        self.last.objects.put(
            'c', 'o', self.segment(DATA, buffered), len(DATA)
        )

    def asked(self) -> list[str]:
        return [each.method for each in self.server.requests]

    def fail(  # type: ignore[override]  # with an error
        self,
        *actions: sockets.Action,
        retries: int = 5,
    ) -> str:
        exc = self.assertRaises(
            errors.RequestFailed, self.put, *actions, retries=retries
        )
        return str(exc)

    def test_a_head_has_it(self) -> None:
        for etag in FORMS:
            for buffered in (True, False):
                self.put(
                    BARE, sockets.answer(200, ETag=etag), buffered=buffered
                )
                self.assertEqual(['PUT', 'HEAD'], self.asked())
                self.assertEqual(0, self.last.client.retries)
        self.assertEqual('true', self.server.requests[1].headers['x-newest'])

    def test_site_is_warned_of_once(self) -> None:
        server = self.serve(*[BARE, sockets.answer(200, ETag=MD5)] * 2)
        account = self.account(server)
        for _ in range(2):
            account.objects.put('c', 'o', self.segment(DATA), 4)
        [warning] = [
            each.getMessage()
            for each in self.records.all
            if each.levelname == 'WARNING'
        ]
        self.assertIn(server.url, warning)

    def test_nothing_has_it(self) -> None:
        """Trying again would change nothing."""
        said = self.fail(BARE, sockets.answer(200))
        self.assertIn('PUT of c/o failed, tried once: 201', said)
        self.assertIn('proxy in front of it removes the ETag', said)
        self.assertEqual(['PUT', 'HEAD'], self.asked())
        self.assertEqual([], self.waits.seconds)

    def test_a_head_has_another(self) -> None:
        self.put(BARE, sockets.answer(200, ETag='0' * 32), sockets.store)
        self.assertEqual(['PUT', 'HEAD', 'PUT'], self.asked())
        self.assertEqual(
            (1, 1), (self.last.client.retries, len(self.waits.seconds))
        )

    def test_a_head_fails(self) -> None:
        for action in (
            sockets.answer(404),
            sockets.answer(503),
            sockets.say(b''),
        ):
            self.put(BARE, action, sockets.store)
            self.assertEqual(['PUT', 'HEAD', 'PUT'], self.asked())

    def test_head_is_not_counted_as_a_try(self) -> None:
        wrong = sockets.answer(200, ETag='0' * 32)
        said = self.fail(
            sockets.answer(503), BARE, wrong, BARE, wrong, retries=2
        )
        self.assertIn('tried 3 times', said)
        self.assertEqual(2, self.last.client.retries)

    def test_202_is_not_asked_about(self) -> None:
        self.put(sockets.answer(202), sockets.store)
        self.assertEqual(['PUT', 'PUT'], self.asked())
