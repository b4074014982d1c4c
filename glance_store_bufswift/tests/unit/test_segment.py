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

"""A segment gives what was written, whatever happens: properties."""

from concurrent import futures
import io
from typing import Any
from unittest import mock

import fixtures
from hypothesis import settings
from hypothesis import stateful
from hypothesis import strategies as st
from oslotest import base

from glance_store_bufswift.buffer import segment
from glance_store_bufswift.buffer import space
from glance_store_bufswift import errors
from glance_store_bufswift.tests.unit import files

#: Small, so that few bytes fill it.
WINDOW = 40


class Machine(stateful.RuleBasedStateMachine):
    """One thread writes, reads and seeks; a plain file does the same.

    It never does what would wait for another thread: reading what is not
    written, writing into a full window, setting back what is still written.
    """

    recent = 0
    patch: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.patch = mock.patch.multiple(
            segment, UNBUFFERED_WINDOW=WINDOW, BUFFERED_WINDOW=self.recent
        )
        self.patch.start()
        self.plain = io.BytesIO()
        self.end = 0
        self.finished = False
        self.lost = False

    def make_room(self, full_at: int, give: int) -> space.BufferFile | None:
        return files.BufferFile(full_at, give)

    @stateful.initialize(full_at=st.integers(0, 150), give=st.integers(1, 60))
    def make(self, full_at: int, give: int) -> None:
        self.full_at = full_at
        self.segment = segment.SegmentBody(self.make_room(full_at, give))

    @property
    def unread(self) -> int:
        return self.end - self.plain.tell()

    @stateful.precondition(lambda self: not self.finished)
    @stateful.rule(block=st.binary(min_size=1, max_size=WINDOW))
    def write(self, block: bytes) -> None:
        held = self.end - self.segment.on_disk
        in_memory = (
            not self.segment.buffered or self.end + len(block) > self.full_at
        )
        if in_memory and held + len(block) > WINDOW:
            self.drain()
        self.segment.write(block)
        position = self.plain.tell()
        self.plain.seek(self.end)
        self.end += self.plain.write(block)
        self.plain.seek(position)

    @stateful.precondition(lambda self: self.unread or self.finished)
    @stateful.rule(size=st.integers(-1, 60))
    def read(self, size: int) -> None:
        position = self.plain.tell()
        got = self.segment.read(size)
        # May be less, but not nothing before the end.
        self.plain.seek(position)
        assert got == self.plain.read(len(got))
        assert size < 0 or len(got) <= size
        assert got or not size or not self.unread
        assert self.segment.tell() == self.plain.tell()

    @stateful.precondition(
        lambda self: self.finished or not self.segment.buffered
    )
    @stateful.rule(share=st.floats(0, 1))
    def seek(self, share: float) -> None:
        offset = int(share * self.plain.tell())
        whole = (
            self.segment.buffered or self.end - self.segment.on_disk <= WINDOW
        )
        try:
            self.segment.seek(offset)
        except errors.NotRewindable:
            assert not whole
        else:
            self.plain.seek(offset)

    @stateful.precondition(lambda self: not self.finished)
    @stateful.rule()
    def finish(self) -> None:
        self.segment.finish(futures.Future())
        self.finished = True

    @stateful.invariant()
    def memory_is_bounded(self) -> None:
        if hasattr(self, 'segment'):
            held = len(self.segment._window)
            assert held <= WINDOW

    def drain(self) -> None:
        while self.unread:
            self.read(-1)

    def teardown(self) -> None:
        if hasattr(self, 'segment'):
            self.drain()
            assert self.segment.size == self.end
            self.segment.close()
        self.patch.stop()


class InMemory(Machine):
    """What the disk has is in memory for a while too."""

    recent = WINDOW


class Unbuffered(Machine):
    """The segment has no file."""

    def make_room(self, full_at: int, give: int) -> space.BufferFile | None:
        return None


