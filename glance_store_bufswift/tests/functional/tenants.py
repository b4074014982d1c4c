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

"""Multi-tenant stores: what their tests have in common."""

import gc
from typing import Any

import fixtures
from keystoneclient.v3 import client as ks_client
from keystoneclient.v3.contrib import trusts as ks_trusts

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support import stores as made_stores
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift import trusts

SEGMENT = base.SEGMENT


class TestCase(base.TestCase):
    options = {'swift_store_multi_tenant': True}

    def setUp(self) -> None:
        # What other tests have dropped may give its trusts back now.
        gc.collect()
        super().setUp()
        self.demo = self.cloud.site.demo
        self.context = self.cloud.tenant_context()
        self.prefix = self.container
        # Each image has a container of its own.
        self.container = f'{self.prefix}_{self.image}'
        self.addCleanup(
            self.cloud.release_container, self.container, user=self.demo
        )

    def stores(
        self, enabled: str = 'fast:swift+buffered', **sections: Any
    ) -> made_stores.Stores:
        own = {'swift_store_container': self.prefix} | self.options
        return super().stores(
            enabled, fast=own | sections.pop('fast', {}), **sections
        )

    def listing(self, prefix: str = '') -> list[str]:
        return self.cloud.listing(self.container, prefix, user=self.demo)

    def has_container(self) -> bool:
        _, found = self.cloud.connection(self.demo).get_account()
        return self.container in [entry['name'] for entry in found]

    def trusts(self, method: str) -> int:
        """How many trusts were made or deleted.

        As upstream's client has no region, this goes past the proxies.
        """
        return len(
            [
                record
                for record in self.records.all
                if record.name == 'keystoneauth.session'
                and f'-X {method} ' in record.getMessage()
                and '/OS-TRUST/trusts' in record.getMessage()
            ]
        )

    def add(
        self, made: made_stores.Stores, data: bytes, declared: int = 0
    ) -> str:
        uri, size, *hashes, metadata = made.add(
            self.image, streams.Stream(data), declared, context=self.context
        )
        self.assertEqual((len(data), *streams.hashes(data)), (size, *hashes))
        self.assertEqual({'store': 'fast'}, metadata)
        self.assertEqual(
            data,
            self.cloud.object_bytes(
                self.container, self.image, user=self.demo
            ),
        )
        self.assert_nothing_runs()
        return str(uri)


class TrustsTestCase(TestCase):
    def setUp(self) -> None:
        super().setUp()
        user = self.cloud.site.glance
        self.trustee = trusts.Trustee(
            self.cloud.auth_url, user.name, user.password, user.project
        )
        self.user_id = self.context.user_id
        self.made: list[str] = []
        true_create = ks_trusts.TrustManager.create

        def create(*args: Any, **kwargs: Any) -> Any:
            made = true_create(*args, **kwargs)
            self.made.append(made.id)
            return made

        self.useFixture(
            fixtures.MonkeyPatch(
                'keystoneclient.v3.contrib.trusts.TrustManager.create', create
            )
        )

    def make(self) -> trusts.Trust:
        """A trust of the ordinary user."""
        made = trusts.make(
            self.trustee, self.context.auth_token, self.context.project_id
        )
        self.addCleanup(made.remove)
        return made

    def standing(self) -> list[str]:
        """The trusts that this test has made and Keystone has."""
        session = self.cloud.session(direct=True, user=self.demo)
        client = ks_client.Client(
            session=session, endpoint_override=self.cloud.direct_auth_url
        )
        return [
            each.id
            for each in client.trusts.list(trustor_user=self.user_id)
            if each.id in self.made
        ]
