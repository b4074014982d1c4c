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

"""What the cloud to play with says, without the cloud."""

from pathlib import Path

import fixtures
from oslotest import base

from glance_store_bufswift.tests.programs.playground import follow


class TestFollower(base.BaseTestCase):
    def test_a_growing_log(self) -> None:
        path = Path(self.useFixture(fixtures.TempDir()).path, 'log')
        start = '2026-11-24 20:17:21.9 59 '
        path.write_text(
            f'{start}DEBUG glance_store_bufswift.a [-] no\n'
            f'{start}INFO glance.api [req-1 - -] no\n'
            f'{start}INFO glance_store_bufswift.b [req-1 -] fi'
        )
        follower = follow.Follower(path)
        self.addCleanup(follower.close)
        self.assertEqual([], list(follower.lines()))
        with path.open('a') as log:
            log.write(f'rst\n{start}ERROR glance_store_bufswift [-] second\n')
        self.assertEqual(
            ['20:17:21 first', '20:17:21 ERROR second'], list(follower.lines())
        )
        self.assertEqual([], list(follower.lines()))
