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

"""The beginning of a segment is in memory alone, until it fills the window."""

import errno
import logging
import os

import fixtures

from glance_store_bufswift.buffer import segment
from glance_store_bufswift.tests.functional import disk
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = disk.SEGMENT
SIZE = 3 * SEGMENT


class Case(disk.Case):
    window = segment.UNBUFFERED_WINDOW

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{segment.__name__}.BUFFERED_WINDOW', self.window
            )
        )

    def recovers(self, after: int, disk_full_at: int = 1 << 40) -> None:
        """A request breaks after so many bytes, and is made again."""
        self.proxy.add(
            faults.Rule(faults.Reset(after=after), 'PUT', '/00000002$')
        )
        data = streams.image(SIZE)
        with disk.giving_out(errno.ENOSPC, disk_full_at):
            answer = self.stores().add(self.image, streams.Stream(data), 0)
        self.assert_stored(data, answer, 3)
        self.assertEqual(2, len(self.puts('/00000002$')))


class TestShorter(Case):
    """Segments that fit into the window need no disk."""

    def test_sent_again(self) -> None:
        self.recovers(disk.MIDDLE, disk_full_at=0)
        self.assert_counted(SIZE, 0)
        self.assertEqual([], self.records.of(logging.WARNING))


class TestLonger(Case):
    """Segments of three blocks, of which the window holds two."""

    window = 2 * disk.MIB

    def test_sent_again_from_memory(self) -> None:
        self.recovers(500_000)
        self.assert_counted(SIZE, 0)

    def test_sent_again_from_the_file(self) -> None:
        self.recovers(SEGMENT - 1)
        self.assert_counted(SIZE, 0)

    def test_disk_is_full_from_the_start(self) -> None:
        """The first segment goes on in memory, as one without a file."""
        self.recovers(SEGMENT - 1, disk_full_at=0)
        self.assert_counted(2 * SEGMENT, SEGMENT)
        self.assert_warned(os.strerror(errno.ENOSPC))

    def test_disk_is_full_in_what_was_in_memory(self) -> None:
        self.recovers(SEGMENT - 1, disk_full_at=disk.MIB + 5)
        self.assert_counted(2 * SEGMENT + disk.MIB, SEGMENT - disk.MIB)
        self.assert_warned(os.strerror(errno.ENOSPC))
