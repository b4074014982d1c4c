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

"""A test's log is told if it fails, and only then."""

import logging

import fixtures
from oslotest import base
import testtools

from glance_store_bufswift.tests.support import logs


class TestToldOnFailure(base.BaseTestCase):
    def run_one(self, name: str) -> tuple[bool, str]:
        """Whether a test passed, and what it tells of its log."""

        # Not in the module, where it would be one of its tests.
        class Logging(logs.TestCase):
            def test_well(self) -> None:
                logging.getLogger('of.a.test').debug('all is well')

            def test_failing(self) -> None:
                logging.getLogger('of.a.test').debug('this went wrong')
                self.fail()

        self.useFixture(fixtures.EnvironmentVariable('OS_LOG_CAPTURE', 'true'))
        test, result = Logging(name), testtools.TestResult()
        test.run(result)
        details = test.getDetails()
        found = [details[key].as_text() for key in details if 'logging' in key]
        return result.wasSuccessful(), ''.join(found)

    def test_told(self) -> None:
        passed, told = self.run_one('test_failing')
        self.assertFalse(passed)
        self.assertIn('DEBUG [of.a.test] this went wrong', told)

    def test_not_told(self) -> None:
        self.assertEqual((True, ''), self.run_one('test_well'))