class OnDisk(Machine):
    """A real file, on a disk that is never full."""

    def make_room(self, full_at: int, give: int) -> space.BufferFile | None:
        self.directory = fixtures.TempDir()
        self.directory.setUp()
        return space.BufferDirectory(self.directory.path).open(1)

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, 'directory'):
            self.directory.cleanUp()


class TestSegment(base.BaseTestCase):
    def _run(self, machine: type[Machine], examples: int) -> None:
        stateful.run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                deadline=None,
                database=None,
                stateful_step_count=30,
            ),
        )

    def test_hybrid_gives_what_a_plain_file_does(self) -> None:
        self._run(Machine, 150)

    def test_memory_gives_what_a_plain_file_does(self) -> None:
        self._run(InMemory, 150)

    def test_unbuffered_gives_what_a_plain_file_does(self) -> None:
        self._run(Unbuffered, 80)

    def test_buffered_gives_what_a_plain_file_does(self) -> None:
        self._run(OnDisk, 25)


class TestMemory(base.BaseTestCase):
    """What is read soon after it was written needs no file."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(
            fixtures.MockPatchObject(segment, 'BUFFERED_WINDOW', WINDOW)
        )
        self.file = files.BufferFile()
        self.reads = self.useFixture(
            fixtures.MockPatchObject(self.file, 'read', wraps=self.file.read)
        ).mock
        self.segment = segment.SegmentBody(self.file)
        self.addCleanup(self.segment.close)

    def test_reader_that_keeps_up_needs_no_file(self) -> None:
        for number in range(10):
            block = bytes([number]) * 30
            self.segment.write(block)
            self.assertEqual(block, self.segment.read(30))
        self.reads.assert_not_called()

    def test_reader_that_is_behind_gets_the_file(self) -> None:
        for number in range(3):
            self.segment.write(bytes([number]) * 30)
        self.assertEqual(bytes([0]) * 30, self.segment.read(30))
        self.reads.assert_called_once_with(30, 0)

    def test_what_is_in_memory_survives_the_file(self) -> None:
        """A disk that fails does not take away what was just written."""
        for number in range(2):
            self.segment.write(bytes([number]) * 30)
        self.segment.read(30)
        self.break_file()
        self.segment.write(b'c' * 10)
        self.assertEqual(bytes([1]) * 30, self.segment.read(30))
        self.assertEqual(b'c' * 10, self.segment.read(30))
        self.reads.assert_called_once_with(30, 0)

    def break_file(self) -> None:
        self.file.write = mock.Mock(  # type: ignore[method-assign]
            spec=self.file.write, side_effect=OSError(5, 'broken')
        )

    def test_what_fits_needs_no_file(self) -> None:
        self.break_file()
        self.segment.write(b'a' * 30)
        self.segment.write(b'b' * 10)
        self.assertEqual(b'a' * 30, self.segment.read(100))
        self.segment.finish(futures.Future())
        self.segment.seek(0)
        self.assertEqual(b'a' * 30, self.segment.read(100))
        self.assertEqual(b'b' * 10, self.segment.read(100))
        self.assertTrue(self.segment.buffered)
        self.assertEqual(
            (40, 0), (self.segment.buffered_size, self.segment.on_disk)
        )

    def test_what_fits_no_more_goes_to_the_file_from_its_start(self) -> None:
        self.segment.write(b'a' * 30)
        self.segment.write(b'b' * 11)
        self.assertEqual(b'a' * 30 + b'b' * 11, bytes(self.file.data))
        self.assertEqual(41, self.segment.on_disk)

    def test_disk_fails_at_what_was_in_memory(self) -> None:
        """It is still there, as in a segment that never had a file."""
        full = segment.SegmentBody(files.BufferFile(full_at=25))
        self.addCleanup(full.close)
        for number in range(4):
            full.write(bytes([number]) * 10)
        self.assertEqual(bytes([0]) * 10, full.read(10))
        full.write(b'c')
        self.assertFalse(full.buffered)
        self.assertEqual((20, 20), (full.buffered_size, full.on_disk))
        full.seek(0)
        for number in range(4):
            self.assertEqual(bytes([number]) * 10, full.read(10))
        self.assertEqual(b'c', full.read(10))


class TestExchange(base.BaseTestCase):
    """The file is chosen when it is needed."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(
            fixtures.MockPatchObject(segment, 'BUFFERED_WINDOW', WINDOW)
        )
        self.first, self.other = files.BufferFile(), files.BufferFile()
        self.given_back: list[space.BufferFile] = []
        self.exchange = mock.Mock(return_value=self.other)
        self.segment = segment.SegmentBody(
            self.first,
            self.given_back.append,
            exchange=self.exchange,
        )

    def test_long_segment(self) -> None:
        for number in range(5):
            self.segment.write(bytes([number]) * 30)
        self.exchange.assert_called_once_with(self.first)
        self.assertEqual(150, len(self.other.data))
        self.assertEqual(b'', bytes(self.first.data))
        self.assertEqual(bytes([0]) * 30, self.segment.read(30))
        self.segment.close()
        self.assertEqual([self.other], self.given_back)

    def test_short_segment(self) -> None:
        self.segment.write(bytes(WINDOW))
        self.segment.close()
        self.exchange.assert_not_called()
        self.assertEqual([self.first], self.given_back)


