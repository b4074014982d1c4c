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

"""What a site lists, says about itself, and deletes in bulk."""

import datetime
import json
from typing import Any

from oslotest import base

from glance_store_bufswift import errors
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import bulk
from glance_store_bufswift.swift import capabilities
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import pool
from glance_store_bufswift.swift import retry
from glance_store_bufswift.tests.support import fresh
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import wires

#: An answer that breaks off in its body.
CUT = b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n {"a'


def give(value: Any, status: int = 200) -> sockets.Action:
    """Answer in JSON."""
    return sockets.give(
        json.dumps(value).encode(),
        status,
        Content_Type='application/json; charset=utf-8',
    )


class TestEntries(wires.WireTestCase):
    def test_all_pages(self) -> None:
        server = self.serve(
            give([{'name': 'i/a'}, {'name': 'i/b'}]),
            give([{'name': 'i/c'}]),
            give([]),
        )
        self.assertEqual(
            ['i/a', 'i/b', 'i/c'],
            list(self.account(server).containers.object_names('c', 'i/')),
        )
        self.assertEqual(
            [
                '/v1/AUTH_test/c?format=json&prefix=i/',
                '/v1/AUTH_test/c?format=json&marker=i/b&prefix=i/',
                '/v1/AUTH_test/c?format=json&marker=i/c&prefix=i/',
            ],
            [each.path for each in server.requests],
        )

    def test_between_two_names(self) -> None:
        server = self.serve(give([]))
        self.assertEqual(
            [],
            list(
                self.account(server).containers.entries(
                    'c', marker='a', end='z'
                )
            ),
        )
        self.assertEqual(
            '/v1/AUTH_test/c?format=json&marker=a&end_marker=z',
            server.requests[0].path,
        )

    def test_the_same_page_again(self) -> None:
        """Of a gateway that knows no markers; it must not go on for ever."""
        server = self.serve(*[give([{'name': 'a'}, {'name': 'b'}])] * 2)
        self.assertRaises(
            errors.RequestFailed,
            list,
            self.account(server).containers.object_names('c', ''),
        )

    def test_no_container(self) -> None:
        server = self.serve(sockets.answer(404))
        self.assertEqual(
            [], list(self.account(server).containers.entries('c'))
        )

    def test_page_is_asked_for_again(self) -> None:
        server = self.serve(
            give([{'name': 'a'}]),
            sockets.answer(503),
            give([{'name': 'b'}]),
            give([]),
        )
        self.assertEqual(
            ['a', 'b'],
            list(self.account(server).containers.object_names('c', '')),
        )

    def test_what_an_entry_tells(self) -> None:
        moment = datetime.datetime(
            2026, 7, 1, 12, 30, 5, 250000, tzinfo=datetime.timezone.utc
        )
        for told in ('2026-07-01T12:30:05.250000', '2026-07-01T12:30:05.250Z'):
            server = self.serve(
                give(
                    [
                        {
                            'name': 'a',
                            'bytes': 7,
                            'content_type': 'text/plain',
                            'last_modified': told,
                            'hash': 'x',
                        }
                    ]
                ),
                give([]),
            )
            [entry] = self.account(server).containers.entries('c')
            self.assertEqual(
                ('a', 7, moment, 'text/plain'),
                (entry.name, entry.size, entry.modified, entry.content_type),
            )

    def test_date_that_can_not_be_read(self) -> None:
        server = self.serve(
            give([{'name': 'a', 'last_modified': 'never'}, {'name': 'b'}]),
            give([]),
        )
        self.assertEqual(
            [None, None],
            [
                entry.modified
                for entry in self.account(server).containers.entries('c')
            ],
        )


class TestCapabilities(wires.WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fresh.Info())

    def test_told(self) -> None:
        told = {'bulk_delete': {'max_deletes_per_request': 5}}
        server = self.serve(give(told))
        self.assertEqual(told, self.account(server).site.capabilities())
        [request] = server.requests
        self.assertEqual('/info', request.path)
        self.assertNotIn('x-auth-token', request.headers)

    def ask_at(self, lifetime: float, first: Any) -> None:
        """An answer counts for its lifetime, then the site is asked anew."""
        answers = iter([first, {'slo': {}}])
        for at, told in (
            (0, first),
            (lifetime - 1, first),
            (lifetime, {'slo': {}}),
        ):
            self.assertEqual(
                told,
                capabilities.of_site(
                    'http://swift/v1/AUTH_test',
                    lambda: next(answers),
                    clock=lambda at=at: at,  # type: ignore[misc]  # a default
                ),
            )

    def test_asked_once_in_a_while(self) -> None:
        self.ask_at(capabilities.LIFETIME, {'swift': {}})

    def test_silence_is_believed_for_a_shorter_time(self) -> None:
        self.ask_at(capabilities.LIFETIME_UNKNOWN, {})

    def test_accounts_of_a_site_share_it(self) -> None:
        server = self.serve(give({'slo': {}}))
        for _ in range(3):
            self.assertEqual(
                {'slo': {}}, self.account(server).site.capabilities()
            )

    def test_every_failure_is_silence(self) -> None:
        for action in (
            sockets.answer(401),
            sockets.answer(503),
            sockets.say(b''),
            sockets.say(b'what?\r\n\r\n'),
            sockets.give(b'<html>'),
            give(['a']),
            give(None),
            sockets.say(CUT),
            sockets.stall_answer,
        ):
            self.useFixture(fresh.Info())
            server = self.serve(action, sockets.answer(204))
            stalls = action is sockets.stall_answer
            asked = self.account(server, timeout=2 if stalls else 20)
            self.assertEqual({}, asked.site.capabilities())
            asked.objects.delete('c', 'o')  # the account goes on
            self.assertEqual('DELETE', server.requests[-1].method)

    def test_site_with_a_prefix(self) -> None:
        server = self.serve(give({'slo': {}}))
        gateway = accounts.Account(
            client.Client(
                pool.Endpoint(server.url.replace('/v1', '/swift/v1')),
                retry.Policy(0, 0),
            )
        )
        self.addCleanup(gateway.close)
        self.assertEqual({'slo': {}}, gateway.site.capabilities())
        self.assertEqual('/swift/info', server.requests[0].path)


class TestBulkDelete(wires.WireTestCase):
    NAMES = ('i/1', 'i/\u00e4 2%', 'i/3')

    def delete(self, *actions: sockets.Action, retries: int = 3) -> list[str]:
        self.server = self.serve(*actions)
        return self.account(self.server, retries).objects.delete_bulk(
            'c', self.NAMES
        )

    def told(
        self,
        deleted: int,
        missing: int,
        *left: list[str],
        status: str = '200 OK',
    ) -> sockets.Action:
        return sockets.give(
            b'  \r\n\r\n'
            + json.dumps(
                {
                    'Response Status': status,
                    'Response Body': '',
                    'Errors': left,
                    'Number Deleted': deleted,
                    'Number Not Found': missing,
                }
            ).encode()
        )

    def test_all_deleted(self) -> None:
        self.assertEqual([], self.delete(self.told(3, 0)))
        [request] = self.server.requests
        self.assertEqual(
            ('POST', '/v1/AUTH_test?bulk-delete'),
            (request.method, request.path),
        )
        self.assertEqual(b'/c/i/1\n/c/i/%C3%A4%202%25\n/c/i/3', request.body)
        self.assertEqual('application/json', request.headers['accept'])
        self.assertEqual('text/plain', request.headers['content-type'])

    def test_gone_is_deleted(self) -> None:
        self.assertEqual([], self.delete(self.told(1, 2)))

    def test_some_are_left(self) -> None:
        self.assertEqual(
            [self.NAMES[1]],
            self.delete(
                self.told(
                    2,
                    0,
                    ['/c/i/%C3%A4%202%25', '403 Forbidden'],
                    status='400 Bad Request',
                )
            ),
        )

    def test_names_as_a_gateway_may_write_them(self) -> None:
        self.assertEqual(
            [self.NAMES[1]],
            self.delete(self.told(2, 0, ['c/i/\u00e4 2%25', '403 Forbidden'])),
        )

    def test_answers_that_confirm_nothing(self) -> None:
        for action in (
            self.told(2, 0),
            self.told(0, 0, status='502 Bad'),
            self.told(2, 0, ['/c/other', '500']),
            sockets.give(b''),
            sockets.give(b'[]'),
            sockets.give(b'{}'),
            sockets.give(b'{"Errors": [1]}'),
            sockets.give(b'{"Number Deleted": "x"}'),
            sockets.give(b'3 objects deleted'),
        ):
            self.assertRaises(
                errors.RequestFailed, self.delete, action, action
            )

    def test_once_more(self) -> None:
        for action in (
            sockets.answer(503),
            sockets.say(b''),
            self.told(0, 0, status='502 Bad Gateway'),
        ):
            self.assertEqual([], self.delete(action, self.told(3, 0)))
            self.assertRaises(
                errors.RequestFailed, self.delete, action, action
            )

    def test_site_that_has_none(self) -> None:
        for status in (400, 404, 405, 501):
            self.assertRaises(
                errors.RequestFailed,
                self.delete,
                sockets.answer(status),
                retries=0,
            )

    def test_broken_heartbeat(self) -> None:
        self.assertRaises(
            errors.RequestFailed, self.delete, sockets.say(CUT), retries=0
        )


class TestStaticSegments(wires.WireTestCase):
    """The segments of an SLO, as its manifest tells them."""

    def segments(self, *actions: sockets.Action) -> list[tuple[str, str]]:
        self.server = self.serve(*actions)
        return self.account(self.server).slos.segments('c', 'slo')

    def test_told(self) -> None:
        self.assertEqual(
            [('c', 'a/b')],
            self.segments(
                sockets.give(b'<html>'),
                give(None),
                give([{'name': '/c/a/b', 'bytes': 1}]),
            ),
        )

    def test_gone(self) -> None:
        self.assertEqual([], self.segments(sockets.answer(404)))

    def test_not_told(self) -> None:
        """Ceph RGW answers so, however often it is asked."""
        self.assertRaises(
            errors.RequestFailed, self.segments, sockets.give(b'')
        )
        self.assertEqual(1, len(self.server.requests))

    def test_unusable(self) -> None:
        for body in (b'<html>', b'null', b'["a"]', b'[{"bytes": 1}]'):
            self.assertRaises(
                errors.RequestFailed, self.segments, *4 * [sockets.give(body)]
            )


class TestSloAnswer(base.BaseTestCase):
    def left(self, **told: Any) -> list[str]:
        return bulk.slo_left(
            json.dumps(
                {key.replace('_', ' '): told[key] for key in told}
            ).encode()
        )

    def test_all_gone(self) -> None:
        self.assertEqual([], self.left(Response_Status='200 OK', Errors=[]))

    def test_left(self) -> None:
        self.assertEqual(
            ['c/a b (403 Forbidden)'],
            self.left(
                Response_Status='400 Bad Request',
                Errors=[['/c/a%20b', '403 Forbidden']],
            ),
        )

    def test_confirms_nothing(self) -> None:
        self.assertRaises(errors.Unconfirmed, self.left)
        self.assertRaises(
            errors.Unconfirmed, self.left, Response_Status='500 Internal Error'
        )
        self.assertRaises(errors.Unconfirmed, bulk.slo_left, b'no')
