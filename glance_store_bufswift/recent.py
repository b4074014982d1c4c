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

"""The containers that images were lately stored in."""

import functools
import time

from glance_store_bufswift import provisioning
from glance_store_bufswift.swift import accounts

#: Seconds that a container is assumed to exist, once an image was stored.
ASSUMED_SECONDS = 60.0

#: The most containers that are remembered.
MAX_REMEMBERED = 1000


class RecentContainers:
    """Containers that images were lately stored in; threads may share it.

    The next upload assumes that they exist, as Swift's proxies do for as long
    after a look (DEFAULT_RECHECK_CONTAINER_EXISTENCE, swift/proxy/server.py).
    That saves a request, which counts for small images.
    """

    def __init__(self) -> None:
        # Account's URL and container: when an image was stored.
        self._stored: dict[tuple[str, str], float] = {}

    def ensure(
        self, account: accounts.Account, container: str, create: bool
    ) -> bool:
        """As provisioning.ensure(), but at once only where it is needed.

        Where a container is assumed to exist, a PUT that does not find it
        makes sure of it.
        """
        ensure = functools.partial(
            provisioning.ensure, account, container, create
        )
        stored = self._stored.get((account.client.url, container))
        if stored is None or time.monotonic() >= stored + ASSUMED_SECONDS:
            return ensure()
        account.containers.assume(container, ensure)
        return False

    def add(self, account: accounts.Account, container: str) -> None:
        """An image was stored there."""
        if len(self._stored) >= MAX_REMEMBERED:
            self._stored.clear()
        self._stored[account.client.url, container] = time.monotonic()

    def remove(self, account: accounts.Account, container: str) -> None:
        """An upload has failed there, for whatever reason."""
        self._stored.pop((account.client.url, container), None)


#: Those of this process: glance_store makes a store anew for each operation.
SHARED = RecentContainers()
