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

"""Reading images: in whole, in parts, over what breaks, and to no end."""

import json
from typing import Any
import uuid

from glance_store import exceptions
from glance_store import multi_backend

from glance_store_bufswift.tests.functional import downloads
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import stores as made_stores
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.support import tokens

SEGMENT = downloads.SEGMENT
IMAGE = downloads.IMAGE
UNAVAILABLE = downloads.UNAVAILABLE


class TestWhole(downloads.TestCase):
    def check(
        self, size: int, kind: str = 'swift+buffered', **options: Any
    ) -> None:
        # The stock driver leaves segments of what it replaces in the image.
        self.image = str(uuid.uuid4())
        self.upload(size, kind, **options)
        self.assert_read(self.get())
        self.assertEqual([None], self.ranges())
        location = made_stores.location_of(self.uri, 'fast', self.made.conf)
        self.assertEqual(size, self.made.store('fast').get_size(location))

    def test_ours(self) -> None:
        for size in (0, 1, SEGMENT, SEGMENT + 1, IMAGE):
            self.check(size)

    def test_stocks(self) -> None:
        self.check(IMAGE, 'swift')
        self.check(5, 'swift')
        self.check(IMAGE, 'swift', swift_store_large_object_size=100)

    def test_stocks_in_no_segment(self) -> None:
        """What the stock driver makes of an empty image."""
        self.check(0, 'swift')

    def test_static_large_object(self) -> None:
        self.upload()
        self.as_slo()
        self.assert_read(self.get())
        self.assertEqual(self.data[-5:], self.get(offset=IMAGE - 5))

    def as_slo(self) -> None:
        """Make the image a manifest of another kind."""
        connection = self.cloud.connection()
        segments = [
            {'path': f'/{self.container}/{name}'}
            for name in self.listing(f'{self.image}/')
        ]
        connection.put_object(
            self.container,
            self.image,
            json.dumps(segments),
            query_string='multipart-manifest=put',
        )


