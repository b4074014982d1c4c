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

"""Measuring: what is sent, for how long, and what is left."""

from collections.abc import Callable
from concurrent import futures
import os
import signal
from typing import Any

import fixtures
from oslotest import base

from glance_store_bufswift import accelerator
from glance_store_bufswift.check import ending
from glance_store_bufswift.check import figures
from glance_store_bufswift.check import host
from glance_store_bufswift.check import load
from glance_store_bufswift import errors
from glance_store_bufswift import hash_threads
from glance_store_bufswift import layout
from glance_store_bufswift import opts
from glance_store_bufswift.tests.support import signals
from glance_store_bufswift.tests.unit import fakes
from glance_store_bufswift.tests.unit import refusal
from glance_store_bufswift.tests.unit import waits
from glance_store_bufswift import units

LARGEST = 200_000


class _Containers(fakes.Containers):
    """Those that are there: their headers, by name."""

    there: dict[str, dict[str, str]]

    def head(self, container: str) -> dict[str, str] | None:
        return self.there.get(container)

    def create(self, container: str) -> None:
        self.there[container] = {}

    def delete(self, container: str) -> None:
        del self.there[container]


class _Account(fakes.Account):
    """With containers that can be created and deleted."""

    containers: _Containers

    def __init__(
        self,
        swift: fakes.Swift,
        there: dict[str, dict[str, str]],
        before: Callable[[str, str], object] = lambda method, name: None,
    ) -> None:
        super().__init__(swift, before=before)
        self.containers = _Containers(self.client)
        self.containers.there = there

    def fresh(self) -> '_Account':
        return _Account(
            self.client.swift, self.containers.there, self.client.before
        )


