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

"""Swift's limits against the segment size."""

from typing import Any

from oslotest import base

from glance_store_bufswift.check import limits
from glance_store_bufswift import opts

MB = opts.UPSTREAM_MB
GOOD = {'max_file_size': 5 * (1 << 30) + 2, 'container_listing_limit': 10000}


def judged(info: Any, segment_size: int = 200 * MB) -> list[str]:
    settings = opts.Settings(segment_size=segment_size)
    return [each.result.value for each in limits.findings(info, settings)]


class TestLimits(base.BaseTestCase):
    def test_well(self) -> None:
        self.assertEqual(['ok'] * 3, judged({'swift': GOOD}))

    def test_ceph(self) -> None:
        """What the /info of RGW 16.2 has, and no limit of its rate."""
        rgw = {
            'max_file_size': 5 * (1 << 30),
            'version': '16.2.15',
            'container_listing_limit': 10000,
            'max_object_name_size': 1024,
        }
        for size in (200 * MB, 1 * MB):
            self.assertEqual(['ok'] * 3, judged({'swift': rgw}, size))
        found = list(
            limits.findings(
                {'swift': rgw | {'max_file_size': 1000 * MB}}, opts.Settings()
            )
        )
        self.assertEqual(
            ['warning', 'ok', 'ok'], [each.result.value for each in found]
        )
        self.assertIn('rgw_max_put_size', found[0].advice)

    def test_no_info(self) -> None:
        """Why there is none is told elsewhere."""
        self.assertEqual(['ok'], judged({}))

    def test_an_info_that_says_nothing(self) -> None:
        infos: list[Any] = [{'a': 1}, {'swift': {}}, {'swift': None}]
        for info in infos:
            self.assertEqual(['warning', 'warning', 'ok'], judged(info))

    def test_segments_larger_than_an_object_may_be(self) -> None:
        info = {'swift': GOOD | {'max_file_size': 100 * MB}}
        found = list(
            limits.findings(info, opts.Settings(segment_size=100 * MB + 1))
        )
        self.assertEqual('error', found[0].result.value)
        self.assertIn('at most 100', found[0].advice)

    def test_segments_that_grow_larger(self) -> None:
        info = {'swift': GOOD | {'max_file_size': 1000 * MB}}
        self.assertEqual('warning', judged(info)[0])

    def test_a_listing_that_an_image_fills(self) -> None:
        for page, result in ((9999, 'warning'), (10000, 'ok')):
            info = {'swift': GOOD | {'container_listing_limit': page}}
            self.assertEqual(result, judged(info)[1])

    def test_small_segments_are_served_slowly_to_others(self) -> None:
        for size in (200 * MB, MB):
            found = list(
                limits.findings(
                    {'swift': GOOD}, opts.Settings(segment_size=size)
                )
            )[2]
            self.assertEqual('ok', found.result.value)
            self.assertIn('to the stock driver', found.found)


class TestStatic(base.BaseTestCase):
    def judged(self, slo: Any, segment_size: int = 200 * MB) -> list[str]:
        info = {'swift': GOOD} | ({} if slo is None else {'slo': slo})
        settings = opts.Settings(segment_size=segment_size, manifest=opts.SLO)
        return [
            f'{each.result.value} {each.found}'
            for each in limits.findings(info, settings)
        ]

    def test_well(self) -> None:
        """What a listing has, and how fast DLOs are, does not matter."""
        size, static = self.judged({'max_manifest_segments': 1000})
        self.assertIn('ok a segment', size)
        self.assertIn('ok a Static Large Object has up to 1000', static)

    def test_none(self) -> None:
        """What counts for DLOs counts then."""
        found = self.judged(None)
        self.assertEqual(4, len(found))
        self.assertIn('warning Swift has no Static', found[1])

    def test_segments_are_too_small(self) -> None:
        found = self.judged({'min_segment_size': 2 * MB}, MB)
        self.assertIn('warning a segment of a Static', found[1])
