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

"""Requests to one Swift account: its containers, what they list, its site.

Requests for single objects are in Objects, those for SLOs in StaticObjects.
"""

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
import threading
from typing import Any

from glance_store_bufswift import errors
from glance_store_bufswift import stopwatch
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import connections
from glance_store_bufswift.swift import info
from glance_store_bufswift.swift import listings
from glance_store_bufswift.swift import objects
from glance_store_bufswift.swift import slos


#: Statuses of a container that can pass: the first two requests of a project
#: that Ceph RGW does not know yet race to create its user.
RACES = (409,)


class Account(objects.Objects, slos.StaticObjects):
    """An account as one upload, delete or download sees it."""

    def fresh(self) -> 'Account':
        """The same account on new connections, not cancelled."""
        policy = dataclasses.replace(
            self._policy,
            cancelled=threading.Event(),
            pauses=stopwatch.Stopwatch(),
        )
        return Account(self._endpoint, policy)

    def of_project(self, project: str) -> 'Account':
        """Another project's account on the same site.

        Its URL is this one's with the other project's id in place of the
        own (swift/common/middleware/keystoneauth.py). The user needs a
        reseller role there, ``reseller_admin_role`` of that middleware.

        :raises ConfigError: the URL does not end with the own project's id
        """
        session = self._endpoint.session
        own = session.get_project_id() if session else None
        if not own or not self.url.endswith(own):
            raise errors.ConfigError(
                f'The storage URL {self.url} does not end with the id of the '
                f"user's project ({own}), so that the URL of another project "
                'is not known; unset swift_store_endpoint'
            )
        url = self.url.removesuffix(own) + project
        return Account(
            dataclasses.replace(self._endpoint, url=url), self._policy
        )

    def listing(self, container: str, prefix: str) -> Iterator[str]:
        """The names of objects with a prefix, in order."""
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
        what = f'listing of {container}/{prefix}'
        return self._pages(
            what,
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

        while page := self._ask(what, one):
            yield from page
            if page[-1].name <= marker:
                raise errors.RequestFailed(
                    f'The {what} makes no progress after {marker}'
                )
            marker = page[-1].name

    def capabilities(self) -> dict[str, Any]:
        """What the site says about itself at ``/info``, {} if nothing.

        Asked without a token and once; every failure counts as no answer.
        """
        return info.of_site(self._endpoint.url, self._ask_info)

    def info(self) -> dict[str, Any]:
        """What the site says about itself, asked now.

        :raises RequestFailed: it says nothing
        """
        return (
            self._ask(
                'GET of /info',
                lambda connection: connection.get_capabilities(
                    self._endpoint.url
                ),
                none=(),
            )
            or {}
        )

    def _ask_info(self) -> Any:
        connection = self._connection()
        try:
            return connection.get_capabilities(self._endpoint.url)
        finally:
            # Half an answer may still be on its way.
            connection.close()

    def containers(self, prefix: str) -> Iterator[str]:
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

    def has_container(self, container: str) -> bool:
        """Whether a container exists."""
        return self.head_container(container) is not None

    def head_container(self, container: str) -> dict[str, str] | None:
        """The headers of a container, None if there is none."""
        return self._ask(
            f'HEAD of {container}',
            lambda connection: dict(connection.head_container(container)),
            passing=RACES,
        )

    def create_container(self, container: str) -> None:
        """Create a container; it may exist already."""
        self._run(
            self.tries(f'PUT of {container}', RACES),
            lambda connection, _: connection.put_container(container),
        )
        self._made.add(container)

    def update_container(
        self, container: str, headers: dict[str, str]
    ) -> bool:
        """Set headers of a container; returns whether it exists."""

        def update(connection: connections.Connection) -> bool:
            connection.post_container(container, headers)
            return True

        return bool(self._ask(f'POST of {container}', update))

    def delete_container(self, container: str) -> None:
        """Delete an empty container, if it exists."""
        self._ask(
            f'DELETE of {container}',
            lambda connection: connection.delete_container(container),
            none=client.GONE,
        )
