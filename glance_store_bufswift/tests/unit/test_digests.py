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

"""Checksum, multihash, verifier and the segments' MD5s."""

import hashlib
import threading
from typing import Any

import fixtures
from hypothesis import given
from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st
from oslotest import base
import testscenarios

from glance_store_bufswift import digests
from glance_store_bufswift import hash_threads
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import compiled
from glance_store_bufswift.tests.unit import refusal

load_tests = testscenarios.load_tests_apply_scenarios

#: Seconds after which a test that hangs is a failed test.
GENEROUS = 30

#: A property is tested in each scenario, by an object of its own.
ALL_SCENARIOS = settings(
    deadline=None, suppress_health_check=[HealthCheck.differing_executors]
)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class _Verifier:
    """Keeps what it gets; fails at the n-th block."""

    def __init__(self, fail_at: int = -1) -> None:
        self.blocks: list[bytes] = []
        self.error = ValueError('bad signature')
        self._fail_at = fail_at

    def update(self, block: bytes) -> None:
        if len(self.blocks) == self._fail_at:
            raise self.error
        self.blocks.append(block)


class _Stuck:
    """Takes nothing before it is let go, or for a while."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def update(self, block: bytes) -> None:
        self.go.wait(GENEROUS)


class TestDigests(base.BaseTestCase):
    scenarios = [
        *compiled.SCENARIOS,
        (
            'SHA-512 beside the MD5s',
            {'accelerated': 'Triple', 'two_passes': True},
        ),
    ]
    accelerated: str
    two_passes = False

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(compiled.Chosen(self.accelerated))
        # As if blocks waited, on enough cores; or on too few.
        cores = 1
        if self.two_passes:
            cores = 100
            self.useFixture(
                fixtures.MonkeyPatch(
                    'glance_store_bufswift.hash_threads.BLOCKS_TOO_MANY', 0
                )
            )
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.hash_threads.cores', lambda: cores
            )
        )

    def _digests(
        self, verifier: Any = None, algo: str = 'sha512'
    ) -> digests.Digests:
        made = digests.Digests(algo, verifier)
        self.addCleanup(made.close)
        return made

    def _passes(self) -> int:
        """How many digests there are from the second segment on."""
        if self.two_passes:
            return 2
        return {'Triple': 1, 'Pair': 2, '': 3}[self.accelerated]

    def _threads(self) -> list[str]:
        return [
            thread.name
            for thread in threading.enumerate()
            if thread.name.startswith('bufswift-digest')
        ]

    @given(
        st.lists(st.binary(max_size=100), max_size=20),
        st.sampled_from(['sha512', 'sha256', 'md5']),
    )
    @ALL_SCENARIOS
    def test_same_as_hashlib_in_any_blocks(
        self, blocks: list[bytes], algo: str
    ) -> None:
        verifier = _Verifier()
        whole = digests.Digests(algo, verifier)
        for block in blocks:
            whole.update(block)
        data = b''.join(blocks)
        self.assertEqual(
            (_md5(data), hashlib.new(algo, data).hexdigest()), whole.finish()
        )
        self.assertEqual(data, b''.join(verifier.blocks))

    @given(st.lists(st.lists(st.binary(max_size=50), max_size=5), max_size=8))
    @ALL_SCENARIOS
    def test_each_segment_has_its_own_md5(
        self, segments: list[list[bytes]]
    ) -> None:
        whole = digests.Digests('sha512')
        futures = []
        for segment in segments:
            for block in segment:
                whole.update(block)
            futures.append(whole.end_segment())
        whole.finish()
        self.assertEqual(
            [_md5(b''.join(segment)) for segment in segments],
            [future.result(GENEROUS) for future in futures],
        )

    def test_large_blocks(self) -> None:
        data = streams.image(5 << 20)
        whole = self._digests()
        for start in range(0, len(data), 1 << 20):
            whole.update(data[start : start + (1 << 20)])
        self.assertEqual(streams.hashes(data), whole.finish())

    def test_segments_md5_is_there_before_the_image_ends(self) -> None:
        whole = self._digests()
        whole.update(b'first')
        self.assertEqual(_md5(b'first'), whole.end_segment().result(GENEROUS))

    def test_image_of_no_bytes(self) -> None:
        self.assertEqual(streams.hashes(b''), self._digests().finish())

    def test_verifiers_error_comes_out_at_the_end(self) -> None:
        verifier = _Verifier(fail_at=0)
        whole = self._digests(verifier)
        whole.update(b'block')
        raised = self.assertRaises(ValueError, whole.finish)
        self.assertIs(verifier.error, raised)

    def test_verifiers_error_ends_the_feeding(self) -> None:
        verifier = _Verifier(fail_at=2)
        whole = self._digests(verifier)

        def feed() -> None:
            # The queue is bounded: long before, the error has come out.
            for _ in range(100 * hash_threads.MAX_BLOCKS_BEHIND):
                whole.update(b'block')

        self.assertIs(verifier.error, self.assertRaises(ValueError, feed))
        self.assertEqual([b'block', b'block'], verifier.blocks)

    def test_failed_verifier_does_not_hold_up_the_others(self) -> None:
        whole = self._digests(_Verifier(fail_at=0))
        whole.update(b'block')
        self.assertEqual(_md5(b'block'), whole.end_segment().result(GENEROUS))

    def test_finish_ends_the_threads(self) -> None:
        whole = self._digests(_Verifier())
        for _ in range(2):
            whole.update(b'block')
            whole.end_segment().result(GENEROUS)
        self.assertEqual(self._passes() + 1, len(self._threads()))
        whole.finish()
        self.assertEqual([], self._threads())

    def test_image_of_one_object_is_hashed_once_by_md5(self) -> None:
        whole = self._digests()
        whole.update(b'block')
        whole.end_segment().result(GENEROUS)
        self.assertEqual(min(2, self._passes()), len(self._threads()))

    def test_close_ends_the_threads_after_any_error(self) -> None:
        whole = self._digests(_Verifier(fail_at=0))
        whole.update(b'block')
        whole.close()
        whole.close()
        self.assertEqual([], self._threads())

    def test_close_serves_who_waits_for_a_segments_md5(self) -> None:
        whole = self._digests()
        whole.update(b'block')
        future = whole.end_segment()
        whole.close()
        self.assertTrue(future.done())

    def test_feeder_waits_for_the_slowest_digest(self) -> None:
        stuck = _Stuck()
        whole = self._digests(stuck)
        self.addCleanup(stuck.go.set)
        fed: list[int] = []
        reached = threading.Event()

        def feed() -> None:
            for number in range(3 * hash_threads.MAX_BLOCKS_BEHIND):
                whole.update(b'block')
                fed.append(number)
                if len(fed) == hash_threads.MAX_BLOCKS_BEHIND:
                    reached.set()

        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        self.assertTrue(reached.wait(GENEROUS))
        # No sign tells that somebody waits: if it did not, it would be
        # through long before this.
        feeder.join(0.2)
        self.assertLessEqual(len(fed), hash_threads.MAX_BLOCKS_BEHIND + 1)
        stuck.go.set()
        feeder.join(GENEROUS)
        self.assertEqual(3 * hash_threads.MAX_BLOCKS_BEHIND, len(fed))

    def test_every_place_is_given_back(self) -> None:
        whole = self._digests()
        for _ in range(3 * hash_threads.MAX_BLOCKS_BEHIND):
            whole.update(b'block')
            whole.end_segment()
        whole.finish()
        for each in whole._threads:
            self.assertEqual(each._most_behind, each._places.qsize())

    def test_digests_without_a_thread_are_fed_by_the_caller(self) -> None:
        segments = [streams.image(1000, seed) for seed in range(3)]
        for most in range(4):
            with refusal.Threads(most):
                verifier = _Verifier()
                whole = self._digests(verifier)
                futures = []
                for segment in segments:
                    whole.update(segment)
                    futures.append(whole.end_segment())
                futures[-1].result(GENEROUS)
                self.assertEqual(
                    min(most, self._passes() + 1), len(self._threads())
                )
                self.assertEqual(
                    streams.hashes(b''.join(segments)), whole.finish()
                )
            self.assertEqual(
                [_md5(segment) for segment in segments],
                [future.result(0) for future in futures],
            )
            self.assertEqual(segments, verifier.blocks)

    def test_verifiers_error_without_a_thread(self) -> None:
        self.useFixture(refusal.Threads(0))
        verifier = _Verifier(fail_at=0)
        whole = self._digests(verifier)
        whole.update(b'block')
        self.assertIs(
            verifier.error,
            self.assertRaises(ValueError, whole.update, b'block'),
        )
