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

"""add() with all kinds of streams, and with streams that fail."""

import errno

from glance_store import exceptions
import requests

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT


class OwnError(Exception):
    """An exception that nobody knows."""


class TestReads(base.TestCase):
    """However the bytes come, they are stored right."""

    shares_tokens = True

    def check(
        self, data: bytes, stream: streams.Stream, declared: int, segments: int
    ) -> None:
        verifier = streams.Verifier()
        answer = self.stores().add(
            self.image, stream, declared, verifier=verifier
        )
        self.assert_stored(data, answer, segments)
        self.assertEqual(data, bytes(verifier.seen))

    def test_short_reads(self) -> None:
        data = streams.image(2 * SEGMENT + 77)
        for declared in (0, len(data)):
            self.check(data, streams.Stream(data, most=9973), declared, 3)

    def test_single_bytes(self) -> None:
        data = streams.image(1500)
        for declared in (0, len(data)):
            self.check(data, streams.Stream(data, most=1), declared, 0)

    def test_longer_than_asked(self) -> None:
        data = streams.image(3 * SEGMENT + 77)
        for declared in (0, len(data)):
            self.check(data, streams.Stream(data, over=500_001), declared, 4)

    def test_many_segments_in_one_read(self) -> None:
        data = streams.image(4 * SEGMENT)
        for declared in (0, len(data)):
            self.check(data, streams.Stream(data, over=1 << 30), declared, 4)

    def test_uneven_reads(self) -> None:
        data = streams.image(3 * SEGMENT + 77)
        for declared in (0, len(data)):
            self.check(data, streams.Uneven(data), declared, 4)

    def test_uneven_reads_of_one_object(self) -> None:
        data = streams.image(SEGMENT - 77)
        for declared in (0, len(data)):
            self.check(data, streams.Uneven(data), declared, 0)

    def test_each_byte_once_also_with_retries(self) -> None:
        data = streams.image(3 * SEGMENT + 77)
        for declared in (0, len(data)):
            for number in (1, 2, 4):
                self.proxy.add(
                    faults.Rule(
                        faults.Reset(after=50), 'PUT', f'/0000000{number}$'
                    )
                )
            self.check(data, streams.Stream(data), declared, 4)
        self.assertEqual(6, sum(each.fired for each in self.proxy.log))

    def test_other_types_of_bytes(self) -> None:
        data = streams.image(2 * SEGMENT)
        for kind in (bytearray, memoryview):
            stream = streams.Stream(kind(data))  # type: ignore[arg-type]
            self.check(data, stream, 0, 2)


class TestSizes(base.TestCase):
    """An image of another length than declared is not stored."""

    shares_tokens = True

    def check(self, size: int, declared: int) -> None:
        self.assertRaises(
            exceptions.Invalid,
            self.stores().add,
            self.image,
            streams.Stream(streams.image(size)),
            declared,
        )
        self.assert_nothing_left()

    def test_shorter(self) -> None:
        self.check(3 * SEGMENT - 1, 3 * SEGMENT)
        self.check(2 * SEGMENT, 3 * SEGMENT)
        self.check(SEGMENT, 3 * SEGMENT)
        self.check(0, 3 * SEGMENT)

    def test_shorter_object(self) -> None:
        self.check(0, 1)
        self.check(999, 1000)
        self.check(SEGMENT - 1, SEGMENT)

    def test_longer(self) -> None:
        self.check(3 * SEGMENT + 1, 3 * SEGMENT)
        self.check(5 * SEGMENT, 3 * SEGMENT)

    def test_longer_object(self) -> None:
        self.check(2, 1)
        self.check(SEGMENT + 1, SEGMENT)
        self.check(3 * SEGMENT, 1000)


class TestErrors(base.TestCase):
    """What a source raises is what comes out, and nothing is left."""

    shares_tokens = True

    def check(
        self, error: BaseException, size: int, at: int, declared: int
    ) -> None:
        def fail() -> None:
            raise error

        stream = streams.Stream(streams.image(size), at=at, then=fail)
        raised = self.assertRaises(
            type(error), self.fast.add, self.image, stream, declared
        )
        self.assertIs(error, raised)
        self.assertIsNone(raised.__cause__)
        self.assert_nothing_left()

    def check_all(self, size: int, at: int) -> None:
        """One that looks like the network's, known and unknown size."""
        self.fast = self.stores()
        for declared in (0, size):
            error = OSError(errno.EPIPE, 'Broken pipe')
            self.check(error, size, at, declared)

    def test_at_once(self) -> None:
        self.check_all(2 * SEGMENT + 5, 0)
        self.assertEqual([], self.puts())

    def test_in_the_first_segment(self) -> None:
        self.check_all(2 * SEGMENT + 5, 700_001)

    def test_between_segments(self) -> None:
        self.check_all(2 * SEGMENT + 5, SEGMENT)

    def test_in_a_later_segment(self) -> None:
        self.check_all(3 * SEGMENT, 2 * SEGMENT + 700_001)
        self.assertNotEqual([], self.puts('/00000001$'))

    def test_between_later_segments(self) -> None:
        self.check_all(3 * SEGMENT, 2 * SEGMENT)

    def test_after_the_last_byte(self) -> None:
        self.check_all(3 * SEGMENT, 3 * SEGMENT)

    def test_in_one_object(self) -> None:
        for at in (0, 999, 1000):
            self.check_all(1000, at)

    def test_of_any_class(self) -> None:
        self.fast = self.stores()
        for error in (
            ValueError('bad'),
            OwnError('own'),
            TimeoutError('late'),
            exceptions.NotFound(message='gone'),
            requests.ConnectionError('reset'),
            KeyboardInterrupt(),
        ):
            self.check(error, 2 * SEGMENT, SEGMENT + 700_001, 0)

    def test_is_not_taken_for_the_networks(self) -> None:
        """No request is repeated for it."""
        self.check_all(3 * SEGMENT, 2 * SEGMENT)
        paths = [each.path for each in self.puts()]
        self.assertEqual(sorted(set(paths)), sorted(paths))

    def test_of_the_verifier(self) -> None:
        class Broken(streams.Verifier):
            def update(self, block: bytes) -> None:
                raise OwnError('bad key')

        for size in (1000, 3 * SEGMENT):
            self.assertRaises(
                OwnError,
                self.stores().add,
                self.image,
                streams.Stream(streams.image(size)),
                0,
                verifier=Broken(),
            )
            self.assert_nothing_left()
