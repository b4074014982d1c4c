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

"""The benchmark's image, and the source that gives it."""

import hashlib

from oslotest import base

from glance_store_bufswift.tests.programs.bench import pattern
from glance_store_bufswift.tests.programs.bench import source


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class TestEtags(base.BaseTestCase):
    def test_across_periods(self) -> None:
        lengths = (0, 1, pattern.PERIOD, 2 * pattern.PERIOD + 3)
        etags = pattern.Etags()
        etags.prepare(lengths)
        for length in lengths:
            data = (pattern.period() * 3)[:length]
            self.assertEqual(_md5(data), etags.of(length))
        self.assertEqual(0, etags.missed)

    def test_not_prepared(self) -> None:
        etags = pattern.Etags()
        self.assertEqual(_md5(pattern.period()[:7]), etags.of(7))
        self.assertEqual(1, etags.missed)


class TestStream(base.BaseTestCase):
    def _read(self, size: int, block: int) -> bytes:
        stream = source.Stream(size, source.Pace())
        blocks = list(iter(lambda: stream.read(block), b''))
        self.assertTrue(stream.ended)
        return b''.join(blocks)

    def test_any_block(self) -> None:
        size = 12 * pattern.PERIOD + 5
        for block in (999_999, 1 << 20, 64 << 20):
            data = self._read(size, block)
            self.assertEqual(size, len(data))
            self.assertEqual(pattern.Etags().of(size), _md5(data))

    def test_gives_bytes(self) -> None:
        self.assertIsInstance(source.Stream(5, source.Pace()).read(9), bytes)


class TestPace(base.BaseTestCase):
    def test_unlimited(self) -> None:
        self.assertEqual(0, source.Pace().due(1 << 40))

    def test_rate(self) -> None:
        self.assertEqual(2.5, source.Pace(100).due(250))

    def test_stalls_after_each_stretch(self) -> None:
        pace = source.Pace(100, stall_every=100, stall=5)
        self.assertEqual(
            [1, 5 + 1.01, 5 + 2, 10 + 2.5],
            [pace.due(size) for size in (100, 101, 200, 250)],
        )
