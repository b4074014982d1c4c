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

"""Faults while several segments, or several attempts, are under way."""

import logging
import threading
from typing import Any
import uuid

import fixtures
from glance_store import exceptions
import testscenarios

from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support import streams

load_tests = testscenarios.load_tests_apply_scenarios

SEGMENT = matrix.SEGMENT
BACKEND = exceptions.BackendException

#: Seconds that nothing here takes, unless it waits for a back-off.
FAR = 20


class OwnError(Exception):
    """An exception that nobody knows."""


class BackOff(logging.Handler):
    """Tells when a request has gone into a long back-off."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if 'the next one follows in 30.0 s' in record.getMessage():
            self.begun.set()


class TestAbort(matrix.Case):
    """What fails for good ends all the rest, whatever that is about."""

    options = {
        **matrix.Case.options,
        'swift_buffered_max_backoff': 30,
        'swift_buffered_threads': 4,
    }

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.Timeout(FAR, gentle=True))
        self.back_off = BackOff()
        logger = logging.getLogger('glance_store_bufswift.swift.retry')
        logger.addHandler(self.back_off)
        self.addCleanup(logger.removeHandler, self.back_off)
        # One in back-off, two on the wire.
        self.inject(matrix.status(503, Retry_After='1000'), '/00000001$')
        self.inject(faults.Stall(after=700_000), '/00000002$')
        self.inject(faults.Stall(after=5000), '/00000003$')

    def wait(self, _: Any = None) -> None:
        """Until the three are where they are meant to be."""
        self.assertTrue(self.back_off.begun.wait(FAR))
        self.proxy.wait_for(
            lambda log: (
                sum(each.parked for each in log if each.method == 'PUT') == 2
            )
        )

    def check_stopped(self) -> None:
        """What was on the wire is not sent again, and does not land."""
        for path in ('/00000001$', '/00000002$', '/00000003$'):
            self.assertEqual(
                [None], [each.upstream_status for each in self.puts(path)]
            )
        self.proxy.clear()
        self.assertEqual([], self.listing(self.image))

    def test_segment_fails(self) -> None:
        self.inject(faults.Hook(self.wait), '/00000004$')
        self.inject(matrix.status(403), '/00000004$')
        self.fails(
            exceptions.StorageWriteDenied,
            '/00000004 failed',
            '403',
            size=4 * SEGMENT,
        )
        self.check_stopped()

    def test_source_fails(self) -> None:
        def fail() -> None:
            self.wait()
            raise OwnError('hung up')

        stream = streams.Stream(
            streams.image(4 * SEGMENT), at=3 * SEGMENT + 700_000, then=fail
        )
        caught = self.catch(lambda: self.stores().add(self.image, stream))
        self.assertIs(OwnError, type(caught))
        self.assert_nothing_left()
        self.check_stopped()

    def test_source_ends_early(self) -> None:
        stream = streams.Stream(
            streams.image(4 * SEGMENT),
            at=3 * SEGMENT + 700_000,
            then=self.wait,
        )
        caught = self.catch(
            lambda: self.stores().add(self.image, stream, 4 * SEGMENT + 1)
        )
        self.assertIs(exceptions.Invalid, type(caught))
        self.assertIn(f'{4 * SEGMENT + 1} bytes declared', str(caught))
        self.assert_nothing_left()
        self.check_stopped()


class TestTwoFaults(matrix.Case):
    """A segment that meets two faults is stored by its third try."""

    shares_container = True

    scenarios = testscenarios.multiply_scenarios(
        [
            ('reset', {'first': faults.Reset(after=500_000)}),
            ('401', {'first': matrix.status(401, after=500_000)}),
            ('422', {'first': matrix.status(422, after=faults.WHOLE)}),
            ('lost', {'first': faults.LostAnswer()}),
        ],
        [
            ('401', {'second': matrix.status(401)}),
            ('503', {'second': matrix.status(503, after=700_000)}),
            ('flipped', {'second': faults.FlipByte(9)}),
        ],
    )

    first: faults.Fault
    second: faults.Fault

    def test_recovers(self) -> None:
        for target in (matrix.FIRST, matrix.LATEST):
            self.inject(self.first, target)
            self.inject(self.second, target)
        self.recovers()
        self.assertEqual(3, len(self.puts('/00000001$')))


class TestAttempts(matrix.Case):
    """A hung attempt fails after another one has stored the image."""

    def setUp(self) -> None:
        super().setUp()
        self.made = self.stores()
        self.begun = threading.Event()
        self.goes_on = threading.Event()

    def hang(self, _: Any = None) -> None:
        """Where the first attempt hangs."""
        self.begun.set()
        self.goes_on.wait(journal.TIMEOUT)

    def check(
        self, zombie: streams.Stream, size: int, error: type[Exception]
    ) -> None:
        errors: list[Exception] = []
        thread = threading.Thread(
            target=lambda: errors.append(
                self.catch(lambda: self.made.add(self.image, zombie))
            )
        )
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.goes_on.set)
        self.assertTrue(self.begun.wait(journal.TIMEOUT))
        data = streams.image(size)
        answer = self.made.add(self.image, streams.Stream(data), len(data))
        self.goes_on.set()
        thread.join()
        self.assertEqual([error], [type(each) for each in errors])
        self.assert_stored(
            data, answer, -(-size // SEGMENT) if size > SEGMENT else 0
        )

    def check_source(self, size: int) -> None:
        """It hangs in its source, with segments stored."""

        def fail() -> None:
            self.hang()
            raise OwnError('zombie')

        self.check(
            streams.Stream(
                streams.image(4 * SEGMENT, seed=2), at=3 * SEGMENT, then=fail
            ),
            size,
            OwnError,
        )

    def check_put(self, zombie_size: int, size: int) -> None:
        """It hangs in the PUT of the image's own name."""
        self.inject(faults.Hook(self.hang), matrix.PLAIN)
        self.inject(matrix.status(403), matrix.PLAIN)
        self.check(
            streams.Stream(streams.image(zombie_size, seed=2)),
            size,
            exceptions.StorageWriteDenied,
        )

    def test_source_and_segments(self) -> None:
        self.check_source(3 * SEGMENT)

    def test_source_and_an_object(self) -> None:
        self.check_source(1000)

    def test_object_and_segments(self) -> None:
        self.check_put(1000, 2 * SEGMENT)

    def test_object_and_an_object(self) -> None:
        self.check_put(1000, 2000)

    def test_manifest_and_segments(self) -> None:
        self.check_put(2 * SEGMENT, 3 * SEGMENT)

    def test_manifest_and_an_object(self) -> None:
        self.check_put(2 * SEGMENT, 1000)


