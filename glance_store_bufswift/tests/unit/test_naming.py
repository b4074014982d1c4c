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

"""The containers of a store."""

import types
import uuid

from glance_store._drivers.swift import store as upstream
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from oslotest import base

from glance_store_bufswift import naming

IMAGE = '0a5c1a2e-6f0e-4d3e-9f6b-6d3f6d1b7c11'


class TestContainers(base.BaseTestCase):
    def test_one(self) -> None:
        which = naming.StoreContainers('glance')
        self.assertFalse(which.many)
        self.assertEqual(
            [True, False, False],
            [which.has(name) for name in ('glance', 'glance_0a', 'other')],
        )

    def test_with_a_seed(self) -> None:
        which = naming.StoreContainers('my_glance', 2)
        self.assertTrue(which.many)
        for name in (
            'my_glance',
            'my_glance_0',
            'my_glance_0A',
            f'my_glance_{IMAGE}',
        ):
            self.assertTrue(which.has(name), name)
            self.assertTrue(name.startswith(which.prefix), name)
        for name in (
            'my',
            'my_',
            'my_glance_',
            'my_glance_xy',
            'my_glance_0a_0a',
            'my_glance0',
            'my_glance_segments',
            f'my_glance_{IMAGE}0',
            'my_glance_-0',
            '_0a',
        ):
            self.assertFalse(which.has(name), name)

    def test_of_tenants(self) -> None:
        which = naming.StoreContainers('glance', 2, multi_tenant=True)
        self.assertTrue(which.many)
        self.assertTrue(which.has(f'glance_{IMAGE}'))
        self.assertTrue(f'glance_{IMAGE}'.startswith(which.prefix))
        for name in ('glance', 'glance_0a', IMAGE, f'other_{IMAGE}'):
            self.assertFalse(which.has(name), name)

    @settings(deadline=None)
    @given(st.uuids(), st.integers(1, 32))
    def test_as_the_stock_driver_names_them(
        self, image: uuid.UUID, seed: int
    ) -> None:
        store = types.SimpleNamespace(
            backend_group=None,
            conf=types.SimpleNamespace(
                glance_store=types.SimpleNamespace(
                    swift_store_multiple_containers_seed=seed
                )
            ),
        )
        name = upstream.SingleTenantStore.get_container_name(
            store, str(image), 'glance'
        )
        self.assertTrue(naming.StoreContainers('glance', seed).has(name), name)
