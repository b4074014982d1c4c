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

"""A Glance started with the files that the devstack plugin writes."""

from pathlib import Path

from glance_store_bufswift.buffer import quota
from glance_store_bufswift.tests.functional.glance import base
from glance_store_bufswift.tests.functional.glance import servers
from glance_store_bufswift.tests.programs.devstack import machine
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import glance
from glance_store_bufswift.tests.support.cloud import keystone

#: Of a test cloud, as of any other than devstack's, local.conf says more.
_LOCAL_CONF = """
[[post-config|$GLANCE_API_CONF]]
[bufswift]
swift_store_region = {region}
swift_buffered_min_free_percent = 0
swift_buffered_disk_quota = 100
"""


def _account() -> keystone.User:
    """What lib/glance's create_glance_accounts makes for Swift."""
    cloud = clouds.Cloud.attach()
    user = keystone.new_user('glance-swift', 'service')
    admin = keystone.Admin(cloud.site.auth_url, cloud.site.admin)
    admin.create_user(
        user, admin.find('project', name=user.project), 'ResellerAdmin'
    )
    return user


class TestDevstack(base.TestCase):
    def start(self) -> glance.Glance:
        # A process's first Glance is the one in its catalog: not this one.
        servers.ours()
        cloud = clouds.Cloud.attach()
        self.machine = self.useFixture(
            machine.Devstack(
                f'SERVICE_PASSWORD={_account().password}\n'
                f'KEYSTONE_SERVICE_URI={cloud.auth_url.removesuffix("/v3")}\n'
                f'GLANCE_BUFSWIFT_CONTAINER={servers.CONTAINER}\n'
                'GLANCE_BUFSWIFT_SEGMENT_SIZE=1\n',
                _LOCAL_CONF.format(region=cloud.region),
            )
        )
        done = self.machine.run('stack')
        self.assertEqual(0, done.returncode, done.stderr)
        return cloud.start_glance(self.machine.read())

    def setUp(self) -> None:
        super().setUp()
        self.buffers = str(self.machine.buffers)

    def test_default_store(self) -> None:
        """An image goes to our store, in segments, through its buffers."""
        self.assertEqual(204, self.upload(base.IMAGE).status_code)
        self.assert_active(base.IMAGE, 'bufswift', segments=3)
        self.assertIn(
            f'{len(base.IMAGE)} bytes buffered, 0 unbuffered', self.log()
        )
        self.assertTrue(Path(self.buffers, quota.FILE_NAME).exists())
