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

from oslotest import base

from glance_store_bufswift.swift import listings


class TestStaticSegments(base.BaseTestCase):
    def segments(self, *entries: object) -> list[tuple[str, str]]:
        return listings.static_segments(json.dumps(entries).encode())

    def test_container_and_name(self) -> None:
        self.assertEqual(
            [('images', 'a/b'), ('\u00e4', '\u00f6')],
            self.segments({'name': '/images/a/b', 'bytes': 1},
                          {'name': '/\u00e4/\u00f6', 'sub_slo': True}))

    def test_data_that_lies_in_the_manifest_itself(self) -> None:
        self.assertEqual([], self.segments({'data': 'eA=='}))

    def test_no_manifest(self) -> None:
        self.assertRaises(json.JSONDecodeError, listings.static_segments,
                          b'<html>')


class TestEntry(base.BaseTestCase):
    def test_dates(self) -> None:
        for text, moment in (
                ('2026-11-24T19:00:00.123450', datetime.datetime(
                    2026, 11, 24, 19, 0, 0, 123450, datetime.timezone.utc)),
                ('', None), ('yesterday', None)):
            found = listings.entry({'name': 'x', 'last_modified': text})
            self.assertEqual(moment, found.modified)
