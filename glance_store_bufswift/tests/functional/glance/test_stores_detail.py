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

"""GET /v2/info/stores/detail, as Glance is and with our patch to it."""

import importlib
import importlib.util
from pathlib import Path
import shutil
import subprocess
from typing import Any
from unittest import mock

import fixtures
import glance_store_bufswift
from glance_store_bufswift.tests.functional import base

PATCH = (
    Path(glance_store_bufswift.__file__).parents[1]
    / 'contrib'
    / 'glance'
    / ('0001-Show-stores-of-drivers-from-other-packages.patch')
)


class TestDetail(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        # Here alone: each process of a run imports this module.
        self.discovery = importlib.import_module('glance.api.v2.discovery')

    def detail(self, module: Any) -> list[dict[str, Any]]:
        """What an administrator is told by a version of the module."""
        from glance.api import policy
        import glance.context

        made = self.stores('fast:swift+buffered,cheap:file')
        self.useFixture(
            fixtures.MonkeyPatch(f'{self.discovery.__name__}.CONF', made.conf)
        )
        module.CONF = made.conf
        enforcer = mock.create_autospec(policy.Enforcer, instance=True)
        request = mock.Mock(
            spec_set=('context',),
            context=(glance.context.RequestContext(is_admin=True)),
        )
        told = module.InfoController(enforcer).get_stores_detail(request)
        stores: list[dict[str, Any]] = told['stores']
        return stores

    def patched(self) -> Any:
        """The module with the patch applied to a copy."""
        root = Path(self.useFixture(fixtures.TempDir()).path)
        copy = root / 'glance' / 'api' / 'v2' / 'discovery.py'
        copy.parent.mkdir(parents=True)
        assert self.discovery.__file__
        shutil.copy(self.discovery.__file__, copy)
        # Below another work tree "git apply" changes nothing, and exits
        # with 0.
        subprocess.run(['git', 'init', '--quiet'], cwd=root, check=True)
        self.assertEqual(0, self.apply(root))
        self.assertEqual(1, self.apply(root), 'it was applied before')
        spec = importlib.util.spec_from_file_location('patched', copy)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def apply(self, root: Path) -> int:
        """Patch as install/index.rst tells; gives the exit status."""
        with PATCH.open() as patch:
            return subprocess.run(
                ['patch', '--strip', '1', '--forward'],
                cwd=root,
                stdin=patch,
                stdout=subprocess.DEVNULL,
            ).returncode

    def test_as_it_is(self) -> None:
        """When this fails, Glance has it: the patch can go."""
        self.assertRaises(TypeError, self.detail, self.discovery)

    def test_with_the_patch(self) -> None:
        stores = {store['id']: store for store in self.detail(self.patched())}
        self.assertEqual('swift+buffered', stores['fast']['type'])
        self.assertEqual({}, stores['fast']['properties'])
        self.assertEqual('file', stores['cheap']['type'])
        self.assertIn('data_dir', stores['cheap']['properties'])
