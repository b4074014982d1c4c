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

"""An image is stored again under the same id."""

import json
import uuid

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT
OURS, STOCK = 'swift+buffered', 'swift'


class TestReplace(base.TestCase):
    """The new bytes stand, nothing of the old ones is left."""

    shares_tokens = True

    def check(
        self, old: int, new: int, kind: str = OURS, declared: int = 0
    ) -> None:
        first, second = streams.image(old, seed=1), streams.image(new, seed=2)
        self.stores(
            f'fast:{kind}',
            fast={'swift_store_large_object_size': 100 if declared else 1},
        ).add(self.image, streams.Stream(first), declared)
        before = set(self.listing())
        made = self.stores()
        answer = made.add(self.image, streams.Stream(second), 0)
        segments = -(-new // SEGMENT) if new > SEGMENT else 0
        self.assert_stored(second, answer, segments)
        self.assertEqual(second, made.get(answer[0]))
        self.assertEqual({self.image}, before & {self.image, *self.listing()})
        self.assertEqual(1 + segments, len(self.listing(self.image)))
        made.delete(answer[0])
        self.assert_nothing_left()

    def test_segments_by_as_many(self) -> None:
        self.check(3 * SEGMENT, 3 * SEGMENT)

    def test_long_by_short(self) -> None:
        self.check(5 * SEGMENT, 2 * SEGMENT)

    def test_short_by_long(self) -> None:
        self.check(2 * SEGMENT, 5 * SEGMENT)

    def test_segments_by_one_object(self) -> None:
        self.check(3 * SEGMENT, 5)
        self.check(3 * SEGMENT, 0)

    def test_one_object_by_segments(self) -> None:
        self.check(5, 3 * SEGMENT)

    def test_one_object_by_another(self) -> None:
        self.check(5, 7)

    def test_stocks_segments(self) -> None:
        self.check(5 * SEGMENT, 2 * SEGMENT, STOCK)
        self.check(2 * SEGMENT, 3 * SEGMENT, STOCK)

    def test_stocks_segments_by_one_object(self) -> None:
        self.check(3 * SEGMENT, 5, STOCK)

    def test_stocks_one_object(self) -> None:
        self.check(2 * SEGMENT, 3 * SEGMENT, STOCK, declared=2 * SEGMENT)
        self.check(5, 6, STOCK, declared=5)


class TestListing(base.TestCase):
    """What the former manifest records is removed, listed or not."""

    shares_tokens = True

    def check(self, new: int) -> None:
        data = streams.image(new, seed=2)
        made = self.stores()
        made.add(self.image, streams.Stream(streams.image(3 * SEGMENT)), 0)
        [before] = {
            name.rpartition('/')[0] for name in self.listing(f'{self.image}/')
        }
        self.proxy.add(
            faults.Rule(
                faults.Status(
                    code=200,
                    body=b'[]',
                    headers={'Content-Type': 'application/json'},
                ),
                'GET',
                rf'\?format=json.*prefix={before}/',
                times=None,
            )
        )
        uri = made.add(self.image, streams.Stream(data), 0)[0]
        self.assertEqual([], self.listing(before))
        self.assertEqual(data, made.get(uri))

    def test_by_segments(self) -> None:
        self.check(2 * SEGMENT)

    def test_by_one_object(self) -> None:
        self.check(5)


@base.swift_only('does not tell what an SLO is made of')
class TestStatic(base.TestCase):
    """The former image is an SLO, as somebody may have put it there."""

    shares_tokens = True

    def check(self, new: int) -> None:
        self.stores().add(self.image, streams.Stream(b'x'), 0)
        connection = self.cloud.connection()
        own = [f'{self.image}/slo/1', f'{self.image}-2']
        others = [f'{uuid.uuid4()}-00001', 'x']
        for name in own + others:
            connection.put_object(self.container, name, b'segment')
        connection.put_object(
            self.container,
            self.image,
            json.dumps(
                [
                    {'path': f'/{self.container}/{name}'}
                    for name in own + others
                ]
            ),
            query_string='multipart-manifest=put',
        )
        data = streams.image(new)
        made = self.stores()
        answer = made.add(self.image, streams.Stream(data), 0)
        self.assert_stored(data, answer)
        self.assertEqual(
            sorted(others),
            [
                name
                for name in self.listing()
                if not name.startswith(self.image)
            ],
        )
        self.assertEqual([], [name for name in self.listing() if name in own])
        made.delete(answer[0])
        self.assertEqual(sorted(others), self.listing())

    def test_by_segments(self) -> None:
        self.check(2 * SEGMENT)

    def test_by_one_object(self) -> None:
        self.check(5)


class TestFailure(base.TestCase):
    """What fails to replace an image leaves the image as it was."""

    shares_tokens = True

    def check(self, old: int, new: int, kind: str = OURS) -> None:
        def fail() -> None:
            raise ValueError('bad')

        first = streams.image(old, seed=1)
        uri = self.stores(f'fast:{kind}').add(
            self.image, streams.Stream(first), 0
        )[0]
        before = self.listing()
        made = self.stores()
        stream = streams.Stream(streams.image(new, seed=2), at=new, then=fail)
        self.assertRaises(ValueError, made.add, self.image, stream, 0)
        self.assertEqual(before, self.listing())
        self.assertEqual(first, made.get(uri))
        made.delete(uri)
        self.assert_nothing_left()

    def test_segments(self) -> None:
        self.check(3 * SEGMENT, 2 * SEGMENT)

    def test_stocks_segments(self) -> None:
        self.check(3 * SEGMENT, 2 * SEGMENT, STOCK)

    def test_one_object(self) -> None:
        self.check(5, 2 * SEGMENT)
