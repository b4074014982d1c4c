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

"""What is said of two runs of Tempest."""

from oslotest import base

from glance_store_bufswift.tests.programs.tempest import compare
from glance_store_bufswift.tests.programs.tempest import run


class TestCompare(base.BaseTestCase):
    def test_the_same(self) -> None:
        results = {'a': run.PASSED, 'b': run.SKIPPED}
        self.assertEqual(
            [], compare.complaints({'ours': results, 'stock': dict(results)})
        )
        self.assertEqual(
            '   1 passed, 0 failed, 1 skipped', compare.counts(results)
        )

    def test_different(self) -> None:
        self.assertEqual(
            [
                'a: ours: success, stock: skip',
                'c: ours: not run, stock: success',
            ],
            compare.complaints(
                {
                    'ours': {'a': run.PASSED, 'b': run.PASSED},
                    'stock': {
                        'a': run.SKIPPED,
                        'b': run.PASSED,
                        'c': run.PASSED,
                    },
                }
            ),
        )

    def test_failed_everywhere(self) -> None:
        self.assertEqual(
            ['a: ours: fail, stock: fail'],
            compare.complaints(
                {
                    each: {'a': 'fail', 'b': run.PASSED}
                    for each in ('ours', 'stock')
                }
            ),
        )

    def test_nothing_ran(self) -> None:
        self.assertEqual(
            ['ours: no test has passed'], compare.complaints({'ours': {}})
        )
