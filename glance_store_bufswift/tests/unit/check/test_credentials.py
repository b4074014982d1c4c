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

"""What is said of user and key."""

from pathlib import Path
from typing import Any

import fixtures
from glance_store._drivers.swift import utils
from oslotest import base

from glance_store_bufswift.check import credentials

FILE = """\
[ref1]
auth_address = https://keystone/v3
user = project:user
key = s3cret
"""


class TestCase(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.useFixture(fixtures.TempDir()).path, 'accounts')

    def judged(
        self, text: str | None = None, reference: str = 'ref1', **given: Any
    ) -> list[tuple[str, str]]:
        """Result and text; nothing of it tells the key."""
        if text is not None:
            self.path.write_text(text)
        found = list(
            credentials.findings(
                given,
                None if text is None else str(self.path),
                reference,
                utils.SwiftConfigParser(),
            )
        )
        for each in found:
            self.assertEqual(each.result.value != 'ok', bool(each.advice))
            self.assertNotIn('cret', f'{each.found} {each.advice}')
        return [(each.result.value, each.found) for each in found]

    def assert_found(
        self, result: str, text: str, found: list[tuple[str, str]]
    ) -> None:
        self.assertEqual([result], [each for each, _ in found], str(found))
        self.assertIn(text, found[0][1])


class TestFile(TestCase):
    def test_well(self) -> None:
        self.assert_found('ok', '[ref1] in', self.judged(FILE))

    def test_what_can_not_be_read(self) -> None:
        for text, says in (
            (FILE.replace('s3', 's3%'), 'key has a "%"'),
            ('\ufeff' + FILE, 'byte order mark'),
            (FILE.replace('s3', '"s3'), 'quote'),
            ('s3cret', 'line 1'),
        ):
            self.assert_found('error', says, self.judged(text))

    def test_quotes(self) -> None:
        found = self.judged(FILE.replace('s3cret', '"s3cret"'))
        self.assertEqual(['warning', 'ok'], [each for each, _ in found])
        self.assertIn('quotes round key', found[0][1])

    def test_lacking(self) -> None:
        self.assert_found(
            'error', 'lacks key', self.judged(FILE.replace('key', 'yek'))
        )
        self.assert_found(
            'error',
            'lacks auth_address, user, key',
            self.judged(FILE, 'other'),
        )


class TestSection(TestCase):
    def test_well(self) -> None:
        self.assertEqual([], self.judged(swift_store_key='s3cret/'))

    def test_colon(self) -> None:
        self.assert_found(
            'error',
            'swift_store_key has a ":"',
            self.judged(swift_store_key='s3:cret'),
        )

    def test_of_tenants(self) -> None:
        """No location has the key."""
        self.assertEqual(
            [],
            self.judged(
                swift_store_key='s3:cret', swift_store_multi_tenant=True
            ),
        )
