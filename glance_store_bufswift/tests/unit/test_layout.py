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

"""Names, sizes and headers."""

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st
from oslotest import base
from swiftclient import client

from glance_store_bufswift import layout

MIB = 1 << 20

#: Segments of one size, of an image of unknown size.
STEP = 500


class TestNames(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.where = layout.Layout('images', 'id', 'try')

    def test_segment_has_eight_digits(self) -> None:
        self.assertEqual('id/try/00000001', self.where.segment(1))
        self.assertEqual(
            'id/try/00009999', self.where.segment(layout.MAX_SEGMENTS)
        )

    def test_segments_sort_as_their_numbers_do(self) -> None:
        names = [
            self.where.segment(number)
            for number in range(1, layout.MAX_SEGMENTS + 1)
        ]
        self.assertEqual(sorted(names), names)

    def test_each_attempt_has_names_of_its_own(self) -> None:
        attempts = {layout.Layout('images', 'id').prefix for _ in range(100)}
        self.assertEqual(100, len(attempts))

    def test_attempt_can_stand_in_a_path_and_in_a_header(self) -> None:
        self.assertRegex(
            layout.new_attempt(), r'^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}$'
        )

    def test_attempts_sort_by_the_time_they_began(self) -> None:
        names = []
        for micros in (0, 1, 15, 16, 999_999, 1_000_000):
            now = (1_790_000_000_000_000 + micros) * 1000
            with mock.patch('time.time_ns', autospec=True, return_value=now):
                names.append(layout.new_attempt())
        self.assertEqual(sorted(names), names)
        self.assertEqual('20260921T141320Z', names[0][:16])


class TestHeaders(base.BaseTestCase):
    def _target(self, value: str) -> tuple[str, str] | None:
        return layout.dlo_target({'x-object-manifest': value})

    def test_plain_object_is_no_manifest(self) -> None:
        headers = layout.Layout('images', 'id', 'try').plain_headers()
        lowered = {name.lower(): headers[name] for name in headers}
        self.assertIsNone(layout.dlo_target(lowered))
        self.assertEqual('try', headers[layout.ATTEMPT_HEADER])

    def test_manifest_value_is_url_encoded(self) -> None:
        where = layout.Layout('my images/ä', 'id', 'try')
        headers = where.dlo_headers(12)
        self.assertEqual(
            'my%20images/%C3%A4/id/try/', headers['X-Object-Manifest']
        )
        self.assertEqual('12', headers[layout.SEGMENTS_HEADER])

    def test_dlo_target_is_what_was_written(self) -> None:
        for container in ('my images', '50%', '50%25', '\u00e4'):
            where = layout.Layout(container, 'id', 'try')
            value = where.dlo_headers(1)['X-Object-Manifest']
            self.assertEqual(
                (container, 'id/try/'),
                self._target(client.parse_header_string(value)),
            )

    def test_dlo_target_of_the_stock_driver(self) -> None:
        self.assertEqual(('images', 'id-'), self._target('images/id-'))
        self.assertEqual(('images', 'id-'), self._target('/images/id-'))

    def test_no_manifest_no_target(self) -> None:
        self.assertIsNone(layout.dlo_target({}))
        self.assertIsNone(self._target(''))

    def test_only_what_this_attempt_wrote_is_its_own(self) -> None:
        where = layout.Layout('images', 'id')
        other = layout.Layout('images', 'id')
        self.assertTrue(where.wrote(where.plain_headers()))
        self.assertTrue(where.wrote(where.dlo_headers(3)))
        self.assertFalse(where.wrote(other.plain_headers()))
        self.assertFalse(where.wrote({}))

    def test_prefix_that_can_only_be_of_the_image_belongs_to_it(self) -> None:
        self.assertTrue(layout.is_segment_prefix('id', 'id/try/'))
        self.assertTrue(layout.is_segment_prefix('id', 'id-'))

    def test_prefix_that_may_hold_other_images_does_not(self) -> None:
        for prefix in ('', 'id', 'i', 'id2/try/', 'id2-', 'id-2-', 'x/id/'):
            self.assertFalse(layout.is_segment_prefix('id', prefix), prefix)


class TestSegmentSize(base.BaseTestCase):
    def test_known_image_of_usual_size_has_the_configured_segments(
        self,
    ) -> None:
        self.assertEqual(MIB, layout.segment_size(1, MIB, 9_999 * MIB))
        self.assertEqual(MIB, layout.segment_size(9_999, MIB, 1))

    @given(st.integers(1, 1 << 50), st.integers(1, 1 << 40))
    def test_known_image_never_needs_too_many_segments(
        self, image_size: int, base_size: int
    ) -> None:
        size = layout.segment_size(1, base_size, image_size)
        self.assertGreaterEqual(size, base_size)
        self.assertLessEqual(-(-image_size // size), layout.MAX_SEGMENTS)

    def test_unknown_image_starts_with_the_configured_size(self) -> None:
        self.assertEqual(MIB, layout.segment_size(1, MIB))
        self.assertEqual(MIB, layout.segment_size(STEP, MIB))

    def test_unknown_image_has_larger_segments_later(self) -> None:
        self.assertEqual(2 * MIB, layout.segment_size(STEP + 1, MIB))
        self.assertEqual(4 * MIB, layout.segment_size(2 * STEP + 1, MIB))

    def test_all_that_are_allowed_are_enough(self) -> None:
        """Whatever a site allows in the manifest of an SLO."""
        for most in (100, 1000, layout.MAX_SEGMENTS):
            self.assertGreater(
                sum(
                    layout.segment_size(number, MIB, most=most)
                    for number in range(1, most + 1)
                ),
                100 << 30,
            )

    def test_no_segment_grows_beyond_what_swift_takes(self) -> None:
        """Ceph RGW takes 5 GiB, Swift two bytes more."""
        self.assertEqual(
            5 * (1 << 30), layout.segment_size(layout.MAX_SEGMENTS, MIB)
        )

    def test_what_is_configured_is_never_made_smaller(self) -> None:
        large = 2 * layout.MAX_OBJECT_SIZE
        self.assertEqual(large, layout.segment_size(9_999, large))

    def test_smallest_segments_are_enough_for_glances_largest_image(
        self,
    ) -> None:
        # image_size_cap is 1 TiB by default.
        room = sum(
            layout.segment_size(number, 1_024_000)
            for number in range(1, layout.MAX_SEGMENTS + 1)
        )
        self.assertGreater(room, 1 << 40)
