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

"""What stestr is told of the functional tests is about tests that exist."""

from pathlib import Path

from oslotest import base

from glance_store_bufswift.tests.support import durations

FUNCTIONAL = Path(__file__).parents[1] / 'functional'


class TestDurations(base.BaseTestCase):
    def test_classes_are_there(self) -> None:
        for seconds, test in durations.told():
            module, kind = test.partition('(')[0].split('.')[:-1][-2:]
            [path] = FUNCTIONAL.rglob(f'{module}.py')
            self.assertGreater(float(seconds), 0)
            self.assertIn(f'class {kind}(', path.read_text(), test)
