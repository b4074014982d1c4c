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

"""Deleting images of many segments, from a Swift in memory."""

import sys

from oslotest import base

from glance_store_bufswift import deletes
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift import removal
from glance_store_bufswift.tests.unit import fakes
from glance_store_bufswift.tests.unit import refusal
from glance_store_bufswift import workers

#: One more than Swift lists in a page.
MANY = 10_001


class TestCase(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.swift = fakes.Swift()
        self.account = fakes.Account(self.swift)

    def store(
        self, count: int, prefix: str = 'id-', **headers: str
    ) -> list[str]:
        """An image of so many segments, as the stock driver names them."""
        names = [f'{prefix}{number:05d}' for number in range(1, count + 1)]
        for name in names:
            self.swift.store(name, b'segment', {})
        self.swift.store(
            'id', b'', {'X-Object-Manifest': f'c/{prefix}', **headers}
        )
        return names

    def remove(self) -> None:
        removal.remove(self.account, 'c', 'id')

    def count(self, method: str) -> int:
        """How many requests there were."""
        return len([each for each in self.swift.requests if each[0] == method])


class TestMany(TestCase):
    def test_one_by_one(self) -> None:
        self.store(MANY)
        self.remove()
        self.assertEqual({}, self.swift.objects)
        self.assertEqual(MANY + 1, self.count('DELETE'))

    def test_in_bulk(self) -> None:
        self.swift.info = {'bulk_delete': {'max_deletes_per_request': 10_000}}
        self.store(MANY)
        self.remove()
        self.assertEqual({}, self.swift.objects)
        self.assertEqual(-(-MANY // deletes.MAX_BATCH), self.count('BULK'))
        self.assertEqual(1, self.count('DELETE'))

    def test_no_more_in_one_request_than_the_site_takes(self) -> None:
        self.swift.info = {'bulk_delete': {'max_deletes_per_request': 7}}
        self.store(100)
        self.remove()
        self.assertEqual({}, self.swift.objects)
        self.assertEqual(15, self.count('BULK'))

    def test_bulk_fails_after_a_while(self) -> None:
        def fail(method: str, name: str) -> None:
            if method == 'BULK' and self.count('BULK') > 2:
                raise errors.RequestFailed('503', 503)

        self.swift.info = {'bulk_delete': {'max_deletes_per_request': 100}}
        self.swift.before = fail
        self.store(1000)
        self.remove()
        self.assertEqual({}, self.swift.objects)

    def test_swift_is_down(self) -> None:
        """Not all of the segments are tried in vain."""
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(1e-6)  # what threads share is to be safe

        def fail(method: str, name: str) -> None:
            if method == 'DELETE':
                raise errors.RequestFailed('503', 503)

        self.swift.before = fail
        self.store(MANY)
        exc = self.assertRaises(errors.RequestFailed, self.remove)
        self.assertEqual(503, exc.status)
        self.assertIn(f'{MANY} of {MANY} segments', str(exc))
        self.assertLess(len(str(exc)), 2000)
        self.assertLess(
            self.count('DELETE'), deletes.MAX_FAILURES + workers.EACH_THREADS
        )
        self.assertEqual(MANY + 1, len(self.swift.objects))

    def test_no_threads(self) -> None:
        self.useFixture(refusal.Threads(0))
        self.swift.info = {'bulk_delete': {'max_deletes_per_request': 7}}
        for count in (3, 100):
            self.store(count)
            self.remove()
            self.assertEqual({}, self.swift.objects)


class TestRecorded(TestCase):
    """What a manifest of ours tells of its segments."""

    def recorded(
        self, count: str, attempt: str = 'try', target: str = 'c/id/try/'
    ) -> list[str]:
        return layout.segment_names(
            'id',
            {
                layout.DLO_HEADER: target,
                layout.ATTEMPT_HEADER: attempt,
                layout.SEGMENTS_HEADER: count,
            },
        )

    def test_names(self) -> None:
        self.assertEqual(
            ['id/try/00000001', 'id/try/00000002'], self.recorded('2')
        )

    def test_as_the_upload_writes_it(self) -> None:
        where = layout.Layout('c', 'id')
        headers = where.dlo_headers(3)
        self.assertEqual(
            [where.segment(number) for number in (1, 2, 3)],
            layout.segment_names(
                'id', {name.lower(): headers[name] for name in headers}
            ),
        )

    def test_what_makes_no_sense(self) -> None:
        for count in ('', '-1', 'x', '\u00b2', '10000', '9' * 30):
            self.assertEqual([], self.recorded(count))
        self.assertEqual([], self.recorded('2', attempt='other'))
        self.assertEqual([], self.recorded('2', target='c/other/try/'))
        self.assertEqual(
            [], layout.segment_names('id', {layout.SEGMENTS_HEADER: '2'})
        )
