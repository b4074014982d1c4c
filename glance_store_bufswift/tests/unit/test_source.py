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

"""One pass over the stream."""

from collections.abc import Callable
import errno
from typing import Any
from unittest import mock

from glance_store import exceptions
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from oslotest import base

from glance_store_bufswift import errors
from glance_store_bufswift import source
from glance_store_bufswift import stopwatch
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift import units

BLOCK = units.BLOCK


class _Gives:
    """A stream that gives what it is told, then b''."""

    def __init__(self, *blocks: Any) -> None:
        self._blocks = list(blocks)
        self.reads = 0

    def read(self, size: int) -> Any:
        self.reads += 1
        return self._blocks.pop(0) if self._blocks else b''


def _source(stream: source.Readable, size: int) -> source.Source:
    return source.Source(stream, size, stopwatch.Stopwatch())


def _rest(reader: source.Source, limit: int = BLOCK) -> bytes:
    """All that a source still gives."""
    blocks = []
    while block := reader.read(limit):
        blocks.append(block)
    return b''.join(blocks)


class TestReading(base.BaseTestCase):
    @given(
        st.integers(0, 5000),
        st.integers(1, 3000),
        st.integers(0, 2000),
        st.integers(1, 3000),
        st.booleans(),
    )
    @settings(deadline=None)
    def test_same_bytes_for_any_reads(
        self, size: int, most: int, over: int, limit: int, known: bool
    ) -> None:
        data = streams.image(size)
        reader = _source(
            streams.Stream(data, most, over), size if known else 0
        )
        self.assertEqual(data, _rest(reader, limit))
        self.assertEqual(size, reader.size)

    def test_blocks_are_large_and_within_the_limit(self) -> None:
        reader = _source(streams.Stream(bytes(3 * BLOCK)), 0)
        self.assertEqual(BLOCK, len(reader.read(2 * BLOCK)))
        self.assertEqual(10, len(reader.read(10)))
        self.assertEqual(BLOCK - 10, len(reader.read(BLOCK)))

    def test_no_read_asks_for_nothing_or_everything(self) -> None:
        data = streams.image(2 * BLOCK + 1)
        for size in (0, len(data)):
            stream = mock.create_autospec(streams.Stream, instance=True)
            stream.read.side_effect = streams.Stream(data, 1000).read
            _rest(_source(stream, size))
            asked = [call.args[0] for call in stream.read.call_args_list]
            self.assertGreater(min(asked), 0)
            self.assertLessEqual(max(asked), BLOCK)

    def test_peek_takes_nothing(self) -> None:
        reader = _source(streams.Stream(b'image'), 0)
        self.assertEqual(b'image', reader.peek())
        self.assertEqual(b'image', reader.peek())
        self.assertEqual(b'image', _rest(reader))
        self.assertEqual(b'', reader.peek())

    def test_stream_is_not_read_behind_its_end(self) -> None:
        stream = _Gives(b'image')
        reader = _source(stream, 0)
        self.assertEqual(b'image', _rest(reader))
        self.assertEqual(b'', reader.read(1) + reader.peek())
        self.assertEqual(2, stream.reads)
        self.assertTrue(reader.ended)

    def test_bytes_are_copied_from_what_may_change(self) -> None:
        block = bytearray(b'image')
        for given_block in (block, memoryview(block)):
            reader = _source(_Gives(given_block), 5)
            taken = reader.read(10)
            block[:] = b'IMAGE'
            self.assertEqual((b'image', bytes), (taken, type(taken)))
            block[:] = b'image'


