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

"""Images in a Swift of three replicas, whose listings lag behind."""

from typing import Any

from glance_store import exceptions
from glance_store import multi_backend

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import replicated
from glance_store_bufswift.tests.support import stores as made_stores
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT
IMAGE = 3 * SEGMENT + 300_000


class TestCase(base.TestCase):
    cloud: replicated.Replicated
    shares_tokens = True
    options = {
        'swift_buffered_confirm_timeout': 0,
        'swift_buffered_retries': 2,
    }

    def attach(self) -> clouds.Cloud:
        return replicated.Replicated.attach()

    def setUp(self) -> None:
        super().setUp()
        self.data = streams.image(IMAGE)
        self.made = self.stores()

    def add(self, data: bytes, **how: Any) -> str:
        return str(self.made.add(self.image, streams.Stream(data), **how)[0])

    def assert_reads(self, uri: str, data: bytes) -> None:
        """The image is there, whole and in parts, and its size is right."""
        self.assertEqual(
            streams.hashes(data), streams.hashes(self.made.get(uri))
        )
        self.assertEqual(
            data[SEGMENT - 5 : 2 * SEGMENT + 5],
            self.made.get(uri, offset=SEGMENT - 5, chunk_size=SEGMENT + 10),
        )
        self.assertEqual(data[-7:], self.made.get(uri, offset=len(data) - 7))
        self.assertEqual(len(data), self.size(uri))

    def size(self, uri: str) -> int:
        location = made_stores.location_of(uri, 'fast', self.made.conf)
        return int(self.made.store('fast').get_size(location))


class TestOurs(TestCase):
    def test_life_while_listings_lag(self) -> None:
        other = streams.image(2 * SEGMENT + 5, seed=2)
        with self.cloud.lagging_listings():
            uri = self.add(self.data)
            self.assertEqual([], self.listing())
            self.assert_reads(uri, self.data)
            self.made.delete(uri)
            self.assertRaises(exceptions.NotFound, self.made.get, uri)
            again = self.add(other, size=len(other))
            self.assert_reads(again, other)
            self.assertEqual([], self.listing())
        self.cloud.update_listings()
        self.assertEqual(4, len(self.listing(self.image)))
        self.assert_reads(again, other)
        self.made.delete(again)
        self.assert_nothing_left()

    def test_part_of_the_listing_lags(self) -> None:
        """A longer image than the one that is listed still."""
        with self.cloud.lagging_listings(self.cloud.containers[:2]):
            uri = self.add(self.data)
            for _ in range(5):  # whichever server is asked
                self.assert_reads(uri, self.data)
            self.made.delete(uri)

    def test_segment_that_a_majority_lost(self) -> None:
        uri = self.add(self.data)
        name = self.listing(f'{self.image}/')[2]
        with self.cloud.unreachable(self.container, name):
            chunks, _ = multi_backend.get(uri, 'fast')
            self.assertRaises(exceptions.BackendException, b''.join, chunks)
        self.assert_reads(uri, self.data)

    def test_one_server_is_down(self) -> None:
        uri = self.add(self.data)
        for node in self.cloud.objects:
            with self.cloud.stopped(node):
                self.assert_reads(uri, self.data)


class TestOthers(TestCase):
    """What is not recorded can't be read before it is listed."""

    def check(self, uri: str) -> None:
        self.made = self.stores()
        for call in (
            lambda: self.made.get(uri),
            lambda: self.size(uri),
            lambda: self.made.get(uri, offset=5, chunk_size=9),
        ):
            self.assertRaises(exceptions.RemoteServiceUnavailable, call)
        self.cloud.update_listings()
        self.assert_reads(uri, self.data)

    def test_stocks(self) -> None:
        self.made = self.stores('fast:swift')
        with self.cloud.lagging_listings():
            uri = self.add(self.data)
        self.check(uri)

    def test_ours_of_an_early_release(self) -> None:
        with self.cloud.lagging_listings():
            uri = self.add(self.data)
        headers = self.cloud.connection().head_object(
            self.container, self.image
        )
        self.cloud.connection().put_object(
            self.container,
            self.image,
            b'',
            headers={
                name: value
                for name, value in headers.items()
                if name
                in (
                    'x-object-manifest',
                    'x-object-meta-bufswift-attempt',
                    'x-object-meta-bufswift-segments',
                )
            },
        )
        self.check(uri)
