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

"""Where an account is, and the connections to it."""

import dataclasses
import threading
from typing import Any

from glance_store_bufswift import errors
from glance_store_bufswift.swift import connections
from glance_store_bufswift.swift import tcp
from glance_store_bufswift.swift import tokens


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where an account is and how to get in.

    :ivar url: the account's storage URL
    :ivar login: gives tokens, None if ``token`` is all there is
    :ivar token: used when there is no login; can't be renewed
    :ivar timeout: seconds that a socket operation may take
    :ivar cacert: CA bundle, None for the system's
    :ivar insecure: whether certificates go unverified
    """

    url: str
    login: Any = None
    token: str | None = dataclasses.field(default=None, repr=False)
    timeout: float = 60
    cacert: str | None = None
    insecure: bool = False

    def of_project(self, project: str) -> 'Endpoint':
        """Another project's account on the same site.

        Its URL is this one's with the other project's id in place of the
        own (swift/common/middleware/keystoneauth.py). The user needs a
        reseller role there, ``reseller_admin_role`` of that middleware.

        :raises ConfigError: the URL does not end with the own project's id
        """
        own = self.login.get_project_id() if self.login else None
        if not own or not self.url.endswith(own):
            raise errors.ConfigError(
                f'The storage URL {self.url} does not end with the id of the '
                f"user's project ({own}), so that the URL of another project "
                'is not known; unset swift_store_endpoint'
            )
        return dataclasses.replace(
            self, url=self.url.removesuffix(own) + project
        )


class Pool:
    """The connections to an account: one for each thread, made at need.

    :param endpoint: where the account is
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._sockets = tcp.Sockets()
        self._local = threading.local()
        self._lock = threading.Lock()
        self._connections: list[connections.Connection] = []

    def connection(self) -> connections.Connection:
        """This thread's connection."""
        connection: connections.Connection | None = getattr(
            self._local, 'connection', None
        )
        if connection is None:
            connection = self._local.connection = self._connect()
            with self._lock:
                self._connections.append(connection)
        return connection

    def break_off(self) -> None:
        """End what is on the wire; for good."""
        self._sockets.break_off()

    def close(self) -> None:
        """Close all connections. None may be in use."""
        for connection in self._connections:
            connection.close()

    def _connect(self) -> connections.Connection:
        where = self._endpoint
        session = None
        if where.login is not None:
            session = tokens.Tokens(where.login)
        return connections.Connection(
            self._sockets,
            where.url,
            where.token,
            session,
            timeout=where.timeout,
            cacert=where.cacert,
            insecure=where.insecure,
        )