class TestTrickle(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch('time.monotonic', autospec=True, return_value=0.0)
        self.time = patch.start()
        self.addCleanup(patch.stop)

    def test_short_reads_become_one_block(self) -> None:
        data = streams.image(100_000)
        reader = _source(streams.Stream(data, most=1000), 0)
        self.assertEqual(data, reader.peek())

    def test_short_reads_do_not_exceed_a_block(self) -> None:
        reader = _source(
            streams.Stream(bytes(3 * BLOCK), most=BLOCK // 2 + 1), 0
        )
        self.assertEqual(BLOCK, len(reader.peek()))

    def test_what_comes_slowly_is_passed_on_in_time(self) -> None:
        reader = _source(streams.Stream(bytes(100), most=10), 0)
        self.time.side_effect = [
            0.0,
            source.GATHER_SECONDS / 2,
            source.GATHER_SECONDS,
        ]
        self.assertEqual(20, len(reader.peek()))


class TestDeclaredSize(base.BaseTestCase):
    def _invalid(
        self, size: int, declared: int, most: int = BLOCK, over: int = 0
    ) -> str:
        reader = _source(streams.Stream(bytes(size), most, over), declared)
        exc = self.assertRaises(errors.WrongSize, _rest, reader)
        return str(exc)

    def test_short_image_is_invalid(self) -> None:
        self.assertIn('ended after 99 of the 100', self._invalid(99, 100))
        self.assertIn('ended after 0 of the 100', self._invalid(0, 100))
        self._invalid(BLOCK, BLOCK + 1)

    def test_long_image_is_invalid(self) -> None:
        self.assertIn('longer than the 100', self._invalid(101, 100))
        self._invalid(BLOCK + 1, BLOCK)
        self._invalid(3 * BLOCK, BLOCK)
        self._invalid(101, 100, most=10)
        self._invalid(200, 100, over=50)

    def test_last_byte_is_held_back_until_the_end_is_known(self) -> None:
        size = 3 * BLOCK
        asked: list[int] = []
        stream = streams.Stream(
            bytes(size), at=size, then=lambda: asked.append(size)
        )
        reader = _source(stream, size)
        self.assertEqual(
            2 * BLOCK, len(reader.read(BLOCK) + reader.read(BLOCK))
        )
        self.assertEqual([], asked)
        self.assertEqual(BLOCK, len(reader.read(BLOCK)))
        self.assertEqual([size], asked)

    def test_failure_behind_the_last_byte_keeps_it_back(self) -> None:
        def fail() -> None:
            raise ValueError('signature')

        stream = streams.Stream(bytes(BLOCK), at=BLOCK, then=fail)
        reader = _source(stream, BLOCK)
        self.assertRaises(errors.SourceFailed, reader.read, BLOCK)


def _raiser(exc: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise exc

    return fail


class TestFailures(base.BaseTestCase):
    def _failure(self, exc: BaseException, at: int) -> BaseException:
        def fail() -> None:
            raise exc

        stream = streams.Stream(bytes(100), most=10, at=at, then=fail)
        failed = self.assertRaises(
            errors.SourceFailed, _rest, _source(stream, 0)
        )
        self.assertIs(exc, failed.__cause__)
        original: BaseException = failed.original
        return original

    def test_any_exception_is_told_as_the_sources(self) -> None:
        for exc in (
            OSError(errno.EPIPE, 'Broken pipe'),
            ValueError('x'),
            ConnectionResetError(),
            TimeoutError(),
            StopIteration(),
            exceptions.NotFound(),
            errors.Aborted('not ours'),
        ):
            for at in (0, 55, 100):
                self.assertIs(exc, self._failure(exc, at))

    def test_an_interrupt_passes_as_it_is(self) -> None:
        for exc in (KeyboardInterrupt(), SystemExit(), GeneratorExit()):
            reader = _source(
                streams.Stream(bytes(100), at=55, then=_raiser(exc)), 0
            )
            self.assertIs(exc, self.assertRaises(type(exc), _rest, reader))

    def test_what_is_no_bytes_is_a_type_error(self) -> None:
        for block in (None, 'text', 7):
            reader = _source(_Gives(block), 0)
            failed = self.assertRaises(errors.SourceFailed, reader.peek)
            self.assertIsInstance(failed.original, TypeError)
