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

"""What the pages tell operators to type can be read by what it is for."""

from collections.abc import Iterator
import configparser
from pathlib import Path
import re
import subprocess
import textwrap
from typing import Any
from xml.etree import ElementTree

import fixtures
from glance_store._drivers.swift import store as upstream
from oslo_config import cfg
from oslotest import base
import yaml

from glance_store_bufswift import opts
from glance_store_bufswift import stopwatch
from glance_store_bufswift import summary
from glance_store_bufswift.tests.support.cloud import balancer
from glance_store_bufswift.tests.support import logs
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.unit import waits

ROOT = Path(__file__).parents[3]
PAGES = sorted([ROOT / 'README.rst', *ROOT.glob('doc/source/**/*.rst')])

_BLOCK = re.compile(
    r'^( *)\.\. code-block:: (\S+)\n((?:\1   :.*\n)*)\n'
    r'((?:\1   .*\n|\n)+)',
    re.MULTILINE,
)
_TYPED = re.compile(r'\b((?:swift_buffered|swift_store|default_swift)_\w+)')

#: The options that a store of this type has.
KNOWN = {opt.name: opt for opt in (*upstream.Store.OPTIONS, *opts.OPTIONS)}

#: Helm reads numbers as floating point, and writes those as 1e+06.
_LARGEST = 999_999


def blocks(language: str, caption: str = '') -> Iterator[tuple[str, str]]:
    """The code blocks of all pages: the page's name, the text."""
    for page in PAGES:
        for found in _BLOCK.finditer(page.read_text()):
            if found[2] == language and caption in found[3]:
                yield page.stem, textwrap.dedent(found[4])


