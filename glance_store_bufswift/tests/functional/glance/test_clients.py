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

"""An image's life, through the clients that people use."""

import io

import glanceclient
import openstack

from glance_store_bufswift.tests.functional.glance import base
from glance_store_bufswift.tests.support import streams

#: Where an image is cut, and one byte to either side.
SIZES = (0, 1, base.SEGMENT - 1, base.SEGMENT, base.SEGMENT + 1)


class TestGlanceclient(base.TestCase):
    """python-glanceclient: it always sends chunks."""

    def setUp(self) -> None:
        super().setUp()
        self.client = glanceclient.Client(
            '2', session=self.session(), region_name=self.cloud.region
        )

    def check(self, size: int | None) -> None:
        """Upload, look, download, deactivate, delete."""
        images = self.client.images
        images.upload(self.image, io.BytesIO(base.IMAGE), image_size=size)
        self.assert_active(base.IMAGE, segments=3)
        self.assertEqual(
            base.IMAGE, b''.join(images.data(self.image).iterable)
        )
        images.deactivate(self.image)
        self.assertRaises(
            glanceclient.exc.HTTPForbidden, images.data, self.image
        )
        images.reactivate(self.image)
        images.delete(self.image)
        self.assert_nothing_left()

    def test_size_unknown(self) -> None:
        self.check(None)

    def test_size_announced(self) -> None:
        self.check(len(base.IMAGE))


class TestSdk(base.TestCase):
    """openstacksdk, which is behind the `openstack` command too."""

    def test_life(self) -> None:
        images = openstack.connection.Connection(
            session=self.session(),
            region_name=self.cloud.region,
            image_api_version='2',
        ).image
        self.image = images.create_image(
            self.id(),
            data=base.IMAGE,
            disk_format='raw',
            container_format='bare',
            validate_checksum=True,
        ).id
        self.addCleanup(self.delete)
        self.assert_active(base.IMAGE, segments=3)
        self.assertEqual(base.IMAGE, images.download_image(self.image).content)
        images.deactivate_image(self.image)
        self.assertEqual('deactivated', self.show()['status'])
        self.assertEqual(403, self.download().status_code)
        # Glance shows the locations of a deactivated image to administrators
        # alone: deleted by its owner, it stays in whatever store it is in.
        images.reactivate_image(self.image)
        images.delete_image(self.image)
        self.assert_nothing_left()


class TestSizes(base.TestCase):
    """Images around the size of a segment."""

    def check(self, chunked: bool) -> None:
        for size in SIZES:
            data = streams.image(size)
            self.image = self.create()
            self.addCleanup(self.delete)
            answer = self.upload(iter([data]) if chunked else data)
            self.assertEqual(204, answer.status_code, answer.text)
            self.assert_active(data, segments=2 * (size > base.SEGMENT))
            self.delete()
            self.assert_nothing_left()

    def test_with_length(self) -> None:
        self.check(chunked=False)

    def test_in_chunks(self) -> None:
        self.check(chunked=True)


class TestRange(base.TestCase):
    """Parts of an image."""

    def test_parts(self) -> None:
        self.assertEqual(204, self.upload(base.IMAGE).status_code)
        size, cut = len(base.IMAGE), base.SEGMENT
        for first, last in (
            (0, 0),
            (cut - 1, cut),
            (5, 2 * cut + 1),
            (size - 1, size - 1),
            (0, size - 1),
        ):
            answer = self.download(Range=f'bytes={first}-{last}')
            self.assertEqual(
                (
                    206,
                    f'bytes {first}-{last}/{size}',
                    base.IMAGE[first : last + 1],
                ),
                (
                    answer.status_code,
                    answer.headers['Content-Range'],
                    answer.content,
                ),
            )

    def test_open_ends(self) -> None:
        self.assertEqual(204, self.upload(base.IMAGE).status_code)
        for asked, part in (('5-', base.IMAGE[5:]), ('-5', base.IMAGE[-5:])):
            answer = self.download(Range=f'bytes={asked}')
            self.assertEqual((206, part), (answer.status_code, answer.content))

    def test_beyond_the_end(self) -> None:
        self.assertEqual(204, self.upload(base.IMAGE).status_code)
        answer = self.download(Range=f'bytes={len(base.IMAGE)}-')
        self.assertEqual(416, answer.status_code)
