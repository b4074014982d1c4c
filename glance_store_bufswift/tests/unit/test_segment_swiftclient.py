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

"""A segment is what swiftclient's own retry can seek back and resume."""

import contextlib
import os

import swiftclient

from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import wires

DATA = os.urandom(3 << 20)


def last(action: sockets.Action) -> sockets.Action:
    """Hang up after it: with urllib3 2 swiftclient leaves sockets open."""

    def act(request: sockets.Request) -> None:
        action(request)
        request.hang_up()

    return act


class TestSwiftclient(wires.WireTestCase):
    def put(self, *actions: sockets.Action) -> sockets.Server:
        server = self.serve(*actions)
        with contextlib.closing(
            swiftclient.Connection(
                preauthurl=server.url,
                preauthtoken='token',
                retries=3,
                starting_backoff=0,
            )
        ) as connection:
            connection.put_object('images', 'image', self.segment(DATA))
        return server

    def test_broken_connection(self) -> None:
        server = self.put(sockets.reset(after=1 << 20), last(sockets.store))
        self.assertEqual(DATA, server.requests[-1].body)

    def test_refusal(self) -> None:
        server = self.put(
            sockets.answer(503), last(sockets.answer(408)), last(sockets.store)
        )
        self.assertEqual([DATA] * 3, [each.body for each in server.requests])
