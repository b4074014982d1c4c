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

"""A few uploads of a chaos run; ``tools/tox -e chaos`` has more."""

from oslotest import base

from glance_store_bufswift.tests.programs.chaos import run
from glance_store_bufswift.tests.support.cloud import cloud as clouds


class TestChaos(base.BaseTestCase):
    def test_a_few(self) -> None:
        outcomes = list(run.run(clouds.Cloud.attach(), 3, range(24), 4))
        self.assertEqual(24, len(outcomes))
        self.assertEqual([], [each for each in outcomes if each.wrong])
