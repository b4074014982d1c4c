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

"""The sdist and the wheel: what is in them, and that they work.

They are built once and installed into environments of their own, beside the
newest Glance.
"""

import os
from pathlib import Path
import re
import sys
import sysconfig
import tarfile
import tempfile
from typing import ClassVar
import uuid
import zipfile

import fixtures
from oslotest import base

from glance_store_bufswift.tests.packaging import built
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support import stores

#: Each entry point that the package has, by group.
ENTRY_POINTS = {
    'console_scripts': ['glance-bufswift'],
    'glance_store.drivers': ['swift+buffered'],
    'oslo.config.opts': ['glance_store_bufswift'],
}

_NAMES = """
import sys
from stevedore import ExtensionManager
manager = ExtensionManager(sys.argv[1], invoke_on_load=False)
print(*[each.name for each in manager
        if each.module_name.startswith('glance_store_bufswift')
        and each.plugin])
"""

#: Where the wheel has the accelerator.
ACCELERATOR = 'glance_store_bufswift/_onepass.abi3.so'

#: What it is made of, and what a build in the tree leaves.
SOURCES = ('.c', '.h', '.pyi', '.so')

_CHOSEN = """
import sys
from glance_store_bufswift import accelerator
assert accelerator.__file__.startswith(sys.argv[1])
print(accelerator.chosen())
"""


def tree(top: Path) -> set[str]:
    """The files below a directory, by their path in it."""
    return {
        str(path.relative_to(top))
        for path in top.rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }


class TestCase(base.BaseTestCase):
    directory: ClassVar[Path]
    sdist: ClassVar[Path]
    wheel: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.directory = Path(temporary.name)
        cls.sdist, cls.wheel = built.build(cls.directory / 'dist')


class TestContents(TestCase):
    def test_wheel(self) -> None:
        """It has the driver, and nothing of its tests."""
        package = built.ROOT / 'glance_store_bufswift'
        driver = {
            f'glance_store_bufswift/{name}'
            for name in tree(package)
            if not name.startswith('tests/') and not name.endswith(SOURCES)
        } | {ACCELERATOR}
        with zipfile.ZipFile(self.wheel) as wheel:
            names = wheel.namelist()
        self.assertEqual(
            driver, {name for name in names if '.dist-info/' not in name}
        )
        self.assertIn('LICENSE', {Path(name).name for name in names})

    def test_wheel_is_for_every_python(self) -> None:
        """It asks for nothing that CPython 3.10 or a later one lacks."""
        self.assertIn('-cp310-abi3-', self.wheel.name)
        built.run(sys.executable, '-m', 'abi3audit', '--strict', self.wheel)

    def test_sdist(self) -> None:
        """It has all that git has."""
        with tarfile.open(self.sdist) as sdist:
            names = {name.partition('/')[2] for name in sdist.getnames()}
        tracked = built.run('git', 'ls-files').splitlines()
        # pbr leaves what git alone reads to git.
        self.assertEqual(set(), set(tracked) - names - {'.gitignore'})
        self.assertLessEqual(
            {
                'LICENSE',
                'SECURITY.rst',
                'PKG-INFO',
                'glance_store_bufswift/tests/support/cloud/cloud.py',
            },
            names,
        )

    def test_extra(self) -> None:
        """The extra "test" names what the tests in the sdist need."""
        wanted = built.metadata(self.wheel).get_all('Requires-Dist', [])
        extra = [
            re.split(r'[^\w.-]', each)[0]
            for each in wanted
            if 'extra == "test"' in each
        ]
        listed = (built.ROOT / 'test-requirements.txt').read_text()
        self.assertEqual(re.findall(r'^[\w.-]+', listed, re.MULTILINE), extra)

    def test_version_of_a_copy(self) -> None:
        """A tree without git and without PKG-INFO can be built too."""
        for outer in (None, '9.9.9'):
            with self.subTest(outer=outer):
                source = built.copy(self.directory / f'in-{outer}' / 'copy')
                if outer:
                    built.release(source.parent, outer)
                self.assertEqual(
                    '1.0.0.dev0', built.installed(source)['Version']
                )

    def test_version_of_an_archive(self) -> None:
        """What "git archive" has packed knows the release it was made of."""
        for commits, expected in ((0, '1.2.0'), (2, '1.2.0.post2')):
            with self.subTest(commits=commits):
                source = built.archive(
                    self.directory / f'archive-{commits}', '1.2.0', commits
                )
                self.assertEqual(expected, built.installed(source)['Version'])

    def test_version_before_the_first_release(self) -> None:
        """What git says of this tree, which no release has a tag of yet."""
        if not built.run('git', 'tag', '--list').strip():
            version = built.metadata(self.wheel)['Version']
            self.assertRegex(version, r'^1\.0\.0\.dev[0-9]+$')

    def test_project_urls(self) -> None:
        """setup.cfg shows how to set where the project lives."""
        source = built.copy(self.directory / 'with-urls')
        config = source / 'setup.cfg'
        text = config.read_text()
        self.assertIn('# project_urls =', text)
        config.write_text(
            re.sub(
                r'^# (project_urls =|    \w+ = https)',
                r'\1',
                text,
                flags=re.MULTILINE,
            )
        )
        self.assertEqual(
            [
                'Source, https://...',
                'Issues, https://...',
                'Security, https://...',
            ],
            built.installed(source).get_all('Project-URL'),
        )

    def test_description(self) -> None:
        """The package index can show the description of both."""
        built.run(
            sys.executable,
            '-m',
            'twine',
            'check',
            '--strict',
            self.sdist,
            self.wheel,
        )


