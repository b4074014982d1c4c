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

"""Answers that break in their middle, listings, tokens between requests."""

import json

from glance_store_bufswift import errors
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import wires

CUT = sockets.say(b'HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nshort')


def page(*names: str) -> sockets.Action:
    """A page of a listing."""
    return body(json.dumps([{'name': name} for name in names]).encode())


def body(text: bytes, announced: int | None = None) -> sockets.Action:
    """An answer with a body; the connection ends with it."""

    def act(request: sockets.Request) -> None:
        length = len(text) if announced is None else announced
        request.peer.sendall(
            b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % length + text
        )
        request.hang_up()

    return act


class TestCutAnswers(wires.WireTestCase):
    def test_put_is_sent_again(self) -> None:
        server = self.serve(CUT, sockets.store)
        self.account(server).objects.put('c', 'o', self.segment(b'body'), 4)
        self.assertEqual(
            [b'body'] * 2, [request.body for request in server.requests]
        )

    def test_put_is_given_up(self) -> None:
        server = self.serve(CUT, CUT)
        exc = self.assertRaises(
            errors.RequestFailed,
            self.account(server, retries=1).objects.put,
            'c',
            'o',
            self.segment(b'body'),
            4,
        )
        self.assertIn('PUT of c/o failed, tried 2 times', str(exc))

    def test_listing_is_asked_for_again(self) -> None:
        server = self.serve(
            body(b'[{"name": ', announced=100), page('a'), page()
        )
        self.assertEqual(
            ['a'], list(self.account(server).containers.object_names('c', 'p'))
        )

    def test_listing_that_is_no_json_is_asked_for_again(self) -> None:
        server = self.serve(body(b'<html>'), page('a'), page())
        self.assertEqual(
            ['a'], list(self.account(server).containers.object_names('c', 'p'))
        )


class TestPages(wires.WireTestCase):
    def test_short_page_is_not_the_last(self) -> None:
        server = self.serve(page('a', 'b'), page('c'), page())
        self.assertEqual(
            ['a', 'b', 'c'],
            list(self.account(server).containers.object_names('c', 'p')),
        )
        self.assertEqual(
            [False, True, True],
            ['marker=' in request.path for request in server.requests],
        )
        self.assertNotIn('limit=', server.requests[0].path)


class TestTokens(wires.WireTestCase):
    def test_new_one_is_taken_before_the_old_one_is_refused(self) -> None:
        server = self.serve(sockets.store, sockets.store)
        account = self.account(server)
        for number in (1, 2):
            # What a session does when its token is about to expire.
            self.session.number = number
            account.objects.put('c', 'o', self.segment(b'body'), 4)
        self.assertEqual(
            ['token-1', 'token-2'],
            [request.headers['x-auth-token'] for request in server.requests],
        )

    def test_only_one_stays_after_it_was_refused(self) -> None:
        server = self.serve(sockets.answer(401), sockets.store)
        account = self.account(server, login=None, token='only')
        exc = self.assertRaises(
            errors.RequestFailed, account.objects.head, 'c', 'o'
        )
        self.assertEqual(401, exc.status)
        account.objects.put('c', 'o', self.segment(b'body'), 4)
        self.assertEqual(
            ['only'] * 2,
            [request.headers['x-auth-token'] for request in server.requests],
        )
