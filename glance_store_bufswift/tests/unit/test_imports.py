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

"""Hold the direction of the imports inside the package.

The source is parsed, not imported: an import inside a function or behind
TYPE_CHECKING counts like any other.
"""

import ast
from collections.abc import Iterator
import pathlib

from oslotest import base

PACKAGE = 'glance_store_bufswift'
ROOT = pathlib.Path(__file__).resolve().parents[2]

# From low to high: a module may import those above its line, none below. A
# subpackage is one line and may import within itself.
ORDER = (
    'units',
    'stopwatch',
    'layout',
    'naming',
    'notices',
    'precedence',
    'options',
    'opts',
    'errors',
    'translation',
    'multihash',
    'workers',
    'accelerator',
    'hashes',
    'hash_threads',
    'digests',
    'source',
    'buffer.quota',
    'buffer.space',
    'buffer.buffers',
    'buffer.window',
    'buffer.segment',
    'summary',
    'swift.pace',
    'swift.answers',
    'swift.failures',
    'swift.retry',
    'swift.tokens',
    'swift.tcp',
    'swift.guard',
    'swift.connections',
    'swift.pool',
    'swift.client',
    'swift.capabilities',
    'swift.sites',
    'swift.listings',
    'swift.containers',
    'swift.bulk',
    'swift.puts',
    'swift.gets',
    'swift.objects',
    'swift.slo_manifest',
    'swift.slos',
    'swift.accounts',
    'swift.extents',
    'swift.identity',
    'swift.measuring',
    'swift.opening',
    'swift.reading',
    'record',
    'reader.parts',
    'reader.plan',
    'reader.gauge',
    'reader.proving',
    'reader.direct',
    'reader.memory',
    'reader.fetch',
    'reader.ahead',
    'reader.listed',
    'reader.lookup',
    'access',
    'trusts',
    'account_file',
    'transfers',
    'deletes',
    'provisioning',
    'recent',
    'former',
    'cleanup',
    'segmenting',
    'manifest',
    'confirmation',
    'copying',
    'upload',
    'download',
    'removal',
    'stores.locations',
    'stores.configured',
    'stores.base',
    'stores.single',
    'stores.multi',
    'driver',
    'service',
    'orphans',
    'check',
    'cmd.status',
    'cmd.files',
    'cmd.config',
    'cmd.output',
    'cmd.plot',
    'cmd.report',
    'cmd.orphans',
    'cmd.check',
    'cmd.arguments',
    'cmd.manual',
    'cmd.main',
)

# Exceptions to ORDER: module -> the modules below its line it may import.
UPWARD: dict[str, tuple[str, ...]] = {}

# Library -> the modules or subpackages that may import it; the longest name
# counts.
LIBRARIES = {
    'glance_store': ('driver', 'stores'),
    'glance_store.exceptions': ('driver', 'service', 'stores', 'translation'),
    'glance_store.location': ('check',),
    'keystoneauth1': ('service', 'swift', 'trusts'),
    'keystoneclient': ('trusts',),
    'oslo_config': (
        'cmd.config',
        'cmd.files',
        'options',
        'opts',
        'precedence',
    ),
    'requests': ('swift',),
    'swiftclient': ('swift',),
    'urllib3': ('swift',),
}


def modules() -> dict[str, pathlib.Path]:
    """Map the dotted names below the package, tests apart, to their files."""
    found = {}
    for path in sorted(ROOT.rglob('*.py')):
        parts = path.relative_to(ROOT).with_suffix('').parts
        if parts[0] == 'tests':
            continue
        if parts[-1] == '__init__':
            parts = parts[:-1]
        found['.'.join(parts)] = path
    return found


