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

"""Which pieces an image is read in."""

from hypothesis import given
from hypothesis import strategies as st
from oslotest import base

from glance_store_bufswift.reader import parts
from glance_store_bufswift.reader import plan

SIZES = st.lists(st.integers(0, 50 << 20), max_size=8)


def _parts(sizes: list[int]) -> list[parts.Part]:
    return [
        parts.Part('c', str(number), size) for number, size in enumerate(sizes)
    ]


class TestPieces(base.BaseTestCase):
    @given(SIZES, st.integers(0, 1 << 28), st.integers(0, 1 << 28) | st.none())
    def test_range_of_parts(
        self, sizes: list[int], offset: int, size: int | None
    ) -> None:
        total = sum(sizes)
        end = total if size is None else min(total, offset + size)
        place = {
            str(number): sum(sizes[:number]) for number in range(len(sizes))
        }
        at = offset
        for piece in parts.within(_parts(sizes), offset, size):
            self.assertEqual(at, place[piece.part.name] + piece.offset)
            self.assertTrue(0 < piece.size <= piece.part.size - piece.offset)
            at += piece.size
        self.assertEqual(max(offset, end), at)

    @given(st.integers(1, 1 << 30), st.integers(0, 99))
    def test_cut_evenly(self, size: int, offset: int) -> None:
        part = parts.Part('c', 'o', size + offset)
        pieces = list(parts.cut(parts.Range(part, offset, size)))
        at = offset
        for each in pieces:
            self.assertEqual(at, each.offset)
            at = each.end
        self.assertEqual(offset + size, at)
        self.assertLessEqual(
            max(each.size for each in pieces), parts.MAX_PIECE
        )
        self.assertLessEqual(
            max(each.size for each in pieces)
            - min(each.size for each in pieces),
            1,
        )

    def test_plan(self) -> None:
        found = _parts([30 << 20, 5])
        left = plan.ReadPlan(parts.within(found, 0, None))
        self.assertEqual(parts.Range(found[0], 0, 10 << 20), left.first)
        left.drop()
        self.assertEqual(
            parts.Range(found[0], 10 << 20, 20 << 20), left.stretch
        )
        left.drop()
        left.drop()
        self.assertEqual(parts.Range(found[1], 0, 5), left.stretch)
        left.drop()
        self.assertEqual((None, None), (left.first, left.stretch))
