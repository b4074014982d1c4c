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

"""The requests for the containers of one Swift account."""

from collections.abc import Callable
from collections.abc import Iterator
import threading
from typing import Any

from glance_store_bufswift import errors
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import connections
from glance_store_bufswift.swift import listings

#: Statuses of a container that can pass: the first two requests of a project
#: that Ceph RGW does not know yet race to create its user.
RACE_STATUSES = (409,)


class Containers:
    """What is asked of Swift about containers, and what they list.

    :param client: sends the requests
    :ivar unsure: those that a proxy may not find: they were created here, and
        not all may know them yet, or are assumed to exist
    """

    def __init__(self, client: client.Client) -> None:
        self._client = client
        self.unsure: set[str] = set()
        self._lock = threading.Lock()
        self._assumed: dict[str, Callable[[], object]] = {}

    def exists(self, container: str) -> bool:
        """Whether a container exists."""
        return self.head(container) is not None

    def head(self, container: str) -> dict[str, str] | None:
        """The headers of a container, None if there is none."""
        return self._client.ask(
            f'HEAD of {container}',
            lambda connection: dict(connection.head_container(container)),
            passing=RACE_STATUSES,
        )

    def create(self, container: str) -> None:
        """Create a container; it may exist already."""
        self._client.run(
            self._client.tries(f'PUT of {container}', RACE_STATUSES),
            lambda connection: connection.put_container(container),
        )
        self.unsure.add(container)

    def assume(self, container: str, ensure: Callable[[], object]) -> None:
        """Assume that a container exists, without asking.

        :param ensure: makes sure of it, if a PUT shows that it may not
        """
        self.unsure.add(container)
        self._assumed[container] = ensure

    def ensure_assumed(self, container: str) -> None:
        """Make sure of a container, once, if it was only assumed to exist."""
        with self._lock:  # others with the same PUT wait until it exists
            ensure = self._assumed.pop(container, None)
            if ensure is not None:
                ensure()

    def update(self, container: str, headers: dict[str, str]) -> bool:
        """Set headers of a container; returns whether it exists."""

        def update(connection: connections.Connection) -> bool:
            connection.post_container(container, headers)
            return True

        return bool(self._client.ask(f'POST of {container}', update))

    def delete(self, container: str) -> None:
        """Delete an empty container, if it exists."""
        self._client.ask(
            f'DELETE of {container}',
            lambda connection: connection.delete_container(container),
            absent=client.GONE_STATUSES,
        )

    def names(self, prefix: str) -> Iterator[str]:
        """The names of the account's containers, page by page.

        :param prefix: what the names begin with
        """
        for entry in self._pages(
            f'listing of the containers {prefix}*',
            '',
            lambda connection, marker: connection.get_account(
                prefix=prefix, marker=marker
            ),
        ):
            yield entry.name

    def object_names(self, container: str, prefix: str) -> Iterator[str]:
        """The names of a container's objects with a prefix, in order."""
        for entry in self.entries(container, prefix):
            yield entry.name

    def entries(
        self, container: str, prefix: str = '', marker: str = '', end: str = ''
    ) -> Iterator[listings.Entry]:
        """What a container lists, in order of the names, page by page.

        The site decides how long a page is: Swift refuses a request for more,
        and only an empty page is surely the last. A container that
        does not exist has no entries.

        :param prefix: what the names begin with
        :param marker: only names after this one
        :param end: only names before this one; empty = to the last
        :raises RequestFailed: a page can't be read, or goes no further
        """
        return self._pages(
            f'listing of {container}/{prefix}',
            marker,
            lambda connection, marker: connection.get_container(
                container, prefix=prefix, marker=marker, end_marker=end
            ),
        )

    def _pages(
        self,
        what: str,
        marker: str,
        ask: Callable[[connections.Connection, str], Any],
    ) -> Iterator[listings.Entry]:
        """Page by page; each begins after the last name of the one before."""

        def one(connection: connections.Connection) -> list[listings.Entry]:
            return listings.entries(ask(connection, marker)[1])

        while page := self._client.ask(what, one):
            yield from page
            if page[-1].name <= marker:
                raise errors.RequestFailed(
                    f'The {what} makes no progress after {marker}'
                )
            marker = page[-1].name
