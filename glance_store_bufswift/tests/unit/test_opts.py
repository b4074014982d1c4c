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

"""The options, where they may stand, and which place wins."""

from importlib import metadata
from pathlib import Path
import tempfile
from typing import Any

import fixtures
from glance_store._drivers.swift import store as upstream
from glance_store import driver as glance_driver
from oslo_config import cfg
from oslotest import base

from glance_store_bufswift import driver
from glance_store_bufswift import opts
from glance_store_bufswift import precedence
from glance_store_bufswift.tests.support import stores

#: Option -> field of Settings, and what its number is multiplied with.
FIELDS = {
    'swift_buffered_disk_quota': ('disk_quota', 1 << 20),
    'swift_buffered_min_free_percent': ('min_free_percent', 1),
    'swift_buffered_threads': ('threads', 1),
    'swift_buffered_retries': ('retries', 1),
    'swift_buffered_max_backoff': ('max_backoff', 1),
    'swift_buffered_timeout': ('timeout', 1),
    'swift_buffered_confirm_timeout': ('confirm_timeout', 1),
    'swift_buffered_read_threads': ('read_threads', 1),
    'swift_buffered_read_memory': ('read_memory', 1 << 20),
}

OWN, SHARED, GROUP = 'fast', precedence.SHARED_GROUP, precedence.GROUP


class _TestCase(base.BaseTestCase):
    def parse(self, sections: stores.Sections) -> cfg.ConfigOpts:
        """A file as glance_store leaves it for a store of ours."""
        path = Path(self.useFixture(fixtures.TempDir()).path, 'g.conf')
        path.write_text(stores.render(sections))
        conf = cfg.ConfigOpts()
        self.useFixture(fixtures.MonkeyPatch('glance_store.driver.CONF', conf))
        for group in (OWN, SHARED):
            conf.register_opts(upstream.Store.OPTIONS, group=group)
        opts.register(conf, OWN)
        conf([], default_config_files=[str(path)])
        # Takes the defaults of the store's own section away; glance_store 4.9
        # does not have it.
        if hasattr(glance_driver, 'BackendGroupConfiguration'):
            glance_driver.BackendGroupConfiguration(
                driver.Store.OPTIONS,  # type: ignore[attr-defined]
                OWN,
                conf=conf,
            )
        return conf

    def settings(self, sections: stores.Sections) -> opts.Settings:
        return opts.settings(self.parse(sections), OWN, 1000, 2000)


class TestPrecedence(_TestCase):
    """The own section, backend_defaults, swift_buffered, the default."""

    def _check(self, name: str, values: dict[str, int], expected: int) -> None:
        field, factor = FIELDS[name]
        found = self.settings(
            {group: {name: value} for group, value in values.items()}
        )
        self.assertEqual(
            expected * factor, getattr(found, field), f'{name} of {values}'
        )

    def test_every_option_of_ours_is_tested(self) -> None:
        self.assertEqual(
            {opt.name for opt in opts.OPTIONS},
            {'swift_buffered_dir', 'swift_buffered_manifest', *FIELDS},
        )

    def test_own_section_wins(self) -> None:
        for name in FIELDS:
            self._check(name, {OWN: 7, SHARED: 8, GROUP: 9}, 7)
            self._check(name, {OWN: 7, GROUP: 9}, 7)

    def test_then_backend_defaults(self) -> None:
        for name in FIELDS:
            self._check(name, {SHARED: 8, GROUP: 9}, 8)

    def test_then_our_group(self) -> None:
        for name in FIELDS:
            self._check(name, {GROUP: 9}, 9)

    def test_then_the_default(self) -> None:
        for opt in opts.OPTIONS:
            if opt.name in FIELDS:
                self._check(opt.name, {}, opt.default)

    def test_value_that_equals_the_default_wins_too(self) -> None:
        for opt in opts.OPTIONS:
            if opt.name in FIELDS:
                for group in (OWN, SHARED):
                    self._check(
                        opt.name, {group: opt.default, GROUP: 9}, opt.default
                    )

    def test_defaults_are_those_of_the_settings(self) -> None:
        self.assertEqual(
            opts.Settings(segment_size=1000, plain_limit=1000),
            self.settings({}),
        )


class TestDirectory(_TestCase):
    def _directory(self, sections: stores.Sections) -> str:
        return self.settings(sections).directory

    def test_precedence(self) -> None:
        name = 'swift_buffered_dir'
        self.assertEqual(
            '/a',
            self._directory(
                {OWN: {name: '/a'}, SHARED: {name: '/b'}, GROUP: {name: '/c'}}
            ),
        )
        self.assertEqual(
            '/b', self._directory({SHARED: {name: '/b'}, GROUP: {name: '/c'}})
        )
        self.assertEqual('/c', self._directory({GROUP: {name: '/c'}}))

    def test_upstreams_is_taken_when_ours_is_unset(self) -> None:
        name = 'swift_upload_buffer_dir'
        self.assertEqual('/u', self._directory({OWN: {name: '/u'}}))
        self.assertEqual('/u', self._directory({SHARED: {name: '/u'}}))
        self.assertEqual(
            '/c',
            self._directory(
                {OWN: {name: '/u'}, GROUP: {'swift_buffered_dir': '/c'}}
            ),
        )

    def test_temporary_directory_otherwise(self) -> None:
        self.assertEqual(tempfile.gettempdir(), self._directory({}))