class TestLoad(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        for name, value in (
            ('load.MAX_SIZE', LARGEST),
            ('load.PROBE_SIZES', (load.MIN_SIZE, LARGEST)),
            ('temporary.DELETE_PAUSES', (0, 0.01)),
        ):
            self.useFixture(
                fixtures.MonkeyPatch(
                    f'glance_store_bufswift.check.{name}', value
                )
            )
        self.clock = self.useFixture(waits.Clock())
        self.swift = fakes.Swift()
        self.there: dict[str, dict[str, str]] = {'images': {}}
        self.account = _Account(self.swift, self.there)
        self.steps: list[str] = []
        self.takes(1e6)

    def takes(self, rate: float, each: float = 0) -> None:
        """Have objects take time: by bytes a second, and each."""

        def before(method: str, name: str) -> None:
            if method == 'HEAD':
                self.clock.spend(each)
            if method == 'GET':
                self.clock.spend(len(self.swift.objects[name][0]) / rate)
            if method == 'PUT':
                self.clock.spend(each + (self.swift.lengths[name] or 0) / rate)

        self.swift.before = before

    def measure(self, create: bool = False) -> figures.Traffic:
        try:
            return load.measure(
                self.account,
                layout.Layout('images', 'id', 'try'),
                create,
                self.steps.append,
            )
        finally:
            self.assertEqual({}, self.swift.objects)

    def puts(self) -> list[str]:
        return [
            name for method, name in self.swift.requests if method == 'PUT'
        ]

    def test_figures(self) -> None:
        self.takes(1e6, each=0.002)
        traffic = self.measure()
        self.assertEqual(
            [1, 2, 4, 8], [each.connections for each in traffic.rates]
        )
        self.assertAlmostEqual(0.002, traffic.head)
        self.assertAlmostEqual(0.002, traffic.put, places=4)
        self.assertEqual(LARGEST, traffic.size)
        # The clock goes on for each, whatever is beside it.
        for each in traffic.rates:
            self.assertAlmostEqual(LARGEST / 0.202, each.up, delta=1)
            self.assertAlmostEqual(1e6, each.down, delta=1)
        self.assertAlmostEqual(1e6, traffic.stream, delta=1000)
        self.assertEqual(
            1 + load.PUT_COUNT + 2 + 4 * load.OBJECTS_PER_PHASE,
            len(self.puts()),
        )

    def test_names_are_those_of_segments(self) -> None:
        """Which is what the search for orphans knows."""
        self.measure()
        self.assertEqual({'id/try/'}, {name[:-8] for name in self.puts()})
        self.assertEqual(len(self.puts()), len(set(self.puts())))

    def test_a_slow_site_gets_less(self) -> None:
        """The objects are so small that a phase takes its time."""
        self.takes(rate=200_000)
        traffic = self.measure()
        self.assertAlmostEqual(
            200_000 * load.PHASE_SECONDS / load.OBJECTS_PER_PHASE,
            traffic.size,
            delta=5,
        )

    def test_a_very_slow_site(self) -> None:
        self.takes(rate=10_000, each=1)
        traffic = self.measure()
        self.assertEqual(load.MIN_SIZE, traffic.size)
        # No more is begun after a phase's time, and no further phase.
        self.assertEqual([1], [each.connections for each in traffic.rates])
        self.assertEqual(1 + load.PUT_COUNT + 1 + 1, len(self.puts()))

    def test_without_threads(self) -> None:
        with refusal.Threads(0):
            self.assertEqual(4, len(self.measure().rates))

    def test_a_put_fails(self) -> None:
        def before(method: str, name: str) -> None:
            if method == 'PUT' and name.endswith('11'):
                raise errors.RequestFailed('PUT: 507', 507)

        self.account.client.before = before
        exc = self.assertRaises(errors.RequestFailed, self.measure)
        self.assertEqual('PUT: 507', str(exc))
        self.assertLessEqual(10, len(self.puts()))

    def test_what_lands_late(self) -> None:
        """A PUT whose answer was lost may store its object after all."""
        late: list[str] = []

        def before(method: str, name: str) -> None:
            if method == 'PUT' and name.endswith('11'):
                late.append(name)
                raise errors.RequestFailed('PUT: lost', None)
            if method == 'LIST' and late and not self.swift.lag:
                self.swift.lag = 1
            elif method == 'LIST' and late:
                self.swift.store(late.pop(), b'late', {})

        self.account.client.before = before
        self.assertRaises(errors.RequestFailed, self.measure)
        self.assertEqual([], late)

    def test_what_is_not_listed(self) -> None:
        where = layout.Layout('images', 'id', 'try')
        self.swift.unlisted = {where.segment(number) for number in (2, 9)}
        self.measure()

    def test_what_is_left_is_told(self) -> None:
        def before(method: str, name: str) -> None:
            if (method, name[-2:]) == ('DELETE', '03'):
                raise errors.RequestFailed('DELETE: 503', 503)

        self.account.client.before = before
        where = layout.Layout('images', 'id', 'try')
        exc = self.assertRaises(
            errors.RequestFailed,
            load.measure,
            self.account,
            where,
            False,
            self.steps.append,
        )
        self.assertEqual(
            '1 objects are left in container images (DELETE: 503): delete '
            'those whose names begin with id/try/',
            str(exc),
        )
        self.assertEqual([where.segment(3)], list(self.swift.objects))

    def test_interrupted(self) -> None:
        """A signal cancels what is under way, and counts at the end."""
        self.useFixture(signals.Interrupts())

        def before(method: str, name: str) -> None:
            if method == 'PUT' and name.endswith('11'):
                os.kill(os.getpid(), signal.SIGINT)
                if not self.account.client.cancelled.wait(waits.GENEROUS):
                    raise AssertionError('not cancelled')
                raise errors.Aborted('cancelled')

        self.account.client.before = before
        self.assertRaises(KeyboardInterrupt, self.measure)
        self.assertEqual('deleting what was sent', self.steps[-1])

    def test_too_long(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.check.load.TOTAL_SECONDS', 0
            )
        )

        def before(method: str, name: str) -> None:
            if method == 'PUT':
                self.account.client.cancelled.wait(waits.GENEROUS)
                raise errors.Aborted('cancelled')

        self.account.client.before = before
        exc = self.assertRaises(errors.RequestFailed, self.measure)
        self.assertEqual('Swift took more than 0 s', str(exc))

    def test_a_container_that_was_not_there(self) -> None:
        self.there.clear()
        self.assertRaises(errors.RequestFailed, self.measure)
        self.measure(create=True)
        self.assertEqual({}, self.there)

    def test_what_keeps_versions(self) -> None:
        self.there['images'] = {'x-versions-enabled': 'True'}
        exc = self.assertRaises(errors.RequestFailed, self.measure)
        self.assertIn('keeps what is deleted', str(exc))
        self.assertEqual([], self.swift.requests)


