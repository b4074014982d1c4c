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

"""An account as the rest of the package sees it."""

from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import containers
from glance_store_bufswift.swift import objects
from glance_store_bufswift.swift import sites
from glance_store_bufswift.swift import slos


class Account:
    """An account, for one upload, download or delete.

    :param client: sends all requests
    :ivar client: the same: to cancel them, to count their tries
    :ivar site: the site that it is on, and what that says about itself
    :ivar containers: the requests for containers, and what they list
    :ivar objects: the requests for single objects
    :ivar slos: those for Static Large Objects
    """

    def __init__(self, client: client.Client) -> None:
        self.client = client
        self.site = sites.Site(client)
        self.containers = containers.Containers(client)
        self.objects = objects.Objects(client, self.site, self.containers)
        self.slos = slos.StaticLargeObjects(client)

    def fresh(self) -> 'Account':
        """The same account on new connections, not cancelled."""
        return Account(self.client.fresh())

    def close(self) -> None:
        """Close all connections. None may be in use."""
        self.client.close()
