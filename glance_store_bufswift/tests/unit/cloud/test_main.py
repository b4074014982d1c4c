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

"""What a run with a cloud says before there is one."""

import contextlib
import io

import fixtures
from oslotest import base

from glance_store_bufswift.tests.support.cloud import __main__ as run
from glance_store_bufswift.tests.support.cloud import balancer
from glance_store_bufswift.tests.support.cloud import radosgw


class TestMain(base.BaseTestCase):
    def said(self, *args: str) -> tuple[int, str]:
        """Its exit status and what it says."""
        with contextlib.redirect_stderr(io.StringIO()) as text:
            status = run.main(list(args))
        return status, text.getvalue()

    def test_ceph_is_not_installed(self) -> None:
        """All that is missing is named, and what to install for it."""
        self.useFixture(fixtures.EnvironmentVariable('PATH', '/nowhere'))
        status, text = self.said('exec', '--rgw', '--', 'true')
        self.assertEqual(1, status)
        for name in radosgw.PROGRAMS:
            self.assertIn(name, text)
        for line in (
            'apt-get install .* radosgw\n',
            'dnf install .* ceph-radosgw\n',
        ):
            self.assertRegex(text, line)

    def test_usage(self) -> None:
        for args in (
            (),
            ('exec',),
            ('exec', '--'),
            ('exec', 'true'),
            ('exec', '--ceph', '--', 'true'),
            ('--', 'true'),
        ):
            status, text = self.said(*args)
            self.assertEqual(2, status)
            self.assertIn('exec [--rgw] -- COMMAND', text)

    def test_a_proxy_is_not_installed(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.tests.support.cloud.balancer._PATH',
                '/nowhere',
            )
        )
        for kind, what in balancer.KINDS.items():
            said = str(balancer.missing(kind))
            self.assertIn(f'{what.program} is not installed', said)
            self.assertIn(f'dnf install {what.program}', said)
