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

"""A buffer directory that can't be used when Glance starts."""

import logging
from pathlib import Path
from typing import Any


from glance_store_bufswift.tests.functional import disk
from glance_store_bufswift.tests.support import fresh
from glance_store_bufswift.tests.support import streams

SEGMENT = disk.SEGMENT


class TestStart(disk.Case):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fresh.Notices())
        self.directory = Path(self.buffers, 'buffers')
        self.data = streams.image(2 * SEGMENT)

    def add(self, made: Any) -> Any:
        self.records.clear()
        answer = made.add(self.image, streams.Stream(self.data), 0)
        self.assertEqual(
            (len(self.data), *streams.hashes(self.data)), answer[1:4]
        )
        return answer

    def check(self, says: str, **options: Any) -> Any:
        """Said at the start, once, and then for each upload, once."""
        options = {'swift_buffered_dir': self.directory} | options
        made = self.stores(
            'fast:swift+buffered,other:swift+buffered',
            fast=options,
            other=options,
        )
        started = [
            each
            for each in self.records.of(logging.WARNING)
            if 'missing or not writable' in each
        ]
        self.assertEqual(1, len(started), str(started))
        self.assertIn(str(self.directory), started[0])
        for _ in range(2):
            answer = self.add(made)
            self.assert_warned(says)
            self.assertEqual(1, len(self.records.of(logging.WARNING)))
            self.assert_counted(0, len(self.data))
            self.records.clear()
            self.assertEqual(self.data, made.get(answer[0]))
            made.delete(answer[0])
            self.assertEqual([], self.listing())
            self.assertEqual([], self.records.of(logging.WARNING))
        return made

    def test_missing(self) -> None:
        made = self.check('No such file or directory')
        # It is used without a restart when it is there.
        self.directory.mkdir()
        self.add(made)
        self.assert_counted(len(self.data), 0)
        self.assertEqual([], self.records.of(logging.WARNING))

    def test_missing_with_a_quota(self) -> None:
        self.check(
            f'{self.directory}: No such file or directory',
            swift_buffered_disk_quota=10,
        )

    def test_not_a_directory(self) -> None:
        self.directory.write_text('a file')
        self.check('Not a directory')
        self.directory.unlink()

    def test_in_order(self) -> None:
        made = self.stores()
        self.add(made)
        self.assertEqual([], self.records.of(logging.WARNING))