def imported(source: str, package: str) -> Iterator[str]:
    """Yield the full dotted names that a module's source imports.

    ``package`` is the one that a relative import of the module starts from.
    ``from a import b`` gives ``a.b``, be b a module or something in one.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base_parts = package.split('.')
            base_parts = base_parts[: len(base_parts) - node.level + 1]
            parts = base_parts if node.level else []
            parts = parts + (node.module.split('.') if node.module else [])
            for alias in node.names:
                yield '.'.join([*parts, alias.name])


def imports_of(name: str, path: pathlib.Path) -> Iterator[str]:
    """Yield the full dotted names that a module of the package imports."""
    full = f'{PACKAGE}.{name}' if name else PACKAGE
    package = full if path.name == '__init__.py' else full.rpartition('.')[0]
    yield from imported(path.read_text(), package)


def covers(part: str, name: str) -> bool:
    """Tell whether a dotted name is a part of the package or lies in it."""
    return name == part or name.startswith(part + '.')


def line_of(name: str) -> str | None:
    """Return the line of ORDER that a dotted name below the package has."""
    for line in ORDER:
        if covers(line, name):
            return line
    return None


def library_rule(name: str) -> str | None:
    """Return the longest name in LIBRARIES that covers an import."""
    rules = [rule for rule in LIBRARIES if covers(rule, name)]
    return max(rules, key=len, default=None)


def allowed(module: str, target: str) -> bool:
    """Tell whether one line of ORDER may import another, or itself."""
    return ORDER.index(target) <= ORDER.index(module) or target in UPWARD.get(
        module, ()
    )


def wrong_imports(name: str, path: pathlib.Path) -> Iterator[str]:
    """Describe the imports of a module that go against the tables."""
    module = line_of(name)
    for target in imports_of(name, path):
        rule = library_rule(target)
        if rule and not any(
            covers(part, module or '') for part in LIBRARIES[rule]
        ):
            yield (
                f'{name or PACKAGE} imports {target}: LIBRARIES leaves '
                f'{rule} to {", ".join(LIBRARIES[rule])}'
            )
        if not target.startswith(PACKAGE + '.'):
            continue
        inside = target.removeprefix(PACKAGE + '.')
        line = line_of(inside)
        if inside.split('.')[0] == 'tests':
            yield f'{name or PACKAGE} imports {target}: that is a test'
        elif line and not (module and allowed(module, line)):
            yield f'{name or PACKAGE} imports {target}: against ORDER'


class TestImports(base.BaseTestCase):
    """The package as it is."""

    def test_every_module_has_its_line(self) -> None:
        unknown = [name for name in modules() if name and not line_of(name)]
        unknown = [name for name in unknown if not self._is_namespace(name)]
        self.assertEqual(
            [],
            unknown,
            'add a line to ORDER for each, above the modules that import it',
        )

    def test_every_line_has_its_module(self) -> None:
        lines = {line_of(name) for name in modules()}
        stale = [line for line in ORDER if line not in lines]
        self.assertEqual([], stale, 'drop these from ORDER')

    def test_imports_follow_the_tables(self) -> None:
        wrong = [
            text
            for name, path in modules().items()
            for text in wrong_imports(name, path)
        ]
        self.assertEqual([], wrong)

    def test_no_test_module_imports_another(self) -> None:
        wrong = [
            f'{path.stem} imports {target}'
            for path in sorted((ROOT / 'tests').rglob('*.py'))
            for target in imported(path.read_text(), PACKAGE)
            if any(part.startswith('test_') for part in target.split('.'))
        ]
        self.assertEqual([], wrong)

    @staticmethod
    def _is_namespace(name: str) -> bool:
        """Tell whether a name is a subpackage that ORDER lists in parts."""
        return any(line.startswith(name + '.') for line in ORDER)


class TestReading(base.BaseTestCase):
    """The reading of import statements, on which the rest stands."""

    def _read(self, source: str, package: str = 'pkg.sub') -> list[str]:
        return list(imported(source, package))

    def test_absolute(self) -> None:
        self.assertEqual(['a.b', 'c'], self._read('import a.b, c as d'))
        self.assertEqual(
            ['a.b.c', 'a.b.d'], self._read('from a.b import c, d')
        )

    def test_relative(self) -> None:
        self.assertEqual(['pkg.sub.x'], self._read('from . import x'))
        self.assertEqual(['pkg.sub.x.y'], self._read('from .x import y'))
        self.assertEqual(['pkg.x.y'], self._read('from ..x import y'))

    def test_nested(self) -> None:
        self.assertEqual(['a'], self._read('def f():\n    import a\n'))

    def test_longest_library_name_counts(self) -> None:
        self.assertEqual(
            'glance_store.exceptions',
            library_rule('glance_store.exceptions.NotFound'),
        )
        self.assertEqual('glance_store', library_rule('glance_store.driver'))
        self.assertIsNone(library_rule('glance_store_bufswift.driver'))

    def test_direction(self) -> None:
        self.assertTrue(allowed('driver', 'layout'))
        self.assertTrue(allowed('layout', 'layout'))
        self.assertFalse(allowed('layout', 'driver'))