class TestLeftovers(matrix.Case):
    """What earlier attempts left is no part of the image."""

    def test_segments_without_a_manifest(self) -> None:
        direct = self.cloud.connection()
        direct.put_container(self.container)
        names = [
            f'{self.image}-00001',
            f'{self.image}-00009',
            f'{self.image}/20200101T000000Z-0123456789ab/00000009',
        ]
        for name in names:
            direct.put_object(self.container, name, b'left over')
        for size in (2 * SEGMENT + 5, 10):
            answer = self.add(size)
            self.assertEqual(self.data, self.made.get(answer[0]))
        self.assertEqual([self.image, *names], self.listing(self.image))

    def test_longer_image(self) -> None:
        for enabled in ('fast:swift', 'fast:swift+buffered'):
            for size in (2 * SEGMENT, 10):
                self.image = str(uuid.uuid4())
                longer = streams.image(5 * SEGMENT, seed=2)
                self.stores(enabled).add(
                    self.image, streams.Stream(longer), len(longer)
                )
                self.assertEqual(6, len(self.listing(self.image)))
                # The stock driver leaves its own to the garbage collector.
                self.connections_before = self._connections()
                answer = self.add(size)
                self.assert_stored(self.data, answer, 2 if size > 10 else 0)
                self.assertEqual(
                    3 if size > 10 else 1, len(self.listing(self.image))
                )
