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

"""Tests of the test cloud: what they have in common."""

import swiftclient

from glance_store_bufswift.tests.support.cloud import cloud
from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support import logs


class CloudTestCase(logs.TestCase):
    """A test with the run's cloud, and a container of its own."""

    def setUp(self) -> None:
        super().setUp()
        self.cloud = self.attach()
        self.cloud.clear()
        self.addCleanup(self.cloud.clear)
        self.container = self.cloud.new_container()
        self.addCleanup(self.cloud.release_container, self.container)

    def attach(self) -> cloud.Cloud:
        """The cloud to test."""
        return cloud.Cloud.attach()

    def client(
        self,
        view: cloud.Cloud | None = None,
        retries: int = 0,
        user: keystone.User | None = None,
    ) -> swiftclient.Connection:
        """Return a client through the fault proxies."""
        view = view or self.cloud
        client = swiftclient.Connection(
            session=view.session(user=user),
            retries=retries,
            os_options={'region_name': view.region},
        )
        self.addCleanup(client.close)
        return client
