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

"""Manifests of Static Large Objects, and the answers to them."""

import json

from hypothesis import given
from hypothesis import strategies as st
from oslotest import base
import swiftclient

from glance_store_bufswift import errors
from glance_store_bufswift.swift import listings
from glance_store_bufswift.swift import slo_manifest

ONE = slo_manifest.ManifestEntry('c/a', 5, 'e' * 32)


def told(status: str, *problems: list[str]) -> bytes:
    """What Swift says at the end, after its signs of life."""
    return (
        b'  \r\n\r\n'
        + json.dumps({'Response Status': status, 'Errors': problems}).encode()
    )


def refusal(body: bytes, status: int = 400) -> swiftclient.ClientException:
    return swiftclient.ClientException(
        'PUT', http_status=status, http_response_content=body
    )


class TestLimits(base.BaseTestCase):
    def test_of_swift(self) -> None:
        self.assertEqual(
            slo_manifest.Limits(1000, 8 << 20, 1, True),
            slo_manifest.limits(
                {
                    'slo': {
                        'max_manifest_segments': 1000,
                        'max_manifest_size': 8 << 20,
                        'yield_frequency': 10,
                        'min_segment_size': 1,
                    }
                }
            ),
        )

    def test_of_ceph_rgw(self) -> None:
        self.assertEqual(
            slo_manifest.Limits(),
            slo_manifest.limits({'slo': {'max_manifest_segments': 1000}}),
        )

    def test_none(self) -> None:
        infos: list[dict[str, object]] = [
            {},
            {'slo': None},
            {'slo': True},
            {'dlo': {}},
        ]
        for info in infos:
            self.assertIsNone(slo_manifest.limits(info))

    def test_what_is_no_number_counts_for_nothing(self) -> None:
        self.assertEqual(
            slo_manifest.Limits(),
            slo_manifest.limits(
                {
                    'slo': {
                        'max_manifest_segments': 'many',
                        'max_manifest_size': None,
                        'min_segment_size': -1,
                    }
                }
            ),
        )


class TestManifest(base.BaseTestCase):
    def test_form(self) -> None:
        self.assertEqual(
            [{'path': '/c/a', 'etag': 'e' * 32, 'size_bytes': 5}],
            json.loads(slo_manifest.manifest([ONE])),
        )

    @given(
        st.integers(1, 2000),
        st.integers(1, 1 << 16),
        st.text(min_size=1, max_size=20),
    )
    def test_what_fits_fits(self, segments: int, size: int, name: str) -> None:
        """With any container's name, and no more than are allowed."""
        longest = slo_manifest.ManifestEntry(f'{name}/a', 5 << 30, 'f' * 32)
        most = slo_manifest.fitting(
            slo_manifest.Limits(segments, size), longest
        )
        self.assertLessEqual(most, segments)
        if most:
            self.assertLessEqual(
                len(slo_manifest.manifest([longest] * most)), size
            )


class TestStored(base.BaseTestCase):
    def test_at_once(self) -> None:
        slo_manifest.stored(201, b'')

    def test_after_signs_of_life(self) -> None:
        slo_manifest.stored(202, told('201 Created'))

    def test_something_newer_is_there(self) -> None:
        self.assertRaises(
            errors.NotStored, slo_manifest.stored, 202, told('202 Accepted')
        )

    def test_no_word_at_the_end(self) -> None:
        for body in (b'', b'   ', b' \r\n\r\n{', b'<html>', b'[]', b'{}'):
            self.assertRaises(errors.NotStored, slo_manifest.stored, 202, body)

    def test_refused_late(self) -> None:
        exc = self.assertRaises(
            swiftclient.ClientException,
            slo_manifest.stored,
            202,
            told('412 Precondition Failed'),
        )
        self.assertEqual(412, exc.http_status)


class TestExplained(base.BaseTestCase):
    def explained(self, *problems: list[str]) -> errors.SegmentsRefused:
        exc = slo_manifest.explained(
            refusal(told('400 Bad Request', *problems))
        )
        self.assertIsInstance(exc, errors.SegmentsRefused)
        return exc  # type: ignore[return-value]

    def test_bytes_are_others(self) -> None:
        for why in (
            'Etag Mismatch',
            'Size Mismatch',
            'Too small; each segment must be at least 1 byte.',
            '403 Forbidden',
        ):
            exc = self.explained(['c/a', why], ['c/b', '404 Not Found'])
            self.assertFalse(exc.may_pass)
            self.assertIn(f'2 of the segments: c/a: {why}', str(exc))

    def test_a_server_does_not_answer(self) -> None:
        self.assertTrue(
            self.explained(
                ['c/a', '404 Not Found'], ['c/b', '503 Service Unavailable']
            ).may_pass
        )

    def test_no_segment_is_named(self) -> None:
        for body in (
            b'',
            b'<html>',
            b'{"Errors": []}',
            b'{"Errors": 5}',
            b'{"Errors": ["a"]}',
            b'Too many',
        ):
            exc = refusal(body)
            self.assertIs(exc, slo_manifest.explained(exc))


class TestEntries(base.BaseTestCase):
    """What Swift gives back of a manifest."""

    def entries(self, **more: object) -> list[listings.Entry] | None:
        return listings.slo_entries(
            json.dumps(
                [
                    {
                        'name': '/c/a/1',
                        'bytes': 5,
                        'hash': 'e' * 32,
                        'last_modified': '2026-01-01T00:00:00.000000',
                        **more,
                    }
                ]
            ).encode()
        )

    def test_told(self) -> None:
        (found,) = self.entries() or []
        self.assertEqual(
            ('c/a/1', 5, 'e' * 32), (found.name, found.size, found.etag)
        )

    def test_more_than_whole_objects(self) -> None:
        for more in (
            {'range': '0-2'},
            {'sub_slo': True},
            {'bytes': None},
            {'hash': None},
            {'bytes': -1},
        ):
            self.assertIsNone(self.entries(**more))
        self.assertIsNone(listings.slo_entries(b'[{"data": "eA=="}]'))

    def test_no_manifest(self) -> None:
        self.assertRaises(errors.Unreadable, listings.slo_entries, b'{}')
