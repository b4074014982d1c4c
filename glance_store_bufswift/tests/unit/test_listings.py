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

"""What a container lists, and the manifest of an SLO."""

import datetime
import json
from typing import Any

import fixtures
from oslotest import base

from glance_store_bufswift import errors
from glance_store_bufswift.swift import listings


class TestStaticSegments(base.BaseTestCase):
    def segments(self, *entries: object) -> list[tuple[str, str]]:
        return listings.slo_segments(json.dumps(entries).encode())

    def test_container_and_name(self) -> None:
        self.assertEqual(
            [('images', 'a/b'), ('\u00e4', '\u00f6')],
            self.segments(
                {'name': '/images/a/b', 'bytes': 1},
                {'name': '/\u00e4/\u00f6', 'sub_slo': True},
            ),
        )

    def test_data_that_lies_in_the_manifest_itself(self) -> None:
        self.assertEqual([], self.segments({'data': 'eA=='}))

    def test_no_manifest(self) -> None:
        for body in (
            b'<html>',
            b'null',
            b'{}',
            b'"/c/o"',
            b'7',
            b'\xff',
            b'[' * 100_000,
            b'["/c/o"]',
            b'[null]',
            b'[{}]',
            b'[{"name": 7}]',
            b'[{"name": "/c"}]',
            b'[{"name": ""}]',
            b'[{"name": "", "data": "eA=="}]',
            b'[[]]',
        ):
            exc = self.assertRaises(
                errors.Unreadable, listings.slo_segments, body
            )
            self.assertTrue(exc.may_pass)
            self.assertLess(len(str(exc)), 200)

    def test_empty_or_endless(self) -> None:
        """Another try would not help."""
        for blocks in ([], [b'  '], [b'\r\n', b''], [b'x' * 70] * 2):
            left = iter(blocks)
            self.useFixture(
                fixtures.MonkeyPatch(
                    'glance_store_bufswift.swift.listings.MAX_MANIFEST', 100
                )
            )
            exc = self.assertRaises(
                errors.NoContent,
                listings.manifest_of,
                lambda size, left=left: next(left, b'')[:size],
            )
            self.assertFalse(exc.may_pass)


class TestEntry(base.BaseTestCase):
    def test_dates(self) -> None:
        for text, moment in (
            (
                '2026-11-24T19:00:00.123450',
                datetime.datetime(
                    2026, 11, 24, 19, 0, 0, 123450, datetime.timezone.utc
                ),
            ),
            ('', None),
            ('yesterday', None),
        ):
            found = listings.entry({'name': 'x', 'last_modified': text})
            self.assertEqual(moment, found.modified)

    def test_what_is_missing_or_odd(self) -> None:
        found = listings.entry(
            {
                'name': 'x',
                'bytes': None,
                'last_modified': 7,
                'hash': [],
                'content_type': None,
            }
        )
        self.assertEqual(listings.Entry('x', sized=False), found)
        self.assertTrue(listings.entry({'name': 'x', 'bytes': 0}).sized)
        self.assertEqual(7, listings.entry({'name': 'x', 'bytes': '7'}).size)

    def test_no_entries(self) -> None:
        entries: tuple[Any, ...] = (
            None,
            'x',
            7,
            [],
            {},
            {'subdir': 'x/'},
            {'name': ''},
            {'name': None},
            {'name': 5},
            {'name': 'x', 'bytes': 'y'},
            {'name': 'x', 'bytes': -1},
            {'name': 'x', 'bytes': '-1'},
            {'name': 'x', 'bytes': 1.5},
            {'name': 'x', 'bytes': True},
            {'name': 'x', 'bytes': float('nan')},
        )
        for each in entries:
            self.assertRaises(
                errors.Unreadable, listings.entries, [{'name': 'good'}, each]
            )
        for page in (None, {}, 'x', 7, {'name': 'x'}):
            self.assertRaises(errors.Unreadable, listings.entries, page)
