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

"""Glance's configuration, and what is said of one that can't be used."""

from pathlib import Path
from typing import Any

import fixtures
from oslotest import base

from glance_store_bufswift.cmd import config
from glance_store_bufswift.cmd import files
from glance_store_bufswift import driver
from glance_store_bufswift import errors

ONE = '[DEFAULT]\nenabled_backends = fast:swift+buffered\n'
FAST = '[fast]\nswift_store_user = p:u\n'


class TestCase(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.home = Path(self.useFixture(fixtures.TempDir()).path)
        self.useFixture(fixtures.EnvironmentVariable('HOME', str(self.home)))
        self.useFixture(
            fixtures.EnvironmentVariable(
                'OS_GLANCE_CONFIG_DIR', str(self.home)
            )
        )

    def write(self, text: str, name: str = 'glance-api.conf') -> str:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def read(self, text: str) -> Any:
        self.path = self.write(text)
        return config.read([self.path], [])

    def refused(self, text: str, backend: str = 'fast') -> str:
        """What is said of a configuration that can't be used."""

        def verify() -> None:
            conf = self.read(text)
            driver.prepare(conf, backend)
            config.verify(conf, backend)

        said = str(self.assertRaises(errors.ConfigError, verify))
        self.assertIn(self.path, said)
        return said


class TestRefused(TestCase):
    def test_a_value_of_a_store(self) -> None:
        for section in ('fast', 'swift_buffered', 'backend_defaults'):
            said = self.refused(
                f'{ONE}{FAST}[{section}]\nswift_buffered_threads = many\n'
            )
            self.assertIn(
                f'swift_buffered_threads = many in [{section}]', said
            )

    def test_a_value_out_of_bounds(self) -> None:
        self.assertIn(
            '65', self.refused(f'{ONE}{FAST}swift_buffered_threads = 65\n')
        )

    def test_the_list_of_stores(self) -> None:
        self.assertIn(
            'enabled_backends = fast in [DEFAULT]',
            self.refused('[DEFAULT]\nenabled_backends = fast\n'),
        )
        self.assertIn(
            'enabled_backends is not set', self.refused('[DEFAULT]\n')
        )

    def test_a_default_that_is_no_store(self) -> None:
        said = self.refused(
            f'{ONE}{FAST}[glance_store]\ndefault_backend = slow\n'
        )
        self.assertIn('default_backend = slow', said)
        self.assertIn('one of fast', said)

    def test_a_store_without_a_section(self) -> None:
        said = self.refused(ONE + FAST.replace('fast', 'fats'))
        self.assertIn('no section [fast]', said)
        self.assertIn('rename [fats]', said)

    def test_what_all_stores_have_is_enough(self) -> None:
        conf = self.read(ONE + FAST.replace('fast', 'backend_defaults'))
        driver.prepare(conf, 'fast')
        config.verify(conf, 'fast')

    def test_a_stock_store_alone(self) -> None:
        conf = self.read('[DEFAULT]\nenabled_backends = old:swift\n')
        exc = self.assertRaises(
            errors.ConfigError, config.backends, conf, [], [driver.NAME]
        )
        self.assertIn('--backend old', str(exc))


class TestFiles(TestCase):
    def test_as_below_a_wsgi_server(self) -> None:
        main = self.write(ONE)
        other = self.write('[x]\ny = z\n', 'glance-image-import.conf')
        self.assertEqual([other, main], files.default())
        self.assertEqual([other, main], config.read([], []).config_file)

    def test_none(self) -> None:
        exc = self.assertRaises(errors.ConfigError, config.read, [], [])
        self.assertIn('--config-file', str(exc))

    def test_elsewhere(self) -> None:
        """Where oslo.config finds them."""
        self.assertIsNone(files.default({}))

    def test_a_directory_that_was_found(self) -> None:
        self.write(ONE + FAST)
        path = self.write(
            '[fast]\nswift_buffered_threads = 3\n',
            '.glance/glance-api.conf.d/a.conf',
        )
        conf = config.read([], [])
        self.assertEqual(str(Path(path).parent), files.names(conf)[-1])
        self.assertEqual(
            [(path, '3')],
            files.written(conf)['fast']['swift_buffered_threads'],
        )
        driver.prepare(conf, 'fast')
        self.assertEqual(3, conf.fast.swift_buffered_threads)
