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

"""A Glance with its image cache on."""

from pathlib import Path

from glance_store_bufswift.tests.functional.glance import base
from glance_store_bufswift.tests.functional.glance import servers
from glance_store_bufswift.tests.support.cloud import glance


class TestCache(base.TestCase):
    def start(self) -> glance.Glance:
        return servers.caching()

    def gets(self) -> int:
        """How often Swift was asked for the image."""
        return len(
            [
                each
                for each in self.proxy.log
                if each.method == 'GET'
                and each.path.partition('?')[0].endswith(self.image)
            ]
        )

    def cached(self) -> Path:
        """Where the cache keeps the image."""
        return self.glance.root / 'cache' / self.image

    def test_from_swift_then_from_the_cache(self) -> None:
        self.assertEqual(204, self.upload(base.IMAGE).status_code)
        self.assert_active(base.IMAGE, segments=3)
        self.assertEqual(1, self.gets())
        self.assertEqual(base.IMAGE, self.cached().read_bytes())
        self.assert_active(base.IMAGE)
        self.assertEqual(1, self.gets())
        self.delete()
        self.assertFalse(self.cached().exists())
        self.assert_nothing_left()
