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

"""A segment between two threads."""

from concurrent import futures
from typing import Any
from unittest import mock

from oslotest import base

from glance_store_bufswift.buffer import segment
from glance_store_bufswift.buffer import space
from glance_store_bufswift import errors
from glance_store_bufswift.tests.unit import files
from glance_store_bufswift.tests.unit import waits
from glance_store_bufswift.tests.unit import wires

GENEROUS = waits.GENEROUS


class _TestCase(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch.multiple(
            segment, UNBUFFERED_WINDOW=10, BUFFERED_WINDOW=0
        )
        patch.start()
        self.addCleanup(patch.stop)

    def make(
        self, file: space.BufferFile | None = None
    ) -> segment.SegmentBody:
        """A segment that tells when somebody waits for it."""
        made = segment.SegmentBody(file)
        self.changed = made._changed = waits.Condition()
        self.addCleanup(made.abort, errors.Aborted('end of the test'))
        return made

    def wait_until_waiting(self) -> None:
        self.assertTrue(self.changed.waiting.wait(GENEROUS))
        # With the lock in hand: it is let go in the wait.
        with self.changed:
            self.changed.waiting.clear()

    def failed(self, *results: 'futures.Future[Any]') -> None:
        for result in results:
            self.assertIsInstance(result.exception(GENEROUS), errors.Aborted)


class TestWaiting(_TestCase):
    def test_reader_waits_for_the_writer(self) -> None:
        for file in (None, files.BufferFile()):
            body = self.make(file)
            read = waits.start(body.read, 100)
            self.wait_until_waiting()
            body.write(b'block')
            self.assertEqual(b'block', read.result(GENEROUS))

    def test_reader_waits_for_the_end(self) -> None:
        for file in (None, files.BufferFile()):
            body = self.make(file)
            read = waits.start(body.read, 100)
            self.wait_until_waiting()
            body.finish(futures.Future())
            self.assertEqual(b'', read.result(GENEROUS))

    def test_setting_back_waits_until_all_is_buffered(self) -> None:
        body = self.make(files.BufferFile())
        body.write(b'begin')
        body.read(5)
        seek = waits.start(body.seek, 0)
        self.wait_until_waiting()
        body.write(b'end')
        self.assertFalse(seek.done())
        body.finish(futures.Future())
        self.assertEqual(0, seek.result(GENEROUS))
        self.assertEqual(b'beginend', body.read(100) + body.read(100))

    def test_setting_back_waits_no_more_when_the_disk_fails(self) -> None:
        body = self.make(files.BufferFile(full_at=5))
        body.write(b'begin')
        seek = waits.start(body.seek, 0)
        self.wait_until_waiting()
        body.write(b'end')
        self.assertEqual(0, seek.result(GENEROUS))
        self.assertEqual(b'begin', body.read(100))
        self.assertEqual(b'end', body.read(100))

    def test_unbuffered_is_set_back_at_once(self) -> None:
        body = self.make()
        body.write(b'begin')
        body.read(5)
        self.assertEqual(0, body.seek(0))
        self.assertEqual(b'begin', body.read(100))

    def test_md5_is_waited_for(self) -> None:
        body = self.make()
        md5 = waits.start(body.md5)
        self.wait_until_waiting()
        body.finish(wires.md5_of(b'x'))
        self.assertEqual(wires.md5_of(b'x').result(), md5.result(GENEROUS))


class TestWindow(_TestCase):
    def test_full_window_blocks_the_writer(self) -> None:
        body = self.make()
        body.write(b'12345')
        body.write(b'67890')
        write = waits.start(body.write, b'abc')
        self.wait_until_waiting()
        self.assertEqual(10, body.size)
        self.assertEqual(b'123', body.read(3))
        # Half of the first block is no room yet.
        self.wait_until_waiting()
        self.assertFalse(write.done())
        self.assertEqual(b'45', body.read(100))
        write.result(GENEROUS)
        self.assertEqual(13, body.size)
        self.assertEqual(b'67890', body.read(100))
        self.assertEqual(b'abc', body.read(100))

    def test_block_larger_than_the_window_passes(self) -> None:
        body = self.make()
        body.write(b'x' * 25)
        self.assertEqual(b'x' * 25, body.read(100))

    def test_all_is_held_as_long_as_it_fits(self) -> None:
        body = self.make()
        body.write(b'12345')
        body.read(100)
        body.write(b'67890')
        body.read(100)
        body.seek(0)
        self.assertEqual(b'12345', body.read(100))

    def test_what_has_left_the_window_is_lost(self) -> None:
        body = self.make()
        for _ in range(3):
            body.write(b'12345')
            body.read(100)
        exc = self.assertRaises(errors.NotRewindable, body.seek, 0)
        self.assertIn('not buffered', str(exc))
        # What comes after it still goes through.
        body.write(b'abc')
        self.assertEqual(b'abc', body.read(100))

    def test_failed_disk_is_named(self) -> None:
        body = self.make(files.BufferFile(full_at=7))
        for _ in range(4):
            body.write(b'12345')
            body.read(100)
        exc = self.assertRaises(errors.NotRewindable, body.seek, 0)
        self.assertIn('No space left', str(exc))
        self.assertEqual((5, 20), (body.on_disk, body.size))
        self.assertFalse(body.buffered)

    def test_failed_disk_gets_no_more_and_gives_the_rest_back(self) -> None:
        file = files.BufferFile(full_at=7)
        body = self.make(file)
        body.write(b'12345')
        body.write(b'67890')
        self.assertEqual(b'12345', bytes(file.data))
        self.assertEqual(28, body.disk_error.errno if body.disk_error else 0)


class TestAbort(_TestCase):
    def test_both_sides_wake_up(self) -> None:
        body = self.make()
        body.write(b'1234567890')
        write = waits.start(body.write, b'abc')
        self.wait_until_waiting()
        body.abort(ValueError('elsewhere'))
        self.failed(write)
        for call in (body.read, body.md5, lambda: body.seek(0)):
            self.assertRaises(errors.Aborted, call)
        self.assertRaises(errors.Aborted, body.write, b'x')

    def test_waiting_reader_wakes_up(self) -> None:
        body = self.make()
        read = waits.start(body.read, 1)
        self.wait_until_waiting()
        md5 = waits.start(body.md5)
        self.wait_until_waiting()
        body.abort(ValueError('elsewhere'))
        self.failed(read, md5)

    def test_waiting_for_the_end_wakes_up(self) -> None:
        body = self.make(files.BufferFile())
        seek = waits.start(body.seek, 0)
        self.wait_until_waiting()
        body.abort(ValueError('elsewhere'))
        self.failed(seek)

    def test_first_error_is_kept(self) -> None:
        body, first = self.make(), ValueError('first')
        body.abort(first)
        body.abort(ValueError('second'))
        exc = self.assertRaises(errors.Aborted, body.read)
        self.assertIs(first, exc.__cause__)

    def test_nothing_is_read_after_an_abort(self) -> None:
        body = self.make(files.BufferFile())
        body.write(b'block')
        body.abort(ValueError())
        self.assertRaises(errors.Aborted, body.read)

    def test_md5_that_is_known_outlives_the_end(self) -> None:
        body = self.make()
        body.finish(wires.md5_of(b''))
        body.close()
        self.assertEqual(wires.md5_of(b'').result(), body.md5())

    def test_close_gives_all_back(self) -> None:
        file = files.BufferFile(full_at=5)
        body = self.make(file)
        body.write(b'12345')
        body.write(b'67890')
        body.close()
        body.close()
        self.assertTrue(file.closed)
        self.assertEqual(0, len(body._window))
        self.assertRaises(errors.Aborted, body.read)

    def test_only_positions_from_the_start(self) -> None:
        self.assertRaises(ValueError, self.make().seek, 0, 2)
