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

"""An upload is reported as done only if all of its segments are there."""

from collections.abc import Callable
import contextlib
import logging
from typing import Any

import fixtures
from glance_store import exceptions

from glance_store_bufswift.tests.functional import orphans
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import replicated
from glance_store_bufswift.tests.support import streams

SEGMENT = orphans.SEGMENT
SIZE = 4 * SEGMENT + 5

#: Where the source of an upload falls silent: two segments are stored then.
SILENT = 5 * SEGMENT // 2


class Case(orphans.Case):
    """Tests with a Swift of three replicas."""

    cloud: replicated.Replicated
    options = {
        'swift_buffered_confirm_timeout': 1,
        'swift_buffered_retries': 1,
    }

    def attach(self) -> clouds.Cloud:
        return replicated.Replicated.attach()

    def add(
        self,
        then: Callable[[], object] = lambda: None,
        size: int = SIZE,
        **options: Any,
    ) -> Any:
        """Store an image whose source calls this when it falls silent."""
        self.data = streams.image(size)
        self.made = self.stores(fast=options)
        return self.made.add(
            self.image,
            streams.Stream(self.data, at=min(SILENT, size), then=then),
        )

    def assert_fails(self, then: Callable[[], object], **options: Any) -> None:
        """Segments are gone: the upload fails, and leaves nothing."""
        caught = self.assertRaises(
            exceptions.BackendException, self.add, then, **options
        )
        self.assertRegex(
            str(caught), f'{self.image}/.*/0000000[12] was stored, but is gone'
        )
        self.cloud.update_listings()
        self.assert_nothing_left()

    def stored(self, count: int) -> None:
        """Wait until so many segments of the upload are stored."""
        self.proxy.wait_for(
            lambda log: (
                count
                <= len(
                    [
                        each
                        for each in log
                        if each.method == 'PUT'
                        and each.status == 201
                        and f'{self.image}/' in each.path
                    ]
                )
            )
        )

    def sweep(self) -> tuple[int, list[str]]:
        """Look for orphans, long after; exit code and results."""
        code, rows = self.rows(self.config(), 'orphans', 'delete', '--yes')
        return code, [row['result'] for row in rows]

    def swept(self) -> None:
        """What is stored is taken for an orphan, and deleted."""
        self.stored(2)
        self.assertEqual((0, ['deleted']), self.sweep())


class TestLag(Case):
    def test_segments_that_are_not_listed(self) -> None:
        """Each was asked for; the image reads back when the rows are there."""
        for timeout in (0, 1):
            with self.cloud.lagging_listings():
                answer = self.add(swift_buffered_confirm_timeout=timeout)
            [warning] = self.records.of(logging.WARNING)
            self.assertIn('does not show all of its segments', warning)
            self.assertEqual(
                {f'{number:08d}' for number in range(1, 6)},
                {
                    each.path[-8:]
                    for each in self.proxy.log
                    if each.method == 'HEAD' and f'{self.image}/' in each.path
                },
            )
            self.cloud.update_listings()
            self.assert_stored(self.data, answer, 5)
            self.made.delete(answer[0])
            self.records.clear()
            self.proxy.clear()

    def test_a_listing_that_shows_all(self) -> None:
        """Nothing more is asked for than before."""
        self.add()
        self.assertEqual(
            [],
            [
                each
                for each in self.proxy.log
                if each.method == 'HEAD' and f'{self.image}/' in each.path
            ],
        )
        self.assertEqual(
            2,
            len(
                [
                    each
                    for each in self.proxy.log
                    if each.method == 'HEAD' and each.path.endswith(self.image)
                ]
            ),
        )


class TestSwept(Case):
    """A sweep takes a running upload for a dead one."""

    def test_a_source_that_was_silent_for_too_long(self) -> None:
        for timeout in (0, 1):
            self.assert_fails(
                self.swept, swift_buffered_confirm_timeout=timeout
            )
            # The next one waits for segments of its own.
            self.proxy.clear()

    def test_rows_of_deleted_segments_that_are_listed_on(self) -> None:
        """The listing shows all; an upload that lasted asks all the same."""

        def swept() -> None:
            self.stored(2)
            with self.cloud.lagging_listings():
                self.swept()

        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.layout.MIN_ORPHAN_AGE', 0
            )
        )
        self.assert_fails(swept)

    def test_a_listing_that_lags_for_too_long(self) -> None:
        """A segment that is not listed shows that the upload goes on."""
        swept = []

        def sweep(_: Any) -> None:
            self.stored(3)
            swept.append(self.sweep())

        self.proxy.add(faults.Rule(faults.Hook(sweep), 'PUT', '/00000005$'))
        with contextlib.ExitStack() as lag:

            def begin() -> None:
                self.stored(2)
                lag.enter_context(self.cloud.lagging_listings())

            answer = self.add(begin)
        [(code, [result])] = swept
        self.assertEqual(4, code)
        self.assertRegex(result, 'kept: in doubt .*/00000003 is stored, but')
        self.cloud.update_listings()
        self.assert_stored(self.data, answer, 5)


class TestLost(Case):
    def test_manifest(self) -> None:
        """Somebody deletes the image while it is looked at."""

        def delete(_: Any) -> None:
            self.cloud.connection().delete_object(self.container, self.image)

        self.proxy.add(
            faults.Rule(faults.Hook(delete), 'HEAD', f'/{self.image}$', skip=1)
        )
        caught = self.assertRaises(exceptions.BackendException, self.add)
        self.assertIn(
            f'The manifest of image {self.image} was stored, but is gone',
            str(caught),
        )
        self.assert_nothing_left()
