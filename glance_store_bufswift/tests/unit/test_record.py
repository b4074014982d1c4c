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

"""What manifests tell of their segments."""

from hypothesis import given
from hypothesis import strategies as st
from oslotest import base

from glance_store_bufswift import layout
from glance_store_bufswift import record
from glance_store_bufswift.tests.unit import fakes

WHERE = layout.Layout('images', 'id', 'try')


def _told(sizes: list[int], md5s: list[str]) -> dict[str, str]:
    """A manifest's headers, as swiftclient tells them."""
    written = WHERE.dlo_headers(len(md5s)) | record.headers(sizes, md5s)
    return {name.lower(): value for name, value in written.items()}


def _md5s(count: int) -> list[str]:
    return [fakes.md5(str(number).encode()) for number in range(count)]


class TestRecord(base.BaseTestCase):
    def read(self, told: dict[str, str]) -> record.Record:
        found = record.read('id', told)
        assert found
        return found

    @given(st.lists(st.integers(1, 5), min_size=1, max_size=30))
    def test_sizes_come_back(self, sizes: list[int]) -> None:
        found = self.read(_told(sizes, _md5s(len(sizes))))
        self.assertEqual(
            (WHERE, tuple(sizes), sum(sizes)),
            (found.dest, found.sizes, found.total),
        )

    def test_each_segment_is_proved(self) -> None:
        for count in (1, 31, 32, 33, record.MAX_FINGERPRINTS):
            md5s = _md5s(count)
            found = self.read(_told([9] * count, md5s))
            for number in {1, count // 2 + 1, count}:
                self.assertEqual([number], list(found.group(number)))
                self.assertTrue(found.proves(number, [md5s[number - 1]]))
                self.assertFalse(found.proves(number, [fakes.md5(b'')]))

    def test_many_segments_share_fingerprints(self) -> None:
        for count in (record.MAX_FINGERPRINTS + 1, 1000, layout.MAX_SEGMENTS):
            md5s = _md5s(count)
            found = self.read(_told([9] * count, md5s))
            for number in (1, count // 2, count):
                group = found.group(number)
                self.assertIn(number, group)
                own = [md5s[each - 1] for each in group]
                self.assertTrue(found.proves(number, own))
                self.assertFalse(
                    found.proves(number, own[:-1] + [fakes.md5(b'')])
                )

    def test_every_segment_is_in_one_group(self) -> None:
        count = 5 * record.MAX_FINGERPRINTS - 3
        found = self.read(_told([9] * count, _md5s(count)))
        groups = {found.group(number) for number in range(1, count + 1)}
        self.assertEqual(
            list(range(1, count + 1)),
            sorted(number for group in groups for number in group),
        )

    def test_fits_into_metadata(self) -> None:
        """What Swift takes by default, and a page of nginx."""
        sizes = [
            layout.segment_size(number, 1_024_000)
            for number in range(1, layout.MAX_SEGMENTS + 1)
        ]
        written = WHERE.dlo_headers(len(sizes)) | record.headers(
            sizes, _md5s(len(sizes))
        )
        self.assertLessEqual(max(map(len, written.values())), 256)
        self.assertLess(len(written), 90)
        self.assertLess(
            sum(len(name) + len(value) + 4 for name, value in written.items()),
            2600,
        )

    def test_what_does_not_fit_is_not_told(self) -> None:
        sizes = [10**12 + number for number in range(100)]
        self.assertEqual({}, record.headers(sizes, _md5s(100)))
        self.assertEqual({}, record.headers([], []))

    def test_what_does_not_agree_does_not_count(self) -> None:
        good = _told([5, 5, 3], _md5s(3))
        self.read(good)
        for changed in (
            {record.SIZES_HEADER: '2x5'},
            {record.SIZES_HEADER: '4x5'},
            {record.SIZES_HEADER: ''},
            {record.SIZES_HEADER: '2x5 1x0'},
            {record.SIZES_HEADER: '2x5 x3'},
            {record.SIZES_HEADER: '9999x5 1x3'},
            {layout.SEGMENTS_HEADER: '4'},
            {layout.SEGMENTS_HEADER: ''},
            {layout.ATTEMPT_HEADER: 'other'},
            {layout.ATTEMPT_HEADER: ''},
            {layout.DLO_HEADER: 'images/id/other/'},
            {layout.DLO_HEADER: 'images/id2/try/'},
            {layout.DLO_HEADER: ''},
            {f'{record.FINGERPRINTS_HEADER_PREFIX}1': ''},
            {f'{record.FINGERPRINTS_HEADER_PREFIX}1': 'AAAA'},
            {f'{record.FINGERPRINTS_HEADER_PREFIX}1': '!'},
            {f'{record.FINGERPRINTS_HEADER_PREFIX}1': '\u00e4'},
            {
                f'{record.FINGERPRINTS_HEADER_PREFIX}2': good[
                    f'{record.FINGERPRINTS_HEADER_PREFIX}1'
                ]
            },
        ):
            self.assertIsNone(record.read('id', good | changed), str(changed))
        self.assertIsNone(record.read('id2', good))
        self.assertIsNone(record.read('id', {}))
