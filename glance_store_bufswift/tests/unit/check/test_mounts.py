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

"""The file system of a directory."""

from oslotest import base

from glance_store_bufswift.check import mounts

TABLE = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /var rw - xfs /dev/sdb rw
24 23 0:22 / /var/lib/with\040space rw shared:2 master:1 - nfs4 host:/x rw
25 22 0:23 / /run rw - tmpfs tmpfs rw,size=1m
26 25 0:24 / /run rw - ext3 /dev/sdc rw
nonsense
"""


class TestKind(base.BaseTestCase):
    def test_the_longest_mount_point_counts(self) -> None:
        for path, kind in (
            ('/', 'ext4'),
            ('/tmp', 'ext4'),
            ('/var', 'xfs'),
            ('/various', 'ext4'),
            ('/var/lib', 'xfs'),
            ('/var/lib/with space/x', 'nfs4'),
        ):
            self.assertEqual(kind, mounts.kind(path, TABLE), path)

    def test_the_last_one_on_a_point_counts(self) -> None:
        self.assertEqual('ext3', mounts.kind('/run/x', TABLE))

    def test_unknown(self) -> None:
        self.assertIsNone(mounts.kind('/var', ''))
