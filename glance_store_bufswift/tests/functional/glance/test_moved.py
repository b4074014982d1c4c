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

"""A store whose type changes between `swift` and `swift+buffered`.

Two Glances with the same images: in one the store `fast` is ours, in the
other one it has the stock driver.
"""

from glance_store_bufswift.tests.functional.glance import base
from glance_store_bufswift.tests.functional.glance import servers
from glance_store_bufswift.tests.support.cloud import glance


class TestMoved(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.stock = servers.stock()

    def check(
        self,
        writer: glance.Glance,
        reader: glance.Glance,
        data: bytes,
        segments: tuple[int, ...],
    ) -> None:
        """What goes in by one comes out by the other, which deletes it.

        :param segments: how many there may be
        """
        # In chunks: the stock driver of some releases can't store an image
        # of announced size that does not fill its last segment.
        self.assertEqual(
            204, self.upload(base.chunks(data), writer).status_code
        )
        self.glance = reader
        self.assert_active(data)
        self.assertIn(len(self.listing(self.image)) - 1, segments)
        self.delete()
        self.assert_nothing_left()

    def test_ours_then_stock(self) -> None:
        self.check(servers.ours(), self.stock, base.IMAGE, (3,))

    def test_stock_then_ours(self) -> None:
        # The stock driver makes one segment of all when it is handed more
        # than it asked for, as by Glance 30 (bug 2127521).
        self.check(self.stock, servers.ours(), base.IMAGE, (1, 3))

    def test_small_ours_then_stock(self) -> None:
        self.check(servers.ours(), self.stock, b'small', (0,))

    def test_small_stock_then_ours(self) -> None:
        self.check(self.stock, servers.ours(), b'small', (1,))