def dicts(value: Any) -> Iterator[dict[str, Any]]:
    """A value of YAML, and all within it."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from dicts(each)


def sections() -> Iterator[tuple[str, dict[str, Any]]]:
    """What any page puts into the section of a store."""
    for page, text in blocks('ini'):
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(text)
        yield from ((page, dict(parser[name])) for name in parser.sections())
    for page, text in blocks('yaml'):
        for each in dicts(yaml.safe_load(text)):
            yield page, each


class TestBlocks(base.BaseTestCase):
    def test_found(self) -> None:
        """There are blocks of each tool that has a page."""
        self.assertLessEqual(
            {'kolla-ansible', 'openstack-ansible', 'openstack-helm'},
            {page for page, _ in blocks('yaml')},
        )
        self.assertLessEqual(
            {'README', 'index', 'kolla-ansible', 'venv'},
            {page for page, _ in blocks('ini')},
        )

    def test_options(self) -> None:
        """Each option of a store is known, and its value is one."""
        checked = 0
        for page, section in sections():
            stored = {
                name: value
                for name, value in section.items()
                if _TYPED.fullmatch(name)
            }
            if stored:
                checked += 1
                with self.subTest(page=page):
                    self.check_store(stored)
        self.assertGreaterEqual(checked, 5)

    def check_store(self, section: dict[str, Any]) -> None:
        path = Path(self.useFixture(fixtures.TempDir()).path, 'g.conf')
        path.write_text(stores.render({'fast': section}))
        conf = cfg.ConfigOpts()
        self.assertEqual(set(), set(section) - set(KNOWN))
        conf.register_opts(list(KNOWN.values()), group='fast')
        conf([], default_config_files=[str(path)])
        for name in section:
            self.assertIsNotNone(conf.fast[name])

    def test_puppet(self) -> None:
        ((_, text),) = blocks('puppet')
        # What the module's parameters are called is its own affair.
        named = re.findall(r"'fast/(\w+)'", text)
        self.assertIn('swift_buffered_dir', named)
        self.assertEqual(set(), set(named) - set(KNOWN))

    def test_helm_numbers(self) -> None:
        for page, text in blocks('yaml'):
            if page == 'openstack-helm':
                for each in dicts(yaml.safe_load(text)):
                    for name, value in each.items():
                        if isinstance(value, int):
                            self.assertLessEqual(value, _LARGEST, name)

    def test_enabled_backends(self) -> None:
        """Each page that names the type writes it as it is registered."""
        for page in PAGES:
            for written in re.findall(
                r'\w+: ?swift\W?buffered', page.read_text()
            ):
                self.assertIn('swift+buffered', written, page.name)


class TestScripts(base.BaseTestCase):
    def test_speeds(self) -> None:
        """What takes figures from the log reads the lines as they are."""
        ((_, script),) = (each for each in blocks('bash') if each[0] == 'logs')
        clock = self.useFixture(waits.Clock())
        records = self.useFixture(logs.Records())
        took = summary.UploadSummary('5d0c', stopwatch.Stopwatch())
        for name, seconds in ((stopwatch.DISK, 1), (stopwatch.SWIFT, 6)):
            with took.watch.share(name):
                clock.spend(seconds)
        clock.spend(3)
        took.log_failed(ValueError('bad'), 10, 0, 0, 0, None)
        took.log_stored(2_000_000_000, 0, 0)
        directory = self.useFixture(fixtures.TempDir()).path
        Path(directory, 'glance-api.log').write_text(
            ''.join(
                f'2026-11-29 12:00:00.123 42 INFO {record.name} [-] '
                f'{record.getMessage()}\n'
                for record in records.all
            )
        )
        done = subprocess.run(
            ['sh', '-c', script],
            cwd=directory,
            text=True,
            check=True,
            capture_output=True,
        )
        self.assertEqual('5d0c 200 MB/s, disk 10 %, Swift 60 %\n', done.stdout)


def hosts(*pages: Path) -> set[str]:
    """The hosts of all addresses in files."""
    return {
        host
        for page in pages
        for host in re.findall(r'https?://([\w.-]*\w)', page.read_text())
    }


class TestAddresses(base.BaseTestCase):
    def test_known(self) -> None:
        """No page sends its reader to a place that may not exist."""
        known = {'docs.openstack.org'} | hosts(ROOT / 'setup.cfg')
        found = hosts(
            *PAGES, *ROOT.glob('*.rst'), *ROOT.glob('devstack/*.rst')
        )
        self.assertEqual(
            set(),
            {
                host
                for host in found - known
                if not host.endswith('.example.org')
                and not host.startswith(('192.0.2.', '127.0.0.'))
            },
        )


class TestDrawings(base.BaseTestCase):
    def test_readable(self) -> None:
        """Each has a ground of its own, and words for who can't see it."""
        drawings = list(ROOT.glob('doc/source/how-it-works/*.svg'))
        self.assertTrue(drawings)
        space = '{http://www.w3.org/2000/svg}'
        for path in drawings:
            root = ElementTree.parse(path).getroot()
            ground = root.find(f'{space}rect')
            assert ground is not None
            self.assertEqual('#ffffff', ground.get('fill'), path.name)
            self.assertTrue(root.findtext(f'{space}title'), path.name)


class TestProxies(base.BaseTestCase):
    """The proxies' own check of their configuration."""

    def check(self, kind: str, command: list[str], text: str) -> None:
        path = Path(self.useFixture(fixtures.TempDir()).path, 'proxy.conf')
        path.write_text(text)
        program = balancer.find(kind)
        if program is None:
            self.skipTest(str(balancer.missing(kind)))
        done = subprocess.run(
            [program, *command, path], text=True, capture_output=True
        )
        self.assertEqual(0, done.returncode, done.stderr)

    def test_nginx(self) -> None:
        found = list(blocks('nginx'))
        self.assertTrue(found)
        for page, text in found:
            with self.subTest(page=page):
                inside = (
                    text
                    if text.startswith('location')
                    else f'location / {{ {text} }}'
                )
                self.check(
                    'nginx',
                    ['-t', '-e', 'stderr', '-g', 'pid /dev/null;', '-c'],
                    'events {} http { access_log off; server { '
                    f'{inside} }} }}',
                )

    def test_haproxy(self) -> None:
        found = list(blocks('text', 'HAProxy'))
        self.assertTrue(found)
        for page, text in found:
            with self.subTest(page=page):
                self.check('haproxy', ['-c', '-f'], text)
