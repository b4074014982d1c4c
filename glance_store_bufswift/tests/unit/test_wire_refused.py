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

"""Answers of gateways and proxies that are no success, and what they say."""

from collections.abc import Callable

from glance_store import exceptions

from glance_store_bufswift.swift import accounts
from glance_store_bufswift.tests.unit import refusals
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift import translation


MISSING = sockets.answer(404)
RACE = sockets.give(b'{"Code": "ConcurrentModification"}', 409)


class TestCodes(refusals.Case):
    """Ceph RGW: what is wrong is told by a code in the body."""

    def test_no_room(self) -> None:
        for body in (refusals.JSON, refusals.XML, refusals.PLAIN):
            for code, status in (
                ('EntityTooLarge', 400),
                ('QuotaExceeded', 403),
            ):
                told = body.replace(b'EntityTooLarge', code.encode())
                for buffered in (True, False):
                    exc = self.failed(
                        self.put, self.to(sockets.give(told, status)), buffered
                    )
                    self.assertIn(
                        f'tried once: {status} Told ({code})', str(exc)
                    )
                    self.assertEqual(413, exc.status)
                    self.assertRaises(
                        exceptions.StorageFull, translation.reraise_adding, exc
                    )

    def test_told_of_every_request(self) -> None:
        told = sockets.give(b'{"Code": "InvalidBucketName"}', 400)
        calls = (self.put, *refusals.WRITERS, *refusals.READERS)
        for call in calls:
            exc = self.failed(call, self.to(told))
            self.assertIn(
                '400 Told (InvalidBucketName), transaction id', str(exc)
            )
            self.assertEqual(400, exc.status)

    def test_other_400(self) -> None:
        exc = self.failed(self.put, self.to(sockets.give(b'no', 400)))
        self.assertEqual(400, exc.status)
        self.assertIn('400 Told (no), ', str(exc))


class TestRaces(refusals.Case):
    """Of two first requests of a project Ceph RGW answers 409 to one."""

    def test_head_and_put_of_a_container(self) -> None:
        self.assertIsNotNone(
            self.to(RACE, RACE, sockets.answer(204)).containers.head('c')
        )
        self.to(RACE, sockets.answer(201)).containers.create('c')

    def test_not_for_ever(self) -> None:
        exc = self.failed(
            self.to(*[RACE] * 3, retries=2).containers.create, 'c'
        )
        self.assertEqual(409, exc.status)
        self.assertIn(
            'tried 3 times: 409 Told (ConcurrentModification)', str(exc)
        )

    def test_other_409(self) -> None:
        """A container that is not empty, for one."""
        exc = self.failed(self.to(RACE).containers.delete, 'c')
        self.assertEqual(409, exc.status)
        self.failed(self.put, self.to(RACE))


class TestRedirects(refusals.Case):
    """Told, not followed: the token is not for others."""

    STATUSES = (301, 302, 303, 307, 308)

    def test_put(self) -> None:
        for status in self.STATUSES:
            for buffered in (True, False):
                other = self.serve()
                exc = self.failed(
                    self.put,
                    self.to(
                        sockets.answer(
                            status, Location=f'{other.url}/c/o?token=secret'
                        )
                    ),
                    buffered,
                )
                self.assertEqual(status, exc.status)
                self.assertIn(
                    f'tried once: {status} Told (to {other.url}/c/o'
                    '; that is not followed',
                    str(exc),
                )
                self.assertIn('swift_store_endpoint', str(exc))
                self.assertNotIn('secret', str(exc))
                self.assertEqual([], other.requests)

    def test_put_that_is_answered_early(self) -> None:
        def act(request: sockets.Request) -> None:
            request.receive(1)
            request.send(307, {'Location': 'https://swift/v1'})
            request.hang_up()

        data = bytes(3 << 20)
        account = self.to(act)
        exc = self.failed(
            account.objects.put, 'c', 'o', self.segment(data), len(data)
        )
        self.assertIn('307 Told (to https://swift/v1;', str(exc))

    def test_every_other_request(self) -> None:
        calls: tuple[Callable[[accounts.Account], object], ...] = (
            lambda account: account.objects.head('c', 'o'),
            lambda account: account.containers.head('c'),
            lambda account: account.objects.put_empty('c', 'o', {}),
            lambda account: account.objects.delete('c', 'o'),
            lambda account: account.slos.delete('c', 'o'),
            lambda account: list(account.containers.object_names('c', '')),
            lambda account: account.slos.segments('c', 'o'),
            lambda account: account.objects.get(
                'c',
                'o',
                {},
                account.client.tries('GET'),
                lambda answer: answer,
            ),
        )
        for call in calls:
            for status in self.STATUSES:
                other = self.serve()
                exc = self.failed(
                    call, self.to(sockets.answer(status, Location=other.url))
                )
                self.assertIn(f'(to {other.url};', str(exc))
                self.assertEqual([], other.requests)

    def test_place_that_makes_no_sense(self) -> None:
        for location in ('http://[::1', '\u00ff\u00fe', '', 'x' * 3000):
            exc = self.failed(
                self.put,
                self.to(
                    sockets.say(
                        b'HTTP/1.1 301 Told\r\nContent-Length: 0\r\n'
                        b'Location: %b\r\n\r\n' % location.encode()
                    )
                ),
            )
            self.assertEqual(301, exc.status)

    def test_capabilities(self) -> None:
        other = self.serve()
        account = self.to(sockets.answer(302, Location=other.url))
        self.assertEqual({}, account.site.capabilities())
        self.assertEqual([], other.requests)


class TestGone(refusals.Case):
    def test_410_to_a_delete(self) -> None:
        for status in (404, 410):
            self.to(sockets.answer(status)).objects.delete('c', 'o')
            self.to(sockets.answer(status)).containers.delete('c')
            self.assertEqual(
                [], self.to(sockets.answer(status)).slos.delete('c', 'o')
            )

    def test_410_to_a_head(self) -> None:
        """Doubt protects."""
        exc = self.failed(self.to(sockets.answer(410)).objects.head, 'c', 'o')
        self.assertEqual(410, exc.status)


class TestNewContainer(refusals.Case):
    """Another proxy may keep for a while that it is missing."""

    def test_put_is_tried_again(self) -> None:
        for buffered in (True, False):
            account = self.to(
                sockets.answer(201), MISSING, MISSING, sockets.store
            )
            account.containers.create('c')
            self.put(account, buffered)
            self.assertEqual(
                [refusals.DATA] * 3,
                [each.body for each in self.server.requests[1:]],
            )
            self.assertEqual(2, len(self.waits.seconds))
            self.waits.seconds.clear()

    def test_manifest_is_tried_again(self) -> None:
        account = self.to(sockets.answer(201), MISSING, sockets.answer(201))
        account.containers.create('c')
        account.objects.put_empty('c', 'o', {})

    def test_not_for_ever(self) -> None:
        account = self.to(sockets.answer(201), *[MISSING] * 4)
        account.containers.create('c')
        exc = self.failed(self.put, account)
        self.assertEqual(404, exc.status)
        self.assertIn('tried 4 times: 404', str(exc))

    def test_container_that_was_there(self) -> None:
        account = self.to(sockets.answer(201), MISSING)
        account.containers.create('another')
        self.assertEqual(404, self.failed(self.put, account).status)
