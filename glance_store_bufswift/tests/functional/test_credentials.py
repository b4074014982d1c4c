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

"""Keys and users that locations can't have, or have only if quoted."""

import logging
from typing import Any
import uuid

from glance_store import exceptions

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT


class TestCase(base.TestCase):
    def use(self, key: str, name: str = 'user') -> None:
        """Have a user of its own with this key, in the section."""
        name = f'{name}-{uuid.uuid4().hex}'
        self.user = keystone.User(name, key, f'{name}-project')
        admin = keystone.Admin(
            self.cloud.direct_auth_url, self.cloud.site.admin
        )
        project = admin.create(
            'project', name=self.user.project, domain_id=keystone.DOMAIN
        )
        admin.create_user(self.user, project, 'member')
        self.section = {
            'swift_store_user': f'{self.user.project}:{self.user.name}',
            'swift_store_key': key,
        }

    def store(self, kind: str) -> stores.Stores:
        return self.stores(f'fast:{kind}', fast=self.section)

    def add(self, made: stores.Stores) -> str:
        self.data = streams.image(2 * SEGMENT + 5)
        return str(made.add(self.image, streams.Stream(self.data))[0])

    def listing(self, prefix: str = '') -> list[str]:
        return self.cloud.listing(self.container, prefix, user=self.user)

    def check_both(self, uri: str) -> None:
        """Both drivers read it, the stock driver deletes it."""
        for kind in ('swift+buffered', 'swift'):
            made = self.store(kind)
            self.assertEqual(self.data, made.get(uri))
            self.assertEqual(
                len(self.data),
                made.store('fast').get_size(
                    stores.location_of(uri, 'fast', made.conf)
                ),
            )
        made.delete(uri)
        self.assertEqual([], self.listing())


class TestQuoted(TestCase):
    """Both drivers read what we write."""

    def check(self, key: str, name: str = 'user') -> None:
        self.use(key, name)
        made = self.store('swift+buffered')
        uri = self.add(made)
        # What Glance finds the store of an old location by.
        self.assertEqual(uri, made.store('fast').url_prefix + self.image)
        self.check_both(uri)

    def test_slash(self) -> None:
        self.check('se/cr//et/')

    def test_slash_in_the_user(self) -> None:
        self.check('secret', 'us/er')

    def test_others(self) -> None:
        self.check('%2F @?#[]&=+~%é')


class TestColon(TestCase):
    """No location has it so that the stock driver reads it."""

    def test_refused_at_the_start(self) -> None:
        self.use('sec:ret')
        self.records.clear()
        made = self.store('swift+buffered')
        told = [
            record.getMessage()
            for record in self.records.all
            if record.levelno == logging.WARNING
        ]
        [reason] = [
            text for text in told if 'swift_store_key has a ":"' in text
        ]
        self.assertIn('swift_store_config_file', reason)
        self.assertRaises(exceptions.StoreAddDisabled, self.add, made)
        self.assertEqual([], self.proxy.log)
        for record in self.records.all:
            self.assertNotIn('sec:ret', record.getMessage())

    def test_in_a_tenants_store(self) -> None:
        """Its locations have no credentials; the trust takes the key."""
        self.use('sec:ret')
        context: Any = self.cloud.tenant_context()
        made = self.stores(
            fast={**self.section, 'swift_store_multi_tenant': True}
        )
        uri = made.add(self.image, streams.Stream(b'image'), context=context)[
            0
        ]
        self.assertEqual(b'image', made.get(uri, context=context))
        made.delete(uri, context=context)
        self.assertEqual([], self.records.of(logging.WARNING))


class TestFormerly(TestCase):
    """What the stock driver has stored and can't read."""

    def check(self, key: str) -> None:
        self.use(key)
        stock = self.store('swift')
        uri = self.add(stock)
        self.assertRaises(exceptions.BackendException, stock.get, uri)
        made = self.store('swift+buffered')
        self.assertEqual(self.data, made.get(uri))
        self.assertEqual(
            len(self.data),
            made.store('fast').get_size(
                stores.location_of(uri, 'fast', made.conf)
            ),
        )
        made.delete(uri)
        self.assertEqual([], self.listing())

    def test_colon(self) -> None:
        self.check('sec:ret')

    def test_slash(self) -> None:
        self.check('sec/ret')
