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

from glance_store import exceptions

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT


class TestAnswer(base.TestCase):
    shares_tokens = True

    def location(self, made: stores.Stores, uri: str) -> Any:
        return stores.location_of(uri, 'fast', made.conf).store_location

    def test_uri(self) -> None:
        made = self.stores()
        glance = self.cloud.site.glance
        for size in (5, 2 * SEGMENT):
            answer = made.add(
                self.image, streams.Stream(streams.image(size)), size
            )
            self.assertIsInstance(answer, tuple)
            uri, *_, metadata = answer
            self.assertEqual({'store': 'fast'}, metadata)
            where = self.location(made, uri)
            self.assertEqual(
                (
                    'swift+http',
                    self.container,
                    self.image,
                    f'{glance.project}:{glance.name}',
                    glance.password,
                ),
                (
                    where.scheme,
                    where.container,
                    where.obj,
                    where.user,
                    where.key,
                ),
            )
            self.assertEqual(f'{self.cloud.auth_url}', where.swift_url)
            self.assertEqual(uri, where.get_uri())

    def test_uri_is_the_stock_drivers(self) -> None:
        data = streams.image(5)
        uris = [
            self.stores(f'fast:{kind}').add(
                self.image, streams.Stream(data), 0
            )[0]
            for kind in ('swift', 'swift+buffered')
        ]
        self.assertEqual(uris[0], uris[1])

    def test_hashing_algorithms(self) -> None:
        data = streams.image(2 * SEGMENT + 5)
        store = self.stores().store('fast')
        for name in ('md5', 'sha1', 'sha256', 'sha3_512', 'blake2b'):
            answer = store.add(self.image, streams.Stream(data), 0, name)
            self.assertEqual(
                (
                    len(data),
                    streams.hashes(data)[0],
                    hashlib.new(name, data).hexdigest(),
                    {'store': 'fast'},
                ),
                answer[1:],
            )

    def test_unknown_hashing_algorithm(self) -> None:
        stream = streams.Stream(b'x')
        self.assertRaises(
            exceptions.UnknownHashingAlgo,
            self.stores().store('fast').add,
            self.image,
            stream,
            0,
            'sha0',
        )
        self.assertEqual(b'x', stream.read(1))
        self.assert_nothing_left()

    def test_call_without_hashing_algorithm(self) -> None:
        """As callers of glance_store before 0.26 do it."""
        data = streams.image(2 * SEGMENT + 5)
        made = self.stores()
        uri, size, checksum, metadata = made.store('fast').add(
            self.image, streams.Stream(data), len(data)
        )
        self.assertEqual(
            (len(data), streams.hashes(data)[0], {'store': 'fast'}),
            (size, checksum, metadata),
        )
        self.assertEqual(data, made.get(uri))

    def test_image_size_of_none(self) -> None:
        data = streams.image(SEGMENT + 5)
        answer = (
            self.stores()
            .store('fast')
            .add(self.image, streams.Stream(data), None, 'sha512')
        )
        self.assert_stored(data, answer, 2)

    def test_size_is_told(self) -> None:
        made = self.stores()
        for size in (0, 5, 2 * SEGMENT):
            uri = made.add(self.image, streams.Stream(streams.image(size)), 0)[
                0
            ]
            where = stores.location_of(uri, 'fast', made.conf)
            self.assertEqual(size, made.store('fast').get_size(where))


class TestLog(base.TestCase):
    """Each test ends with a search for secrets in the log; see the base."""

    shares_tokens = True

    def test_summary(self) -> None:
        data = streams.image(3 * SEGMENT)
        made = self.stores()
        made.add(self.image, streams.Stream(data), 0)
        self.records.clear()
        made.add(self.image, streams.Stream(data), 0)
        [summary] = self.records.of(logging.INFO)
        self.assertRegex(
            summary,
            f'^Image {self.image} stored: {len(data)} bytes in 3 '
            f'segments, 0 retries, {len(data)} bytes buffered, '
            r'0 unbuffered, \d+\.\d s, \d+\.\d s of it \S.* \| \S.*\d$',
        )
        self.assertEqual([], self.records.of(logging.WARNING))
        self.assertEqual([], self.records.of(logging.ERROR))

    def test_failure_is_told_in_one_line(self) -> None:
        def fail() -> None:
            raise ValueError('bad')

        made = self.stores(fast={'swift_buffered_retries': 0})
        made.add(self.image, streams.Stream(b'x'), 0)
        self.records.clear()
        self.assertRaises(
            ValueError,
            made.add,
            self.image,
            streams.Stream(streams.image(2 * SEGMENT), at=SEGMENT, then=fail),
            0,
        )
        [summary] = self.records.of(logging.WARNING)
        self.assertRegex(
            summary,
            rf'^Image {self.image} was not stored: {SEGMENT} bytes '
            r'read into \d segments, \d objects stored, 0 retries, \d+\.\d '
            r's, .*; left in Swift: nothing; cause: ValueError: bad \| \S.*$',
        )
        for level in (logging.INFO, logging.ERROR):
            self.assertEqual([], self.records.of(level))
        self.assertEqual([], self.records.doubled())

    def test_swiftclient_is_quiet(self) -> None:
        """Each failed request has one line, and that is ours."""
        made = self.stores(fast={'swift_buffered_retries': 2})
        made.add(self.image, streams.Stream(b'x'), 0)
        self.records.clear()
        self.proxy.add(faults.Rule(faults.Status(code=503), 'PUT', times=None))
        self.assertRaises(
            exceptions.BackendException,
            made.add,
            self.image,
            streams.Stream(streams.image(5 * SEGMENT)),
            0,
        )
        told = [
            record
            for record in self.records.all
            if record.levelno >= logging.INFO
        ]
        self.assertEqual(
            set(),
            {
                record.name
                for record in told
                if not record.name.startswith('glance_store_bufswift')
            },
        )
        failed = [each for each in self.proxy.log if each.status == 503]
        # The last tries are told by the error, and by one line more.
        self.assertLessEqual(len(told), len(failed) + 1)

    def test_credentials_are_lost(self) -> None:
        """One line of the cleaning, and one of the upload."""
        made = self.stores(fast={'swift_buffered_retries': 1})
        made.add(self.image, streams.Stream(b'x'), 0)
        self.records.clear()
        refused = faults.Status(code=401)
        self.proxy.add(faults.Rule(refused, 'PUT', '/00000006$', times=None))
        for method in ('HEAD', 'GET', 'DELETE'):
            self.proxy.add(
                faults.Rule(
                    refused,
                    method,
                    self.container,
                    times=None,
                    skip=method == 'HEAD',
                )
            )
        self.assertRaises(
            exceptions.BackendException,
            made.add,
            self.image,
            streams.Stream(streams.image(6 * SEGMENT)),
            0,
        )
        [error] = self.records.of(logging.ERROR)
        self.assertIn('are orphans now. DELETE of ', error)
        warnings = self.records.of(logging.WARNING)
        self.assertRegex(warnings[-1], r'left in Swift: \d objects, named')
        # What stood there before may have been looked for.
        self.assertEqual(
            [],
            [
                each
                for each in warnings[:-1]
                if not each.startswith('HEAD of ')
            ],
        )
        self.assertEqual([], self.records.doubled())
