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

"""Accounts in files of their own: swift_store_config_file."""

from concurrent import futures
import dataclasses
import logging
from pathlib import Path
from typing import Any
from unittest import mock
import uuid

import fixtures
from glance_store._drivers.swift import utils
from glance_store import exceptions

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support import logs
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT

#: What moves from a store's section into the file.
_IN_FILE = (
    'swift_store_auth_address',
    'swift_store_auth_version',
    'swift_store_user',
    'swift_store_key',
)


class TestConfigFile(base.TestCase):
    def file(self, reference: str, user: keystone.User | None = None) -> Path:
        """A file with one account, by default Glance's."""
        text = self.cloud.config_file(reference)
        glance = self.cloud.site.glance
        if user:
            text = text.replace(
                f'{glance.project}:{glance.name}',
                f'{user.project}:{user.name}',
            )
            text = text.replace(glance.password, user.password)
        path = Path(self.useFixture(fixtures.TempDir()).path, 'swift.conf')
        path.write_text(text)
        return path

    def section(
        self, reference: str, user: keystone.User | None = None
    ) -> dict[str, Any]:
        return dict.fromkeys(_IN_FILE) | {
            'default_swift_reference': reference,
            'swift_store_config_file': self.file(reference, user),
        }

    def check(
        self, made: stores.Stores, reference: str, store: str = 'fast'
    ) -> None:
        data = streams.image(2 * SEGMENT + 5)
        answer = made.add(self.image, streams.Stream(data), 0, store)
        self.assertEqual(
            f'swift+config://{reference}/{self.container}/{self.image}',
            answer[0],
        )
        self.assert_stored(data, answer, 3, store)
        self.assertEqual(data, made.get(answer[0], store))
        made.delete(answer[0], store)
        self.assert_nothing_left()

    def test_reference(self) -> None:
        self.check(self.stores(fast=self.section('ref1')), 'ref1')

    def test_other_reference(self) -> None:
        self.check(self.stores(fast=self.section('abc')), 'abc')

    def test_two_stores(self) -> None:
        made = self.stores(
            'fast:swift+buffered,second:swift+buffered',
            fast=self.section('ref1'),
            second=self.section('ref2'),
        )
        self.check(made, 'ref1')
        self.check(made, 'ref2', 'second')

    def test_same_reference_in_two_files(self) -> None:
        """Upstream keeps all files in one parser."""
        demo = self.cloud.site.demo
        self.addCleanup(self.cloud.delete_container, self.container, user=demo)
        made = self.stores(
            'fast:swift+buffered,second:swift+buffered',
            fast=self.section('ref1'),
            second=self.section('ref1', demo),
        )
        ours, theirs = (streams.image(2 * SEGMENT, seed) for seed in (1, 2))
        uri = made.add(self.image, streams.Stream(ours), 0)[0]
        self.assertEqual(
            uri, made.add(self.image, streams.Stream(theirs), 0, 'second')[0]
        )
        self.assertEqual(
            theirs,
            self.cloud.object_bytes(self.container, self.image, user=demo),
        )
        self.assertEqual(ours, made.get(uri))
        self.assertEqual(theirs, made.get(uri, 'second'))
        made.delete(uri, 'second')
        self.assertEqual(ours, made.get(uri))
        made.delete(uri)
        self.assert_nothing_left()

    def test_same_reference_in_two_files_at_once(self) -> None:
        """One file is read while the other one is."""
        demo = self.cloud.site.demo
        made = self.stores(
            'fast:swift+buffered,second:swift+buffered',
            fast=self.section('ref1'),
            second=self.section('ref1', demo),
        )
        uri = f'swift+config://ref1/{self.container}/{self.image}'

        def key(store: str) -> str:
            where = stores.location_of(uri, store, made.conf)
            return str(where.store_location.key)

        pool = futures.ThreadPoolExecutor(1)
        self.addCleanup(pool.shutdown)
        true_read = utils.CONFIG.read
        beside: list[futures.Future[str]] = []

        def read(*args: Any) -> Any:
            done = true_read(*args)
            if not beside:
                beside.append(pool.submit(key, 'second'))
                futures.wait(beside, 0.2)
            return done

        with mock.patch.object(utils.CONFIG, 'read', read):
            ours = key('fast')
        self.assertEqual(
            (self.cloud.site.glance.password, demo.password),
            (ours, beside[0].result(30)),
        )

    def test_in_backend_defaults_alone(self) -> None:
        shared = self.section('abc')
        self.check(
            self.stores(fast=dict.fromkeys(shared), backend_defaults=shared),
            'abc',
        )

    def test_beside_the_stock_driver(self) -> None:
        made = self.stores(
            'fast:swift+buffered,stock:swift',
            fast=self.section('ref1'),
            stock=self.section('ref2'),
        )
        self.check(made, 'ref1')
        data = streams.image(2 * SEGMENT)
        uri = made.add(self.image, streams.Stream(data), 0, 'stock')[0]
        self.assertEqual(data, made.get(uri, 'stock'))

    def test_switch_to_the_stock_driver_and_back(self) -> None:
        section = self.section('ref1')
        data = streams.image(2 * SEGMENT + 5)
        for writer, reader in (
            ('swift', 'swift+buffered'),
            ('swift+buffered', 'swift'),
        ):
            answer = self.stores(f'fast:{writer}', fast=section).add(
                self.image, streams.Stream(data), 0
            )
            self.assert_stored(data, answer)
            other = self.stores(f'fast:{reader}', fast=section)
            self.assertEqual(data, other.get(answer[0]))
            other.delete(answer[0])
            self.assert_nothing_left()

    def unusable(self, section: dict[str, Any], *says: str) -> None:
        """The store is left out, as upstream does it, but not in silence."""
        made = self.stores('fast:swift+buffered,disk:file', fast=section)
        self.assertRaises(exceptions.UnknownScheme, made.store, 'fast')
        self.assertIsNotNone(made.store('disk'))
        [error] = self.records.of(logging.ERROR)
        for text in (
            'Store fast ',
            str(section['swift_store_config_file']),
            *says,
        ):
            self.assertIn(text, error)
        self.records.clear()

    def test_missing(self) -> None:
        section = self.section('ref1') | {
            'swift_store_config_file': '/nowhere/swift.conf'
        }
        self.unusable(section, 'No such file')
        made = self.stores('fast:swift', fast=section)
        self.assertRaises(exceptions.UnknownScheme, made.store, 'fast')

    def test_what_can_not_be_read(self) -> None:
        section = self.section('ref1')
        path = section['swift_store_config_file']
        good = path.read_text()
        for bad, says in (
            (good.replace('key = ', 'key = s3%cret'), '%%'),
            (good.replace('key = ', 'key = "s3cret'), 'quote'),
            ('\ufeff' + good, 'byte order mark'),
            ('key = s3cret\n' + good, 'line 1'),
        ):
            path.write_text(bad)
            self.unusable(section, says)
        for record in self.records.all:
            self.assertNotIn('s3', logs.text_of(record))

    def test_percent(self) -> None:
        """As the error says: doubled, for both drivers."""
        user = dataclasses.replace(
            self.cloud.site.glance,
            name=f'user-{uuid.uuid4().hex}',
            password='100%',
        )  # noqa: S106
        admin = keystone.Admin(
            self.cloud.direct_auth_url, self.cloud.site.admin
        )
        admin.create_user(
            user, admin.find('project', name=user.project), 'member'
        )
        section = self.section(
            'ref1', dataclasses.replace(user, password='100%%')
        )  # noqa: S106
        self.check(self.stores(fast=section), 'ref1')
        made = self.stores('fast:swift', fast=section)
        uri = made.add(self.image, streams.Stream(b'image'), 5)[0]
        self.assertEqual(b'image', made.get(uri))

    def test_bad_while_glance_runs(self) -> None:
        section = self.section('ref1')
        path = section['swift_store_config_file']
        good = path.read_text()
        made = self.stores(fast=section)
        path.write_text(good.replace('key = ', 'key = s3%cret'))
        exc = self.assertRaises(
            exceptions.BadStoreConfiguration,
            made.add,
            self.image,
            streams.Stream(b'x'),
            1,
        )
        self.assertIn('[ref1]', str(exc))
        self.assertNotIn('s3', str(exc))
        path.write_text(good)
        self.check(made, 'ref1')

    def test_reference_that_is_not_there(self) -> None:
        for change in ({'default_swift_reference': 'other'}, {}):
            section = self.section('ref1') | change
            path = section['swift_store_config_file']
            if not change:
                path.write_text(path.read_text().replace('key = ', 'yek = '))
            made = self.stores(fast=section)
            self.assertRaises(
                exceptions.StoreAddDisabled,
                made.add,
                self.image,
                streams.Stream(b'x'),
                1,
            )
            told = '\n'.join(each.getMessage() for each in self.records.all)
            self.assertIn(
                f'{path} has no account '
                f'[{section["default_swift_reference"]}]',
                told,
            )

    def test_multi_tenant(self) -> None:
        """The two exclude each other, also in different sections."""
        section = self.section('ref1')
        for options in (section | {'swift_store_multi_tenant': True}, section):
            made = self.stores(
                fast=options,
                backend_defaults={'swift_store_multi_tenant': True},
            )
            self.assertRaises(exceptions.UnknownScheme, made.store, 'fast')
