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

"""An account whose objects are in memory, and may be lost or not listed."""

from collections.abc import Callable
from collections.abc import Iterator
import datetime

from glance_store_bufswift import layout
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import containers
from glance_store_bufswift.swift import listings
from glance_store_bufswift.swift import objects
from glance_store_bufswift.swift import pool
from glance_store_bufswift.swift import retry
from glance_store_bufswift.swift import sites
from glance_store_bufswift.swift import slos

UTC = datetime.timezone.utc
NOW = datetime.datetime(2026, 11, 24, tzinfo=UTC)
OLD = NOW - datetime.timedelta(days=2)


class Account:
    """What is in an account, in memory, and the requests for it.

    :ivar requests: method, container, name
    :ivar before: called before each request; may raise
    :ivar unlisted: container and name of what is there, but not listed
    :ivar lost: of what is listed, but can't be found
    :ivar stale: of what is answered for with these headers
    """

    def __init__(self) -> None:
        self.stored: dict[
            tuple[str, str],
            tuple[listings.Entry, dict[str, str], list[tuple[str, str]]],
        ] = {}
        self.unlisted: set[tuple[str, str]] = set()
        self.lost: set[tuple[str, str]] = set()
        self.stale: dict[tuple[str, str], dict[str, str]] = {}
        self.requests: list[tuple[str, str, str]] = []
        self.before: Callable[[str, str, str], object] = (
            lambda method, container, name: None
        )

    def store(
        self,
        container: str,
        *names: str,
        size: int = 10,
        when: datetime.datetime = OLD,
        target: str = '',
        slo: list[tuple[str, str]] | None = None,
    ) -> None:
        """Keep objects; a target makes DLO manifests of them."""
        headers = {'x-timestamp': f'{when.timestamp():.5f}'}
        if target:
            headers[layout.DLO_HEADER] = target
        if slo is not None:
            headers['x-static-large-object'] = 'True'
        for name in names:
            self.stored[container, name] = (
                listings.Entry(name, size, when),
                headers,
                slo or [],
            )

    def names(self, container: str) -> list[str]:
        """What is there, in Swift's order."""
        return sorted(
            (name for where, name in self.stored if where == container),
            key=str.encode,
        )

    def note(self, method: str, container: str, name: str) -> None:
        """Note a request, and let it fail if the test wants it."""
        self.requests.append((method, container, name))
        self.before(method, container, name)


class Site(sites.Site):
    """Offers nothing."""

    def capabilities(self) -> dict[str, object]:
        return {}


class Containers(containers.Containers):
    """Lists what is in memory."""

    def __init__(self, client: client.Client, there: Account) -> None:
        super().__init__(client)
        self._there = there

    def entries(
        self, container: str, prefix: str = '', marker: str = '', end: str = ''
    ) -> Iterator[listings.Entry]:
        self._there.note('LIST', container, prefix)
        for name in self._there.names(container):
            if (
                name.startswith(prefix)
                and (container, name) not in self._there.unlisted
            ):
                yield self._there.stored[container, name][0]


class Objects(objects.Objects):
    """Finds objects in memory."""

    def __init__(self, client: client.Client, there: Account) -> None:
        super().__init__(client, Site(client), Containers(client, there))
        self._there = there

    def head(
        self,
        container: str,
        name: str,
        newest: bool = False,
        query: str | None = None,
    ) -> dict[str, str] | None:
        self._there.note('HEAD', container, name)
        if (container, name) in self._there.lost:
            return None
        found = self._there.stored.get((container, name))
        return (
            self._there.stale.get((container, name), found[1])
            if found
            else None
        )

    def delete(self, container: str, name: str) -> None:
        self._there.note('DELETE', container, name)
        self._there.stored.pop((container, name), None)


class SLOs(slos.StaticLargeObjects):
    """Finds manifests in memory."""

    def __init__(self, client: client.Client, there: Account) -> None:
        super().__init__(client)
        self._there = there

    def segments(
        self, container: str, name: str, nested: bool = True
    ) -> list[tuple[str, str]]:
        self._there.note('GET', container, name)
        return self._there.stored[container, name][2]


def requests_to(there: Account) -> accounts.Account:
    """An account whose requests end in memory."""
    made = accounts.Account(
        client.Client(pool.Endpoint('http://nowhere/a'), retry.Policy(0, 0))
    )
    made.containers = Containers(made.client, there)
    made.objects = Objects(made.client, there)
    made.slos = SLOs(made.client, there)
    return made
