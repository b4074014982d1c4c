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

"""The driver among others, through glance_store's multi-backend code."""

import io
from typing import Any
import uuid

from glance_store._drivers.swift import store as upstream
from glance_store import exceptions
from glance_store import multi_backend
from oslo_config import cfg
from oslo_config import generator
from oslotest import base as test_base

from glance_store_bufswift import driver
from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT


class TestCase(base.TestCase):
    def check(self, made: stores.Stores, name: str, size: int = 0) -> str:
        """A store stores, gives back, and deletes; tells the image's URI."""
        image = str(uuid.uuid4())
        data = streams.image(size or 2 * SEGMENT + 5, seed=len(name))
        uri, length, *hashes, metadata = made.add(
            image, io.BytesIO(data), 0, name
        )
        self.assertEqual((len(data), *streams.hashes(data)), (length, *hashes))
        self.assertEqual({'store': name}, metadata)
        self.assertEqual(data, made.get(uri, name))
        made.delete(uri, name)
        self.assertRaises(exceptions.NotFound, made.get, uri, name)
        return str(uri)


class TestBeside(TestCase):
    """Several stores in one configuration."""

    enabled = 'fast:swift+buffered,second:swift+buffered,stock:swift,disk:file'

    def test_each_works(self) -> None:
        other = self.new_container()
        made = self.stores(
            self.enabled, second={'swift_store_container': other}
        )
        uris = {
            name: self.check(made, name)
            for name in ('fast', 'second', 'stock', 'disk')
        }
        self.assertEqual([], self.listing())
        self.assertEqual([], self.cloud.listing(other))
        self.assertIn(f'/{self.container}/', uris['fast'])
        self.assertIn(f'/{other}/', uris['second'])
        self.assertIn(f'/{self.container}/', uris['stock'])
        self.assertTrue(uris['disk'].startswith('file:'))

    def test_types(self) -> None:
        made = self.stores(self.enabled)
        self.assertIs(driver.SingleTenantStore, type(made.store('fast')))
        self.assertIs(driver.SingleTenantStore, type(made.store('second')))
        self.assertIs(upstream.SingleTenantStore, type(made.store('stock')))

    def test_default_store(self) -> None:
        made = self.stores(self.enabled)
        answer = multi_backend.add_with_multihash(
            made.conf, self.image, streams.Stream(b'x'), 1, None, 'sha512'
        )
        self.assert_stored(b'x', answer)

    def test_weight_and_description(self) -> None:
        made = self.stores(
            self.enabled, second={'weight': 7, 'store_description': 'buffered'}
        )
        self.assertEqual(0, multi_backend.get_store_weight('fast'))
        self.assertEqual(7, multi_backend.get_store_weight('second'))
        self.assertEqual('buffered', made.conf.second.store_description)

    def test_schemes(self) -> None:
        made = self.stores(self.enabled)
        self.assertEqual(
            {*made.store('stock').get_schemes(), 'swift+buffered'},
            set(made.store('fast').get_schemes()),
        )

    def test_no_uri_has_the_drivers_name(self) -> None:
        """It would get past Glance's list of restricted schemes."""
        made = self.stores(self.enabled)
        uri = made.add(self.image, streams.Stream(b'x'), 1)[0]
        rest = uri.partition('://')[2]
        for each in (
            f'swift+buffered://{rest}',
            f'swift+buffered://ref1/{self.container}/{self.image}',
            'swift+buffered://',
        ):
            for store in ('fast', 'second'):
                self.assertRaises(
                    exceptions.BadStoreUri,
                    stores.location_of,
                    each,
                    store,
                    made.conf,
                )

    def test_prefix(self) -> None:
        """What Glance finds the store of an old location by."""
        made = self.stores('fast:swift+buffered,stock:swift')
        uri = made.add(self.image, streams.Stream(b'x'), 1)[0]
        self.assertEqual(uri, made.store('fast').url_prefix + self.image)


class TestStockOnly(TestCase):
    """The package is installed, but no store is of its type."""

    def check_stock(self, **sections: Any) -> None:
        made = self.stores('stock:swift', **sections)
        store = made.store('stock')
        self.assertIs(upstream.SingleTenantStore, type(store))
        self.assertNotIn('swift+buffered', store.get_schemes())
        self.assertEqual(SEGMENT, store.large_object_chunk_size)
        self.check(made, 'stock')

    def test_without_our_options(self) -> None:
        self.check_stock()

    def test_with_our_options(self) -> None:
        ours = {'swift_buffered_dir': '/nowhere', 'swift_buffered_threads': 2}
        self.check_stock(
            stock=ours, swift_buffered=ours, backend_defaults=ours
        )

    def test_with_upstreams_buffering(self) -> None:
        self.check_stock(
            stock={
                'swift_buffer_on_upload': True,
                'swift_upload_buffer_dir': self.buffers,
            }
        )


class TestCredentials(TestCase):
    """Without them the store is as the stock driver's."""

    def test_missing(self) -> None:
        for kind in ('swift', 'swift+buffered'):
            for name in (
                'swift_store_key',
                'swift_store_user',
                'swift_store_auth_address',
            ):
                made = self.stores(f'fast:{kind}', fast={name: None})
                self.assertRaises(
                    exceptions.StoreAddDisabled,
                    made.add,
                    self.image,
                    streams.Stream(b'x'),
                    1,
                )
        self.assertEqual([], self.proxy.log)

    def test_wrong(self) -> None:
        made = self.stores(fast={'swift_store_key': 'wrong'})
        self.assertRaises(
            exceptions.BackendException,
            made.add,
            self.image,
            streams.Stream(b'x'),
            1,
        )
        asked = [
            each
            for each in self.cloud.keystone_proxy.log
            if each.method == 'POST'
        ]
        self.assertEqual([401], [each.status for each in asked])

    def test_of_no_such_region(self) -> None:
        made = self.stores(fast={'swift_store_region': 'nowhere'})
        self.assertRaises(
            exceptions.BackendException,
            made.add,
            self.image,
            streams.Stream(b'x'),
            1,
        )

    def test_are_in_the_locations_already(self) -> None:
        """Images are read and deleted though nothing can be added."""
        data = streams.image(2 * SEGMENT + 5)
        uri = self.stores().add(self.image, streams.Stream(data), 0)[0]
        made = self.stores(
            fast={
                'swift_store_multi_tenant': False,
                'swift_store_container': 'other',
            }
        )
        self.assertEqual(data, made.get(uri))
        made.delete(uri)
        self.assert_nothing_left()


class TestGenerator(test_base.BaseTestCase):
    def test_sample(self) -> None:
        out = io.StringIO()
        conf = cfg.ConfigOpts()
        generator.register_cli_opts(conf)
        conf(['--namespace', 'glance_store_bufswift'])
        generator.generate(conf, out)
        lines = out.getvalue().splitlines()
        self.assertIn('[swift_buffered]', lines)
        self.assertIn('#swift_buffered_threads = 4', lines)
        self.assertIn('#swift_buffered_dir = <None>', lines)
