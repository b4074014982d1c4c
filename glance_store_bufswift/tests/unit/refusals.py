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

"""Answers that are no success: what their tests have in common."""

from collections.abc import Callable
import json
from typing import Any

from glance_store_bufswift import errors
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import wires

DATA = b'body'

#: A code in an error's body, as Ceph RGW writes it: asked for JSON, for XML,
#: and for nothing.
JSON = json.dumps(
    {
        'Code': 'EntityTooLarge',
        'RequestId': 'tx0000-default',
        'HostId': '1-default-default',
    }
).encode()
XML = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>EntityTooLarge'
    b'</Code><RequestId>tx0000-default</RequestId></Error>'
)
PLAIN = b'EntityTooLarge'

#: A request to an account.
Call = Callable[[accounts.Account], object]

#: Those that read a body.
READERS: tuple[Call, ...] = (
    lambda account: list(account.containers.object_names('c', '')),
    lambda account: list(account.containers.names('')),
    lambda account: account.slos.segments('c', 'o'),
)

#: Those that change something, but for the PUT of a segment.
WRITERS: tuple[Call, ...] = (
    lambda account: account.objects.put_empty('c', 'o', {}),
    lambda account: account.containers.create('c'),
    lambda account: account.objects.delete('c', 'o'),
    lambda account: account.containers.delete('c'),
    lambda account: account.slos.delete('c', 'o'),
    lambda account: account.objects.delete_bulk('c', ['o']),
)


class Case(wires.WireTestCase):
    """Tests of an account on a server that answers in its own ways."""

    def to(
        self, *actions: sockets.Action, retries: int = 3
    ) -> accounts.Account:
        """An account on a server that does this."""
        self.server = self.serve(*actions)
        return self.account(self.server, retries)

    def put(self, account: accounts.Account, buffered: bool = True) -> None:
        """Store an object."""
        account.objects.put('c', 'o', self.segment(DATA, buffered), len(DATA))

    def failed(
        self, call: Callable[..., Any], *args: Any
    ) -> errors.RequestFailed:
        """The error of a call, after as many requests as there are actions."""
        exc: errors.RequestFailed = self.assertRaises(
            errors.RequestFailed, call, *args
        )
        self.assertEqual([], self.server.actions)
        return exc