class TestFed(base.BaseTestCase):
    """Written and read on one thread."""

    def fed(
        self, file: space.BufferFile | None, *blocks: bytes
    ) -> segment.SegmentBody:
        """A segment that is written as it is read."""
        fed = segment.SegmentBody(file)
        left = list(blocks)

        def feed() -> None:
            if left:
                fed.write(left.pop(0))
            else:
                md5: futures.Future[str] = futures.Future()
                md5.set_result('md5')
                fed.finish(md5)

        fed.feed_from(feed)
        return fed

    def test_read_writes_what_it_needs(self) -> None:
        for file in (
            None,
            files.BufferFile(100, 100),
            files.BufferFile(5, 100),
        ):
            fed = self.fed(file, b'one', b'two', b'three')
            self.assertEqual((b'on', 3), (fed.read(2), fed.size))
            self.assertEqual(
                [b'e', b'two', b'three', b''],
                [fed.read(100) for _ in range(4)],
            )
            self.assertEqual('md5', fed.md5())

    def test_md5_finishes_a_segment_that_is_read(self) -> None:
        """swiftclient does not ask past the length that it knows."""
        fed = self.fed(None, b'one')
        fed.read(3)
        self.assertEqual(
            (False, 'md5', True), (fed.finished, fed.md5(), fed.finished)
        )

    def test_segment_is_buffered_to_its_end_before_it_is_sent_again(
        self,
    ) -> None:
        fed = self.fed(files.BufferFile(100, 100), b'one', b'two', b'three')
        fed.read(100)
        fed.seek(0)
        self.assertEqual((True, 11), (fed.finished, fed.size))
        self.assertEqual(
            b'onetwothree', b''.join(iter(lambda: fed.read(100), b''))
        )

    def test_disk_gives_out_before_it_is_sent_again(self) -> None:
        fed = self.fed(files.BufferFile(5, 100), b'one', b'two', b'three')
        fed.read(100)
        fed.seek(0)
        self.assertEqual(
            b'onetwothree', b''.join(iter(lambda: fed.read(100), b''))
        )

    def test_writer_fails(self) -> None:
        fed = segment.SegmentBody()

        def fail() -> None:
            fed.abort(OSError('why'))
            raise errors.Aborted('fed')

        fed.feed_from(fail)
        self.assertRaisesRegex(errors.Aborted, 'fed', fed.read, 1)
        self.assertRaisesRegex(errors.Aborted, 'why', fed.read, 1)
        self.assertRaisesRegex(errors.Aborted, 'why', fed.md5)
