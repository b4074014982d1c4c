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

"""Accounts and segments for tests at the wire."""

from concurrent import futures
import hashlib
from typing import Any

import fixtures
from oslotest import base

from glance_store_bufswift.buffer import segment
from glance_store_bufswift.buffer import space
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import pool
from glance_store_bufswift.swift import retry
from glance_store_bufswift.tests.unit import sockets
from glance_store_bufswift.tests.unit import waits


class Session:
    """A keystoneauth session whose tokens count up."""

    def __init__(self) -> None:
        self.number = 1

    def get_token(self) -> str:
        """The token that was not refused yet."""
        return f'token-{self.number}'

    def forget(self, token: str | None) -> None:
        """The next token is another one, if this is the present one."""
        if token == f'token-{self.number}':
            self.number += 1


def md5_of(data: bytes) -> 'futures.Future[str]':
    """What a segment is finished with."""
    md5: futures.Future[str] = futures.Future()
    md5.set_result(hashlib.md5(data, usedforsecurity=False).hexdigest())
    return md5


class WireTestCase(base.BaseTestCase):
    """Puts objects through swiftclient to a server of the test's."""

    def setUp(self) -> None:
        super().setUp()
        self.waits = waits.Waits()
        self.session = Session()

    def serve(self, *actions: sockets.Action, **how: Any) -> sockets.Server:
        """A server that does these things, one with each request."""
        return self.useFixture(sockets.Server(*actions, **how))

    def account(
        self, server: sockets.Server, retries: int = 3, **how: Any
    ) -> accounts.Account:
        """An account there, closed before the server is."""
        how = {'login': self.session, 'timeout': 20, **how}
        made = accounts.Account(
            client.Client(
                pool.Endpoint(server.url, **how),
                retry.Policy(retries, 30, self.waits),
            )
        )
        self.addCleanup(made.close)
        return made

    def segment(
        self, data: bytes, buffered: bool = True, finished: bool = True
    ) -> segment.SegmentBody:
        """A segment with this in it."""
        file = None
        if buffered:
            directory = self.useFixture(fixtures.TempDir()).path
            file = space.BufferDirectory(directory).open(len(data))
        made = segment.SegmentBody(file)
        self.addCleanup(made.close)
        for start in range(0, len(data), 1 << 20):
            made.write(data[start : start + (1 << 20)])
        if finished:
            made.finish(md5_of(data))
        return made


class Holder:
    """What has a socket: a connection, for those who watch it."""

    def __init__(self, sock: Any) -> None:
        self.sock = sock