class TestEnding(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.account = fakes.Account(fakes.Swift())

    def end(self, limit: float, call: Any) -> None:
        with ending.Ending(self.account.client, limit):
            call()

    def test_signal(self) -> None:
        """It waits until all within has ended, however often it comes."""
        self.useFixture(signals.Interrupts())
        ended: list[bool] = []

        def interrupt() -> None:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
            self.assertTrue(self.account.client.cancelled.wait(waits.GENEROUS))
            ended.append(True)

        before = signal.getsignal(signal.SIGINT)
        self.assertRaises(KeyboardInterrupt, self.end, 1000, interrupt)
        self.assertEqual([True], ended)
        self.assertIs(before, signal.getsignal(signal.SIGINT))

    def test_limit(self) -> None:
        self.end(
            0,
            lambda: self.assertTrue(
                self.account.client.cancelled.wait(waits.GENEROUS)
            ),
        )

    def test_neither(self) -> None:
        self.end(1000, lambda: None)
        self.assertFalse(self.account.client.cancelled.is_set())

    def test_what_is_ignored_stays_so(self) -> None:
        """As below nohup, or in the background of a shell."""
        self.addCleanup(
            signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP)
        )
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.end(
            1000,
            lambda: self.assertIs(
                signal.SIG_IGN, signal.getsignal(signal.SIGHUP)
            ),
        )

    def test_another_thread(self) -> None:
        """Python hands signals to the main thread alone."""
        done: futures.Future[None] = waits.start(self.end, 1000, lambda: None)
        done.result(waits.GENEROUS)


class TestHost(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        for name, value in (
            ('DIGEST_SECONDS', 0),
            ('MAX_WRITTEN', 2 * units.MIB),
            ('BYTES_PER_SYNC', units.MIB),
        ):
            self.useFixture(
                fixtures.MonkeyPatch(
                    f'glance_store_bufswift.check.host.{name}', value
                )
            )

    def measure(self, algorithm: str = 'sha512', **how: Any) -> figures.Host:
        settings = opts.Settings(
            **{'directory': self.directory, 'min_free_percent': 0, **how}
        )
        try:
            return host.measure(settings, algorithm, lambda step: None)
        finally:
            self.assertEqual([], os.listdir(self.directory))

    def test_all(self) -> None:
        found = self.measure()
        assert found.disk is not None
        self.assertLess(0, min(found.disk, *found.digests.values()))
        self.assertEqual({'md5', 'sha256', 'sha512'}, set(found.digests))
        choice = accelerator.chosen()
        self.assertEqual(choice.pair is None, found.pair is None)
        self.assertEqual(choice.triple is None, found.triple is None)
        self.assertEqual(hash_threads.cores(), found.cores)

    def test_further_algorithm(self) -> None:
        self.assertIn('blake2b', self.measure('blake2b').digests)
        self.assertNotIn('none', self.measure('none').digests)

    def test_no_disk(self) -> None:
        self.assertIsNone(self.measure(directory='/nowhere').disk)
        self.assertIsNone(self.measure(min_free_percent=100).disk)

    def test_each_block_is_for_good(self) -> None:
        synced: list[int] = []
        self.useFixture(
            fixtures.MonkeyPatch(
                'os.fsync', lambda file: synced.append(os.fstat(file).st_size)
            )
        )
        self.measure()
        self.assertEqual([units.MIB, 2 * units.MIB], synced)
