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

"""``glance-bufswift orphans`` on a Swift that has lost copies, or lags."""

import json
import uuid

from glance_store_bufswift.tests.functional import orphans
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import replicated
from glance_store_bufswift.tests.support import streams

SEGMENT = orphans.SEGMENT
IN_DOUBT = orphans.IN_DOUBT


class Case(orphans.Case):
    """Tests with a whole image of two attempts, the first one left behind."""

    cloud: replicated.Replicated

    def setUp(self) -> None:
        super().setUp()
        self.made = self.stores()
        self.data = streams.image(2 * SEGMENT + 5)

    def attach(self) -> clouds.Cloud:
        return replicated.Replicated.attach()

    def add(self) -> str:
        """Store the image; gives its URI."""
        return str(self.made.add(self.image, streams.Stream(self.data))[0])

    def assert_whole(self, uri: str) -> None:
        self.assertEqual(self.data, self.made.get(uri))

    def sweep(self) -> tuple[int, dict[str, str]]:
        """Exit code, and what became of each prefix."""
        code, rows = self.rows(self.config(), 'orphans', 'delete', '--yes')
        return code, {row['prefix']: row['result'] for row in rows}

    def prefix(self) -> str:
        """That of the image's segments."""
        [found] = {
            f'{name.rpartition("/")[0]}/'
            for name in self.listing(f'{self.image}/')
        }
        return found


class TestCopies(Case):
    def test_manifest_that_is_out_of_reach(self) -> None:
        """Two copies are lost, the third one's server is down."""
        uri = self.add()
        before = self.listing()
        with self.cloud.unreachable(self.container, self.image):
            kept = (
                f'kept: in doubt ({self.image} is listed, but was not found)'
            )
            self.assertEqual((IN_DOUBT, {self.prefix(): kept}), self.sweep())
        self.assertEqual(before, self.listing())
        self.assert_whole(uri)
        self.assertEqual((0, {}), self.sweep())

    def test_manifest_that_is_lost(self) -> None:
        uri = self.add()
        orphan = self.put_segments()
        with self.cloud.lost(self.container, self.image):
            code, results = self.sweep()
        self.assertEqual((IN_DOUBT, 'deleted'), (code, results.pop(orphan)))
        self.assertEqual([self.prefix()], list(results))
        self.assert_whole(uri)

    def test_copy_of_a_former_manifest(self) -> None:
        """Only the server that missed the last upload can be reached."""
        self.add()
        first, *others = self.cloud.objects
        with self.cloud.stopped(first):
            self.data = streams.image(2 * SEGMENT + 7)
            uri = self.add()
        self.cloud.update_listings()
        self.cloud.replicate_listings()
        with self.cloud.stopped(*others):
            kept = (
                f'kept: in doubt ({self.image} is listed as newer than '
                'what was found)'
            )
            self.assertEqual((IN_DOUBT, {self.prefix(): kept}), self.sweep())
        with self.cloud.stopped(first):
            self.assert_whole(uri)


class TestListings(Case):
    def test_manifest_that_is_not_listed(self) -> None:
        self.add()
        with self.cloud.lagging_listings():
            self.assertEqual((0, {}), self.sweep())

    def test_image_that_is_uploaded_again(self) -> None:
        """Its new manifest is listed with the old one's date."""
        self.made.add(str(uuid.uuid4()), streams.Stream(b''))
        self.put(self.image)
        orphan = self.put_segments()
        image = orphan.partition('/')[0]
        self.put(image)
        with self.cloud.lagging_listings():
            self.put(
                image, b'', X_Object_Manifest=(f'{self.container}/{orphan}')
            )
            self.assertEqual((0, {}), self.sweep())
        self.cloud.update_listings()
        self.assertEqual((0, {}), self.sweep())

    def test_slo_that_is_not_listed(self) -> None:
        orphan = self.put_segments()
        image, *_ = orphan.partition('/')
        old = f'{image}/20200101T000000Z-0123456789ab/'
        self.put(f'{old}00000001')
        names = self.listing(orphan)
        with self.cloud.lagging_listings():
            self.cloud.connection().put_object(
                self.container,
                image,
                json.dumps(
                    [{'path': f'/{self.container}/{name}'} for name in names]
                ),
                query_string='multipart-manifest=put',
            )
            kept = f'kept: in doubt ({image} is an SLO that is not listed yet)'
            self.assertEqual((IN_DOUBT, {old: kept}), self.sweep())
        self.cloud.update_listings()
        self.assertEqual((0, {old: 'deleted'}), self.sweep())
        self.assertEqual(names, self.listing(orphan))

    def test_segment_that_is_not_listed(self) -> None:
        """The upload goes on, and the listing does not show it."""
        orphan = self.put_segments()
        with self.cloud.lagging_listings():
            self.put(f'{orphan}00000003')
            kept = (
                f'kept: in doubt ({orphan}00000003 is stored, but not listed)'
            )
            self.assertEqual((IN_DOUBT, {orphan: kept}), self.sweep())
        self.cloud.update_listings()
        self.assertEqual((0, {orphan: 'deleted'}), self.sweep())

    def test_image_that_is_deleted(self) -> None:
        """Its rows are listed on: nothing of it is there to be lost."""
        uri = self.add()
        prefix = self.prefix()
        with self.cloud.lagging_listings():
            self.made.delete(uri)
            self.assertEqual(IN_DOUBT, self.sweep()[0])
        self.assertEqual([prefix], list(self.sweep()[1]))
        self.cloud.update_listings()
        self.assertEqual((0, {}), self.sweep())
