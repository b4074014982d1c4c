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

"""Worker processes that share a buffer directory."""

import logging
import os
import signal
import tempfile

from glance_store_bufswift.tests.functional import disk
from glance_store_bufswift.tests.functional import uploaders

SEGMENT = disk.SEGMENT

#: A user who is not root.
NOBODY = 65534


class TestQuota(disk.Case):
    """Two processes, four uploads in each, room for three segments."""

    def test_is_never_exceeded(self) -> None:
        pair = [self.uploader(quota=3 * disk.UNITS) for _ in range(2)]
        sizes = [3 * SEGMENT + 100_000 * seed for seed in range(4)]
        with uploaders.Sampler(self.buffers, *pair) as sampler:
            begun = [
                (uploader, uploader.begin(size, seed, disk.MIDDLE), size, seed)
                for uploader in pair
                for seed, size in enumerate(sizes)
            ]
            for uploader, image, _, _ in begun:
                uploader.reached(image)
            # All are in the middle of their first segments.
            self.assertEqual(
                3 * SEGMENT,
                uploaders.held(self.buffers, [each.pid for each in pair]),
            )
            for uploader, image, _, _ in begun:
                uploader.go(image)
            for uploader, image, _, _ in begun:
                uploader.done(image)
        for each in begun:
            self.assert_right(*each)
        self.assertGreater(sampler.samples, 10)
        self.assertLessEqual(sampler.peak, 3 * SEGMENT)
        self.check_counts(pair, sum(sizes))

    def check_counts(self, pair: list[uploaders.Uploader], total: int) -> None:
        for each in pair:
            self.assertEqual(0, uploaders.held(self.buffers, [each.pid]))
        counts = [
            count
            for each in pair
            for count in self.counts(each.logged(logging.INFO)).values()
        ]
        self.assertEqual(8, len(counts))
        self.assertEqual(2 * total, sum(map(sum, counts)))
        # Five had to begin without. Of the other three one may find that its
        # first segment is stored, and the room given to somebody else.
        without = len([1 for _, bare in counts if bare])
        self.assertIn(without, range(5, 9))
        warnings = [line for each in pair for line in each.logged()]
        self.assertEqual(without, len(warnings), str(warnings))


class TestKilled(disk.Case):
    def test_its_room_is_free_at_once(self) -> None:
        killed = self.uploader(quota=disk.UNITS)
        other = self.uploader(quota=disk.UNITS)
        lost = killed.begin(3 * SEGMENT, at=disk.MIDDLE)
        killed.reached(lost)
        image = other.begin(3 * SEGMENT, at=disk.MIDDLE)
        other.reached(image)
        self.assertEqual(0, uploaders.held(self.buffers, [other.pid]))
        os.kill(killed.pid, signal.SIGKILL)
        killed.kill()
        self.assertEqual(
            [],
            [
                name
                for name in os.listdir(self.buffers)
                if not name.endswith('.quota')
            ],
        )
        # What was not buffered before is from the next segment on.
        other.go(image)
        self.assert_right(other, image, 3 * SEGMENT)
        self.assert_counted(2 * SEGMENT, SEGMENT, other)
        self.assert_warned('0 MiB of the 3 MiB quota are free', uploader=other)
        self.image = other.begin(SEGMENT + 1)
        self.assert_right(other, self.image, SEGMENT + 1)
        self.assert_counted(SEGMENT + 1, 0, other)


class TestSizes(disk.Case):
    def test_two_stores_with_different_segments(self) -> None:
        """The quota is for both together."""
        uploader = self.uploader(small=True, quota=5)
        images = {
            store: uploader.begin(size, at=1_500_000, store=store)
            for store, size in (('fast', 2 * SEGMENT), ('small', SEGMENT))
        }
        for image in images.values():
            uploader.reached(image)
        self.assertEqual(
            SEGMENT + 2_048_000, uploaders.held(self.buffers, [uploader.pid])
        )
        without = {
            store: uploader.begin(SEGMENT + 5, store=store)
            for store in ('fast', 'small')
        }
        for store, image in without.items():
            self.assert_right(uploader, image, SEGMENT + 5, store=store)
            self.assert_counted(0, SEGMENT + 5, uploader)
        for store, size in (('fast', 2 * SEGMENT), ('small', SEGMENT)):
            uploader.go(images[store])
            self.assert_right(uploader, images[store], size, store=store)
            self.assert_counted(size, 0, uploader)


class TestUsers(disk.Case):
    def test_the_second_one_is_told(self) -> None:
        if os.geteuid():
            self.skipTest('only root can become another user')
        os.chmod(tempfile.gettempdir(), 0o711)
        os.chmod(self.buffers, 0o1777)
        uploader = self.uploader(quota=2 * disk.UNITS)
        self.image = uploader.begin(SEGMENT + 5)
        self.assert_right(uploader, self.image, SEGMENT + 5)
        uploader.become(NOBODY)
        self.image = uploader.begin(SEGMENT + 5)
        self.assert_right(uploader, self.image, SEGMENT + 5)
        self.assert_counted(0, SEGMENT + 5, uploader)
        self.assert_warned('.quota: Permission denied', uploader=uploader)
