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

    def test_text(self) -> None:
        """Of "check", and of the log."""
        by = {
            'Triple': 'the accelerator in one pass, with AVX-512',
            'Pair': 'the accelerator in one pass',
            '': 'hashlib in two passes: a test says so',
        }[self.accelerated]
        for algorithm in ('sha512', 'sha256'):
            logged = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
            both = self.accelerated == 'Triple' and algorithm == 'sha512'
            made = 'MD5 and SHA-512' if both else 'MD5'
            text = hashes.describe(algorithm)
            self.assertEqual(f'{made} by {by}', text)
            hashes.new(algorithm)
            self.assertEqual(f'{text}\n', logged.output)