class TestSettings(_TestCase):
    def test_plain_objects_are_no_longer_than_a_segment(self) -> None:
        conf = self.parse({})
        self.assertEqual(1000, opts.settings(conf, OWN, 1000, 9).segment_size)
        self.assertEqual(9, opts.settings(conf, OWN, 1000, 9).plain_limit)
        self.assertEqual(
            1000, opts.settings(conf, OWN, 1000, 5000).plain_limit
        )

    def test_values_out_of_bounds_are_refused_by_name(self) -> None:
        for name, value in (
            ('disk_quota', -1),
            ('min_free_percent', 101),
            ('min_free_percent', -1),
            ('threads', 0),
            ('threads', 65),
            ('retries', -1),
            ('max_backoff', -1),
            ('timeout', 0),
            ('confirm_timeout', -1),
            ('retries', 'many'),
        ):
            name = 'swift_buffered_' + name
            for group in (OWN, SHARED, GROUP):
                exc = self.assertRaises(
                    cfg.ConfigFileValueError,
                    self.settings,
                    {group: {name: value}},
                )
                self.assertIn(name, str(exc))


class TestResolve(_TestCase):
    NAME = 'swift_store_container'

    def _resolved(self, sections: stores.Sections, name: str = NAME) -> Any:
        conf = self.parse(sections)
        self.assertIsNone(self.parse({})[OWN][name])
        precedence.resolve(conf, OWN, [name])
        return conf[OWN][name]

    def setUp(self) -> None:
        super().setUp()
        if not hasattr(glance_driver, 'BackendGroupConfiguration'):
            self.skipTest('This glance_store has no [backend_defaults]')

    def test_own_value_stays(self) -> None:
        self.assertEqual(
            'a',
            self._resolved({OWN: {self.NAME: 'a'}, SHARED: {self.NAME: 'b'}}),
        )

    def test_shared_value_is_seen(self) -> None:
        self.assertEqual('b', self._resolved({SHARED: {self.NAME: 'b'}}))

    def test_default_is_seen(self) -> None:
        self.assertEqual('glance', self._resolved({}))
        self.assertIs(
            False, self._resolved({}, 'swift_store_create_container_on_put')
        )

    def test_nothing_stays_nothing(self) -> None:
        self.assertIsNone(self._resolved({}, 'swift_store_config_file'))


class TestRegistration(_TestCase):
    def test_generator_finds_the_group(self) -> None:
        (point,) = metadata.entry_points(
            group='oslo.config.opts', name='glance_store_bufswift'
        )
        self.assertEqual([(GROUP, opts.OPTIONS)], point.load()())

    def test_names_are_ours_alone_and_explained(self) -> None:
        for opt in opts.OPTIONS:
            self.assertTrue(opt.name.startswith('swift_buffered_'), opt.name)
            self.assertTrue((opt.help or '').strip(), opt.name)

    def test_upstreams_options_are_the_very_objects(self) -> None:
        ours = driver.Store.OPTIONS  # type: ignore[attr-defined]
        self.assertEqual(
            [id(opt) for opt in upstream.Store.OPTIONS + opts.OPTIONS],
            [id(opt) for opt in ours],
        )

    def test_registering_again_is_fine(self) -> None:
        opts.register(self.parse({}), OWN)

    def test_site_with_plain_swift_alone_starts(self) -> None:
        plain = {
            'swift_store_auth_address': 'http://127.0.0.1:9/v3',
            'swift_store_user': 'p:u',
            'swift_store_key': 'k',
        }
        used = self.useFixture(
            stores.Stores(
                {
                    'DEFAULT': {'enabled_backends': 'plain:swift'},
                    'glance_store': {'default_backend': 'plain'},
                    'plain': plain,
                }
            )
        )
        self.assertIs(upstream.SingleTenantStore, type(used.store('plain')))


class TestManifest(_TestCase):
    def test_dlo_unless_slo_is_asked_for(self) -> None:
        self.assertEqual(opts.DLO, self.settings({}).manifest)
        self.assertEqual(
            opts.SLO,
            self.settings({OWN: {'swift_buffered_manifest': 'slo'}}).manifest,
        )

    def test_anything_else_is_refused(self) -> None:
        self.assertRaises(
            ValueError,
            self.settings,
            {OWN: {'swift_buffered_manifest': 'tar'}},
        )
