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

"""What is told of the multihash, and of who computes the MD5s."""

from oslotest import base

from glance_store_bufswift.check import finding
from glance_store_bufswift.check import hashing
from glance_store_bufswift.tests.unit import compiled


class TestHashing(base.BaseTestCase):
    def test_accelerator(self) -> None:
        self.useFixture(compiled.Chosen('Pair'))
        self.assertEqual(
            [finding.ok('hashing', 'MD5 by the accelerator in one pass')],
            list(hashing.findings('sha512')),
        )

    def test_sha512_beside(self) -> None:
        self.useFixture(compiled.Chosen('Triple'))
        (found,) = hashing.findings('sha512')
        self.assertIn('MD5 and SHA-512 by the accelerator', found.found)

    def test_hashlib(self) -> None:
        """Nothing is wrong with it, and why it is so is told."""
        self.useFixture(compiled.Chosen(''))
        self.assertEqual(
            [
                finding.ok(
                    'hashing', 'MD5 by hashlib in two passes: a test says so'
                )
            ],
            list(hashing.findings('sha512')),
        )

    def test_algorithm(self) -> None:
        self.useFixture(compiled.Chosen(''))
        found, _ = hashing.findings('shake_256')
        self.assertEqual(finding.Result.ERROR, found.result)
        self.assertIn('shake_256', found.found)