class TestInstalled(TestCase):
    def test_beside_glance(self) -> None:
        environment = built.Environment(self.directory / 'venv')
        environment.install(self.wheel, 'glance')
        self.assertEqual(
            'No broken requirements found.\n', environment.check()
        )
        for group, names in ENTRY_POINTS.items():
            # stevedore logs what it could not load of others.
            output = environment.python('-c', _NAMES, group)
            self.assertEqual(names, output.splitlines()[-1].split())
        config = self.glance_api_conf()
        answer = environment.python(
            Path(__file__).with_name('use.py'), config, 'fast'
        )
        self.assertIn(
            'glance_store_bufswift.stores.single.SingleTenantStore', answer
        )
        # It exits with 0 if it finds nothing wrong.
        built.run(
            environment.bin / 'glance-bufswift',
            'check',
            '--config-file',
            config,
        )

    def glance_api_conf(self) -> Path:
        """A configuration with a store in the test cloud."""
        cloud = clouds.Cloud.attach()
        container = f'images-{uuid.uuid4().hex}'
        self.addCleanup(cloud.delete_container, container)
        path = Path(self.useFixture(fixtures.TempDir()).path, 'glance.conf')
        path.write_text(
            stores.render(
                {
                    'DEFAULT': {'enabled_backends': 'fast:swift+buffered'},
                    'glance_store': {'default_backend': 'fast'},
                    'fast': cloud.glance_store_options(container)
                    | {
                        'swift_store_large_object_size': 1,
                        'swift_store_large_object_chunk_size': 1,
                    },
                }
            )
        )
        return path

    def test_sdist(self) -> None:
        """An install from the sdist has what one from the wheel has."""
        self.assertEqual(
            self.installed('of-wheel', self.wheel),
            self.installed('of-sdist', self.sdist),
        )

    def installed(self, name: str, source: Path) -> set[str]:
        """The files of the package that an install brings."""
        target = self.directory / name
        built.install(source, target)
        return {path for path in tree(target) if '.dist-info/' not in path}


class TestAccelerator(TestCase):
    """The package with a compiler and without, from all that has a source."""

    def setUp(self) -> None:
        super().setUp()
        self.own = Path(self.useFixture(fixtures.TempDir()).path)
        #: What a site may install.
        self.sources = (
            self.sdist,
            built.checkout(self.own / 'checkout'),
            built.copy(self.own / 'tree'),
        )

    def test_with_a_compiler(self) -> None:
        for source in self.sources:
            brought, choice = self.installed(source)
            self.assertTrue(brought)
            # With AVX-512, where this processor has it.
            self.assertIn('the accelerator in one pass', choice)

    def test_without_a_compiler(self) -> None:
        """There is none, or it fails, as it does without Python's headers."""
        for source, compiler in (
            *((each, '/nowhere/cc') for each in self.sources),
            (self.sdist, '/bin/false'),
        ):
            self.assertEqual(
                (False, 'hashlib in two passes: the accelerator is not built'),
                self.installed(source, CC=compiler),
            )

    def installed(self, source: Path, **environment: str) -> tuple[bool, str]:
        """Whether it brings the accelerator, and who computes the MD5s."""
        target = Path(self.useFixture(fixtures.TempDir()).path)
        self.assertEqual('', built.install(source, target, **environment))
        # Without the site module: an editable install of the tree would have
        # the accelerator of the tree be found.
        chosen = built.run(
            sys.executable,
            '-S',
            '-c',
            _CHOSEN,
            target,
            directory=target,
            environment={
                'PYTHONPATH': os.pathsep.join(
                    (str(target), sysconfig.get_path('purelib'))
                )
            },
        )
        return (target / ACCELERATOR).exists(), chosen.strip()
