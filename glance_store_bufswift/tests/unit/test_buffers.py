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

"""What one upload takes of the buffer directory, and gives back."""

import fixtures
from oslotest import base

from glance_store_bufswift.buffer import buffers
from glance_store_bufswift.buffer import quota
from glance_store_bufswift.buffer import space
from glance_store_bufswift.tests.support import leaks

MIB = 1 << 20


def _nothing_ends() -> None:
    raise AssertionError('There is nothing to wait for')


class TestBuffers(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path

    def buffers(self, mib: int) -> buffers.UploadBuffers:
        return buffers.UploadBuffers(
            space.BufferDirectory(self.directory, mib * MIB)
        )

    def free(self, mib: int, of: int) -> bool:
        """Whether others could have so much of the quota."""
        try:
            with quota.Quota(self.directory, of * MIB).reserved(mib * MIB):
                return True
        except OSError:
            return False

    def test_first_may_take_the_last_room(self) -> None:
        held = self.buffers(1)
        file = held.take(MIB, _nothing_ends)
        self.assertFalse(self.free(1, 1))
        held.give_back(file)
        self.assertTrue(self.free(1, 1))

    def test_further_ones_leave_as_much_for_others(self) -> None:
        held = self.buffers(3)
        files = [held.take(MIB, _nothing_ends) for _ in range(2)]
        # The third would be the last: one of its own is taken over.
        third = held.take(MIB, lambda: held.give_back(files[0]))
        self.assertIs(files[0], third)
        self.assertEqual((True, False), (self.free(1, 3), self.free(2, 3)))

    def test_none_and_nothing_to_take_over(self) -> None:
        other = self.buffers(1)
        other.take(MIB, _nothing_ends)
        self.assertRaises(
            space.NoSpace, self.buffers(1).take, MIB, _nothing_ends
        )

    def test_what_ends_without_room_is_waited_for_in_turn(self) -> None:
        held = self.buffers(1)
        file = held.take(MIB, _nothing_ends)
        turns = [lambda: None, lambda: None, lambda: held.give_back(file)]
        self.assertIs(file, held.take(MIB, lambda: turns.pop(0)()))
        self.assertEqual([], turns)

    def test_room_that_is_too_small_or_spoilt_is_not_taken_over(self) -> None:
        for size, spoilt in ((2 * MIB, False), (MIB, True)):
            held = self.buffers(2)
            file = held.take(MIB, _nothing_ends)

            def end(
                file: space.BufferFile = file,
                spoilt: bool = spoilt,
                held: buffers.UploadBuffers = held,
            ) -> None:
                if spoilt:
                    file.truncate(0)
                held.give_back(file)

            taken = held.take(size, end)
            self.assertIsNot(file, taken)
            held.give_back(taken)
            self.assertTrue(self.free(2, 2))

    def test_nothing_is_kept_when_waiting_fails(self) -> None:
        held = self.buffers(1)
        file = held.take(MIB, _nothing_ends)

        def fail() -> None:
            held.give_back(file)
            raise KeyError

        self.assertRaises(KeyError, held.take, MIB, fail)
        self.assertTrue(self.free(1, 1))


class _WithoutQuota(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.held = buffers.UploadBuffers(
            space.BufferDirectory(self.directory)
        )
        self.addCleanup(self.held.close)

    def take(self, size: int = MIB) -> space.BufferFile:
        return self.held.take(size, _nothing_ends)

    def assert_open(self, count: int) -> None:
        self.assertEqual(count, len(leaks.files(self.directory)))


class TestWithoutQuota(_WithoutQuota):
    """A file that was written waits for the next segment."""

    def test_written_again(self) -> None:
        file = self.take()
        file.write(b'former', 0)
        self.held.give_back(file)
        self.assertIs(file, self.take())
        file.write(b'next', 0)
        self.assertEqual(b'next', file.read(4, 0))

    def test_one_waits(self) -> None:
        files = [self.take(), self.take()]
        for file in files:
            self.held.give_back(file)
        self.assert_open(1)
        self.assertIs(files[0], self.take())
        self.assertIsNot(files[0], self.take())

    def test_too_small_or_spoilt(self) -> None:
        small = self.take()
        self.held.give_back(small)
        large = self.take(2 * MIB)
        self.assertIsNot(small, large)
        self.assert_open(1)
        large.truncate(0)
        self.held.give_back(large)
        self.assert_open(0)

    def test_none_after_the_end(self) -> None:
        waits, late = self.take(), self.take()
        self.held.give_back(waits)
        self.held.close()
        self.assert_open(1)
        self.held.give_back(late)
        self.assert_open(0)
        self.held.close()


class TestExchange(_WithoutQuota):
    """A file that was used before is there once a segment has begun."""

    def setUp(self) -> None:
        super().setUp()
        self.used, self.own = self.take(), self.take()
        self.used.write(b'former', 0)

    def test_used_for_new(self) -> None:
        self.held.give_back(self.used)
        self.assertIs(self.used, self.held.exchange(self.own))
        # The new one waits in its place, and is exchanged again.
        self.assertIs(self.own, self.take())
        self.held.give_back(self.used)
        self.assertIs(self.used, self.held.exchange(self.own))
        self.assert_open(2)

    def test_both_are_closed_at_the_end(self) -> None:
        self.held.give_back(self.used)
        used = self.held.exchange(self.own)
        self.held.close()
        self.held.give_back(used)
        self.assert_open(0)

    def test_none_is_in_use_at_the_end(self) -> None:
        """An upload that holds nothing has nothing to wait for."""
        self.held.give_back(self.used)
        self.held.give_back(self.held.exchange(self.own))
        self.held.close()
        self.useFixture(
            fixtures.MockPatch('os.posix_fallocate', side_effect=OSError(28))
        )
        self.assertRaises(space.NoSpace, self.take)

    def test_none_waits(self) -> None:
        self.assertIs(self.own, self.held.exchange(self.own))

    def test_used_or_new_both(self) -> None:
        self.own.write(b'this', 0)
        self.held.give_back(self.used)
        self.assertIs(self.own, self.held.exchange(self.own))
        new, other = self.take(2 * MIB), self.take(2 * MIB)
        self.held.give_back(new)
        self.assertIs(other, self.held.exchange(other))

    def test_too_small(self) -> None:
        large = self.take(2 * MIB)
        self.held.give_back(self.used)
        self.assertIs(large, self.held.exchange(large))
        self.assertIs(self.used, self.held.exchange(self.own))
