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

"""What several stores, or sections, make of one another."""

from typing import Any

from oslotest import base

from glance_store_bufswift.check import together
from glance_store_bufswift import opts

OURS = {'fast': 'swift+buffered', 'slow': 'swift+buffered'}


def judged(
    written: dict[str, list[str]] | None = None, **settings: Any
) -> list[tuple[str, str]]:
    """What is said: how bad, and of what."""
    return [
        (each.result.value, each.found)
        for each in together.findings(written or {}, OURS, settings)
    ]


class TestSections(base.BaseTestCase):
    def test_that_are_read(self) -> None:
        self.assertEqual(
            [],
            judged(
                {
                    section: ['swift_buffered_threads', 'swift_store_user']
                    for section in (
                        'fast',
                        'slow',
                        'backend_defaults',
                        'swift_buffered',
                    )
                }
            ),
        )

    def test_that_nobody_reads(self) -> None:
        for section in ('DEFAULT', 'glance_store', 'fats'):
            [(result, found)] = judged(
                {section: ['debug', 'swift_buffered_threads']}
            )
            self.assertEqual('warning', result)
            self.assertIn(f'swift_buffered_threads in [{section}]', found)

    def test_options_of_the_stock_driver(self) -> None:
        """A section of its own may be a store's that is not enabled now."""
        self.assertEqual([], judged({'old': ['swift_store_user']}))
        self.assertEqual(1, len(judged({'DEFAULT': ['swift_store_user']})))


class TestDirectory(base.BaseTestCase):
    def test_shared_with_one_quota(self) -> None:
        same = opts.Settings(directory='/buffers', disk_quota=5)
        self.assertEqual([], judged(fast=same, slow=same))

    def test_shared_without_one(self) -> None:
        for quota, says in ((0, 'none'), (1 << 30, '1.0 GiB')):
            [(result, found)] = judged(
                fast=opts.Settings(directory='/buffers', disk_quota=5),
                slow=opts.Settings(directory='/buffers/', disk_quota=quota),
            )
            self.assertEqual('warning', result)
            self.assertIn(f'slow: {says}', found)

    def test_two_directories(self) -> None:
        self.assertEqual(
            [],
            judged(
                fast=opts.Settings(directory='/a', disk_quota=5),
                slow=opts.Settings(directory='/b'),
            ),
        )
