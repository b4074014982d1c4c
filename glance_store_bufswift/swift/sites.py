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

"""The requests to a site about itself."""

from typing import Any

from glance_store_bufswift.swift import capabilities
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import connections


class Site:
    """A site, and its capabilities: what it says about itself at ``/info``.

    :param client: sends the requests, to an account of the site
    """

    def __init__(self, client: client.Client) -> None:
        self._client = client

    def capabilities(self) -> dict[str, Any]:
        """The capabilities as told a while ago at most; {} if not told.

        Asked for without a token and once; every failure counts as no answer.
        """
        return capabilities.of_site(
            self._client.url, lambda: self._client.once(self._ask)
        )

    def fetch_capabilities(self) -> dict[str, Any]:
        """The same, asked for now.

        :raises RequestFailed: the site does not tell
        """
        return self._client.ask('GET of /info', self._ask, absent=()) or {}

    def _ask(self, connection: connections.Connection) -> Any:
        return connection.get_capabilities(self._client.url)
