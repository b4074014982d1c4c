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

"""That all who compute the hashes of an image compute the same."""

import logging
import threading
from typing import Any

import fixtures
from oslotest import base
import testscenarios

from glance_store_bufswift import hashes
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import compiled

load_tests = testscenarios.load_tests_apply_scenarios


class TestNew(base.BaseTestCase):
    scenarios = compiled.SCENARIOS
    accelerated: str

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(compiled.Chosen(self.accelerated))

    def digests(self, made: hashes.Hashes) -> list[Any]:
        """All that the bytes after the first segment are for."""
        found = [made.image, *made.others]
        if made.segments is not made.image:
            found.append(made.segments)
        return found

    def test_passes(self) -> None:
        passes = {'Triple': 1, 'Pair': 2, '': 3}
        for name in ('sha512', 'SHA512'):
            self.assertEqual(
                passes[self.accelerated], len(self.digests(hashes.new(name)))
            )

    def test_passes_with_another_multihash(self) -> None:
        passes = {'Triple': 2, 'Pair': 2, '': 3}
        self.assertEqual(
            passes[self.accelerated], len(self.digests(hashes.new('sha256')))
        )

    def test_parts(self) -> None:
        made = hashes.new('sha512')
        blocks = [streams.image(size, size) for size in (100, 64, 0, 70_001)]
        for each in (made.image, *made.others):
            each.update(blocks[0])
        ended = [made.image.end_part()]
        for block in blocks[1:]:
            for each in self.digests(made):
                each.update(block)
            ended.append(made.segments.end_part())
        self.assertEqual([streams.hashes(block)[0] for block in blocks], ended)
        self.assertEqual(
            streams.hashes(b''.join(blocks)),
            (made.image.hexdigest(), made.multihash()),
        )

    def test_cores_to_spare(self) -> None:
        """Two passes side by side are more work, but done earlier."""
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.hashes.cores_are_short', lambda: False
            )
        )
        passes = {'Triple': 2, 'Pair': 2, '': 3}
        self.assertEqual(
            passes[self.accelerated], len(self.digests(hashes.new('sha512')))
        )

    def test_text(self) -> None:
        """Of "check"."""
        by = {
            'Triple': 'the accelerator in one pass, with AVX-512',
            'Pair': 'the accelerator in one pass',
            '': 'hashlib in two passes: a test says so',
        }[self.accelerated]
        for algorithm in ('sha512', 'sha256', 'none'):
            both = self.accelerated == 'Triple' and algorithm == 'sha512'
            more = ', and SHA-512 in the same one while cores are short'
            self.assertEqual(
                f'MD5 by {by}{more * both}', hashes.describe(algorithm)
            )

    def test_log(self) -> None:
        logged = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        hashes.new('sha512')
        told = {
            'Triple': 'MD5 and SHA-512 by the accelerator',
            'Pair': 'MD5 by the accelerator',
            '': 'MD5 by hashlib',
        }[self.accelerated]
        self.assertIn(told, logged.output)


class TestCores(base.BaseTestCase):
    def test_each_hash_thread_has_one(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch('os.sched_getaffinity', lambda pid: range(5))
        )
        self.assertFalse(hashes.cores_are_short())
        go = threading.Event()
        threads = [
            threading.Thread(target=go.wait, name=hashes.THREAD)
            for _ in range(3)
        ]
        try:
            for short, thread in zip((False, False, True), threads):
                thread.start()
                self.assertEqual(short, hashes.cores_are_short())
        finally:
            go.set()
            for thread in threads:
                if thread.ident:
                    thread.join()
        self.assertFalse(hashes.cores_are_short())
