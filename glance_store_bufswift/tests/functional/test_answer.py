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

"""What add() answers, and what it says in the log."""

import hashlib
import logging
from typing import Any

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests import stores
from glance_store_bufswift.tests import streams

SEGMENT = base.SEGMENT


class TestAnswer(base.TestCase):
    def location(self, made: stores.Stores, uri: str) -> Any:
        return stores.location_of(uri, 'fast', made.conf).store_location

    def test_uri(self) -> None:
        made = self.stores()
        glance = self.cloud.site.glance
        for size in (5, 2 * SEGMENT):
            answer = made.add(
                self.image, streams.Stream(streams.image(size)), size)
            self.assertIsInstance(answer, tuple)
            uri, *_, metadata = answer
            self.assertEqual({'store': 'fast'}, metadata)
            where = self.location(made, uri)
            self.assertEqual(
                ('swift+http', self.container, self.image,
                 f'{glance.project}:{glance.name}', glance.password),
                (where.scheme, where.container, where.obj, where.user,
                 where.key))
            self.assertEqual(f'{self.cloud.auth_url}', where.swift_url)
            self.assertEqual(uri, where.get_uri())

    def test_uri_is_the_stock_drivers(self) -> None:
        data = streams.image(5)
        uris = [self.stores(f'fast:{kind}').add(
            self.image, streams.Stream(data), 0)[0]
            for kind in ('swift', 'swift+buffered')]
        self.assertEqual(uris[0], uris[1])

    def test_hashing_algorithms(self) -> None:
        data = streams.image(2 * SEGMENT + 5)
        store = self.stores().store('fast')
        for name in ('md5', 'sha1', 'sha256', 'sha3_512', 'blake2b'):
            answer = store.add(self.image, streams.Stream(data), 0, name)
            self.assertEqual(
                (len(data), streams.hashes(data)[0],
                 hashlib.new(name, data).hexdigest(), {'store': 'fast'}),
                answer[1:])

    def test_unknown_hashing_algorithm(self) -> None:
        self.assertRaises(
            ValueError, self.stores().store('fast').add, self.image,
            streams.Stream(b'x'), 0, 'sha0')
        self.assert_nothing_left()

    def test_call_without_hashing_algorithm(self) -> None:
        """As callers of glance_store before 0.26 do it."""
        data = streams.image(2 * SEGMENT + 5)
        made = self.stores()
        uri, size, checksum, metadata = made.store('fast').add(
            self.image, streams.Stream(data), len(data))
        self.assertEqual((len(data), streams.hashes(data)[0],
                          {'store': 'fast'}), (size, checksum, metadata))
        self.assertEqual(data, made.get(uri))

    def test_image_size_of_none(self) -> None:
        data = streams.image(SEGMENT + 5)
        answer = self.stores().store('fast').add(
            self.image, streams.Stream(data), None, 'sha512')
        self.assert_stored(data, answer, 2)

    def test_size_is_told(self) -> None:
        made = self.stores()
        for size in (0, 5, 2 * SEGMENT):
            uri = made.add(
                self.image, streams.Stream(streams.image(size)), 0)[0]
            where = stores.location_of(uri, 'fast', made.conf)
            self.assertEqual(size, made.store('fast').get_size(where))


class TestLog(base.TestCase):
    """Each test ends with a search for secrets in the log; see the base."""

    def test_summary(self) -> None:
        data = streams.image(3 * SEGMENT)
        made = self.stores()
        made.add(self.image, streams.Stream(data), 0)
        self.records.clear()
        made.add(self.image, streams.Stream(data), 0)
        [summary] = self.records.of(logging.INFO)
        self.assertRegex(
            summary, f'^Image {self.image} stored: {len(data)} bytes in 3 '
            f'segments, 0 retries, {len(data)} bytes buffered, '
            r'0 unbuffered, \d+\.\d s$')
        self.assertEqual([], self.records.of(logging.WARNING))
        self.assertEqual([], self.records.of(logging.ERROR))

    def test_failure_is_quiet(self) -> None:
        """What is raised is not logged too."""
        def fail() -> None:
            raise ValueError('bad')

        made = self.stores(fast={'swift_buffered_retries': 0})
        made.add(self.image, streams.Stream(b'x'), 0)
        self.records.clear()
        self.assertRaises(
            ValueError, made.add, self.image, streams.Stream(
                streams.image(2 * SEGMENT), at=SEGMENT, then=fail), 0)
        for level in (logging.INFO, logging.WARNING, logging.ERROR):
            self.assertEqual([], self.records.of(level))
