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

"""The demo, small: it succeeds, and it says so when something is wrong."""

import contextlib
import io

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.programs.demo import __main__ as demo
from glance_store_bufswift.tests.support.cloud import faults


class TestDemo(base.TestCase):
    def run_demo(self) -> tuple[int, str]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = demo.main(['--size', '8'])
        return status, out.getvalue()

    def test_good(self) -> None:
        status, out = self.run_demo()
        self.assertEqual(0, status, out)
        self.assertNotIn('WRONG', out)
        self.assertNotIn(self.cloud.site.glance.password, out)
        self.assertRegex(out, r'result +stored +failed +failed\n')
        self.assertEqual(
            [], [line for line in out.splitlines() if len(line) > 79]
        )
        self.assert_nothing_runs()

    def test_bad(self) -> None:
        self.proxy.add(faults.Rule(faults.Status(code=403), 'PUT', '/0+4$'))
        status, out = self.run_demo()
        self.assertEqual(1, status, out)
        self.assertIn(
            'WRONG, the upload failed: StorageWriteDenied',
            ' '.join(out.split()),
        )