class TestRange(downloads.TestCase):
    """What Glance asks for to answer a request with a Range."""

    def setUp(self) -> None:
        super().setUp()
        self.upload()

    def check(
        self, offset: int, size: int | None, *asked: list[str | None]
    ) -> None:
        """No byte is asked for that nobody wants."""
        self.proxy.clear()
        end = IMAGE if size is None else offset + size
        self.assertEqual(
            self.data[offset:end], self.get(offset=offset, chunk_size=size)
        )
        self.assertEqual(
            [*asked], [self.ranges(segment) for segment in range(1, 5)]
        )

    def test_ranges(self) -> None:
        last = SEGMENT - 1
        self.check(0, 1, ['bytes=0-0'], [], [], [])
        self.check(last, 2, [f'bytes={last}-'], ['bytes=0-0'], [], [])
        self.check(SEGMENT, SEGMENT, [], [None], [], [])
        self.check(5, 3 * SEGMENT, ['bytes=5-'], [None], [None], ['bytes=0-4'])
        self.check(IMAGE - 1, None, [], [], [], ['bytes=299999-'])
        self.check(IMAGE - 1, 1, [], [], [], ['bytes=299999-'])

    def test_more_than_there_is(self) -> None:
        """It is told how many bytes come."""
        self.assertEqual(
            self.data[-5:], self.get(offset=IMAGE - 5, chunk_size=100)
        )

    def test_behind_the_end(self) -> None:
        self.assertRaises(
            exceptions.BackendException,
            multi_backend.get,
            self.uri,
            'fast',
            offset=IMAGE,
        )
        self.assert_closed()

    def test_resumed(self) -> None:
        self.inject(faults.BreakAnswer(SEGMENT // 2), segment=1)
        self.assertEqual(
            self.data[100 : 100 + 2 * SEGMENT],
            self.get(offset=100, chunk_size=2 * SEGMENT),
        )
        self.assertEqual('bytes=100-', self.ranges(1)[0])
        self.assertEqual(2, len(self.ranges(1)))


class TestResume(downloads.TestCase):
    def resumes(
        self, fault: faults.Fault, at: int, segment: int = 0, **options: Any
    ) -> None:
        self.made = self.stores(fast=options)
        self.proxy.clear()
        self.inject(fault, segment=segment)
        self.assert_read(self.get())
        first, second = self.ranges(segment)
        self.assertIsNone(first)
        assert second is not None
        # Not again from the start.
        self.assertLessEqual(at - 300_000, int(second[6:].split('-')[0]))

    def test_segments(self) -> None:
        self.upload()
        for segment in (1, 3, 4):
            for at in (0, 1, 299_999):
                self.resumes(faults.BreakAnswer(at), at, segment)

    def test_one_object(self) -> None:
        self.upload(SEGMENT)
        for at in (0, 1, SEGMENT // 2, SEGMENT - 1):
            self.resumes(faults.BreakAnswer(at), at)

    def test_reset(self) -> None:
        self.upload()
        self.resumes(faults.BreakAnswer(SEGMENT // 2, 'reset'), 0, 2)

    def test_stalled(self) -> None:
        self.upload()
        self.resumes(
            faults.BreakAnswer(SEGMENT // 2, 'stall'),
            SEGMENT // 2,
            2,
            swift_buffered_timeout=1,
        )

    def test_what_comes_in_between(self) -> None:
        self.upload()
        for fault in (
            faults.Status(code=503),
            faults.Reset(),
            faults.Status(code=429),
            faults.Status(code=404),
        ):
            self.inject(faults.BreakAnswer(SEGMENT // 2), segment=2)
            self.inject(fault, segment=2)
            self.assert_read(self.get())

    def test_many_breaks(self) -> None:
        """More than there are retries, as each brings something."""
        self.upload()
        self.inject(faults.BreakAnswer(200_000), times=4, segment=2)
        self.assert_read(self.get())
        self.assertEqual(5, len(self.ranges(2)))

    def test_before_the_first_byte(self) -> None:
        self.upload()
        for fault in (
            faults.Status(code=503),
            faults.Status(code=429),
            faults.Reset(),
            faults.BreakAnswer(0),
        ):
            for segment in (0, 1, 2):
                if not segment and fault == faults.BreakAnswer(0):
                    continue  # the manifest has nothing to break off
                self.proxy.clear()
                self.inject(fault, segment=segment)
                self.assert_read(self.get())
                self.assertEqual(2, len(self.ranges(segment)))

    def test_segment_that_is_missing_for_a_while(self) -> None:
        self.upload()
        self.inject(faults.Status(code=404), segment=2)
        self.assert_read(self.get())

    def test_token_is_revoked(self) -> None:
        self.upload()
        self.proxy.add(
            faults.Rule(
                faults.Hook(
                    lambda exchange: self.cloud.revoke(
                        exchange.headers['x-auth-token']
                    )
                ),
                'GET',
                '/00000002$',
            )
        )
        self.assert_read(self.get())
        self.assertEqual(
            [401, 200],
            [
                each.status
                for each in self.proxy.log
                if each.path.endswith('/00000002')
            ],
        )


class TestLost(downloads.TestCase):
    """An image is read whole, or there is an error."""

    def setUp(self) -> None:
        super().setUp()
        self.upload()

    def test_no_more_retries(self) -> None:
        self.inject(faults.BreakAnswer(SEGMENT // 2), segment=2)
        self.inject(faults.BreakAnswer(0), times=None, segment=2)
        self.assertIn('tried 3 times', self.assert_lost(UNAVAILABLE))

    def test_no_retries(self) -> None:
        self.made = self.stores(fast={'swift_buffered_retries': 0})
        self.inject(faults.BreakAnswer(SEGMENT // 2), segment=2)
        self.assertIn('tried once', self.assert_lost(UNAVAILABLE))

    def test_segment_is_missing(self) -> None:
        self.cloud.connection().delete_object(
            self.container, self.listing(f'{self.image}/')[2]
        )
        self.assertIn(
            '00000003', self.assert_lost(exceptions.BackendException)
        )
        # Swift's own answer is shorter then, and none the worse.
        self.made = self.stores('fast:swift')
        self.assertEqual(IMAGE - SEGMENT, len(self.made.get(self.uri)))

    def test_first_segment_is_missing(self) -> None:
        self.cloud.connection().delete_object(
            self.container, self.listing(f'{self.image}/')[0]
        )
        self.assertRaises(
            exceptions.BackendException, multi_backend.get, self.uri, 'fast'
        )
        self.assert_closed()

    def replace(self, number: int, data: bytes) -> None:
        """Have another object under the name of a segment."""
        self.cloud.connection().put_object(
            self.container, self.listing(f'{self.image}/')[number], data
        )

    def test_segment_is_another(self) -> None:
        self.replace(2, self.data[:SEGMENT])
        self.assertIn('another object', self.assert_lost(UNAVAILABLE))
        self.assertIn(
            'another object',
            self.assert_lost(UNAVAILABLE, offset=5, chunk_size=3 * SEGMENT),
        )

    def test_segment_has_another_length(self) -> None:
        for data in (self.data[: SEGMENT - 1], self.data[: SEGMENT + 1]):
            self.replace(2, data)
            self.assertIn('another object', self.assert_lost(UNAVAILABLE))

    def test_replaced_meanwhile(self) -> None:
        other = streams.image(IMAGE, seed=2)
        self.inject(
            faults.Hook(
                lambda _: self.stores().add(
                    self.image, streams.Stream(other), 0
                )
            ),
            segment=3,
        )
        self.assertIn('404', self.assert_lost(exceptions.BackendException))


class TestEnd(downloads.TestCase):
    """Whoever stops early leaves nothing open."""

    def setUp(self) -> None:
        super().setUp()
        self.upload()

    def test_dropped(self) -> None:
        chunks, _ = multi_backend.get(self.uri, 'fast')
        next(iter(chunks))
        self.assertNotEqual(set(), set(self.connections()) - set(self.before))
        del chunks
        self.assert_closed()

    def test_dropped_unread(self) -> None:
        multi_backend.get(self.uri, 'fast')
        self.assert_closed()

    def test_dropped_by_a_generator(self) -> None:
        """Which is how Glance hands it on (glance/notifier.py)."""

        def hand_on() -> Any:
            yield from multi_backend.get(self.uri, 'fast')[0]

        chunks = hand_on()
        next(chunks)
        chunks.close()
        self.assert_closed()

    def test_closed(self) -> None:
        chunks, size = multi_backend.get(self.uri, 'fast')
        next(chunks)
        chunks.close()
        self.assert_closed()
        self.assertEqual([], list(chunks))
        chunks.close()

    def test_read_to_its_end(self) -> None:
        chunks, _ = multi_backend.get(self.uri, 'fast')
        self.assertEqual(self.data, b''.join(chunks))
        self.assert_closed()
        self.assertEqual([], list(chunks))


class TestRefused(downloads.TestCase):
    """What can't be opened, and what its size is."""

    shares_container = False

    def setUp(self) -> None:
        super().setUp()
        self.upload()
        self.location = made_stores.location_of(
            self.uri, 'fast', self.made.conf
        )

    def refuse(self, code: int, error: type[Exception]) -> None:
        for method, call in (
            ('GET', lambda: multi_backend.get(self.uri, 'fast')),
            ('HEAD', lambda: self.made.store('fast').get_size(self.location)),
        ):
            self.proxy.clear()
            self.inject(faults.Status(code=code), None, method=method)
            caught = self.assertRaises(error, call)
            self.assertIs(error, type(caught))
            self.assertIn(self.image, str(caught))
            self.assert_closed()

    def test_no_image(self) -> None:
        self.refuse(404, exceptions.NotFound)

    def test_not_now(self) -> None:
        for code in (408, 429, 503):
            self.refuse(code, UNAVAILABLE)

    def test_not_for_us(self) -> None:
        for code in (400, 401, 403):
            self.refuse(code, exceptions.BackendException)

    def test_container_is_gone(self) -> None:
        self.cloud.delete_container(self.container)
        self.assertRaises(
            exceptions.NotFound, multi_backend.get, self.uri, 'fast'
        )

    def test_keystone_is_down(self) -> None:
        tokens.forget()
        self.cloud.keystone_proxy.add(
            faults.Rule(faults.Status(code=503), times=None)
        )
        self.assertRaises(UNAVAILABLE, multi_backend.get, self.uri, 'fast')
        self.assertRaises(
            UNAVAILABLE, self.made.store('fast').get_size, self.location
        )
        self.assert_closed()
