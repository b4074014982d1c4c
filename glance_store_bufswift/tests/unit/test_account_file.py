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

"""Files of accounts, good and bad."""

import errno
from pathlib import Path
from unittest import mock

import fixtures
from glance_store._drivers.swift import utils
from oslotest import base

from glance_store_bufswift import account_file

GOOD = """\
[ref1]
auth_address = https://keystone/v3
user = project:user
key = s3:cr/et
# A comment with a % and a "quote.
[ref2]
auth_address: https://keystone/v3
application_credential_id = id
application_credential_secret = 100%% secret
note = what nobody reads may have a %
"""


class TestCase(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.useFixture(fixtures.TempDir()).path, 'accounts')
        self.parser = utils.SwiftConfigParser()

    def verify(self, data: str | bytes) -> None:
        self.path.write_bytes(data.encode() if isinstance(data, str) else data)
        account_file.verify(str(self.path), self.parser)


class TestGood(TestCase):
    def test_is_read(self) -> None:
        self.verify(GOOD)
        self.assertEqual(['ref1', 'ref2'], self.parser.sections())
        self.assertEqual('s3:cr/et', self.parser.get('ref1', 'key'))
        self.assertEqual(
            '100% secret',
            self.parser.get('ref2', 'application_credential_secret'),
        )
        self.assertEqual([], list(account_file.quoted(self.parser)))

    def test_what_an_account_lacks(self) -> None:
        self.verify(GOOD + '[ref3]\nuser = project:user\n')
        self.assertEqual(
            [[], [], ['auth_address', 'key'], ['auth_address', 'user', 'key']],
            [
                account_file.missing(self.parser, reference)
                for reference in ('ref1', 'ref2', 'ref3', 'ref4')
            ],
        )

    def test_empty(self) -> None:
        self.verify('')
        self.assertEqual([], self.parser.sections())

    def test_quotes(self) -> None:
        """glance_store takes them away: somebody may not expect that."""
        self.verify(
            GOOD.replace('s3:cr/et', '"s3:cr/et"').replace('= id', "= 'id'")
        )
        self.assertEqual('s3:cr/et', self.parser.get('ref1', 'key'))
        self.assertEqual(
            [('ref1', 'key'), ('ref2', 'application_credential_id')],
            list(account_file.quoted(self.parser)),
        )


class TestBad(TestCase):
    def refused(self, data: str | bytes, *says: str) -> None:
        """It is said what is wrong and where, without the password."""
        exc = self.assertRaises(
            account_file.UnreadableAccountFile, self.verify, data
        )
        for text in (str(self.path), *says):
            self.assertIn(text, exc.found)
        self.assertTrue(exc.advice)
        self.assertIsNone(exc.__cause__)
        said = f'{exc} {exc.__cause__}'.replace(str(self.path), '')
        self.assertNotIn('s3', said)

    def test_percent(self) -> None:
        for key in ('s3%cret', 's3cret%', 's3%(x', '%(s3)s', 's3%s'):
            self.refused(GOOD.replace('s3:cr/et', key), '[ref1]', 'key', '%')

    def test_percent_in_another_account(self) -> None:
        self.refused(
            GOOD.replace('%%', '%'), '[ref2]', 'application_credential_secret'
        )

    def test_quote_that_is_not_closed(self) -> None:
        for key in ('"s3cret', '\'s3cret"', '"'):
            self.refused(
                GOOD.replace('s3:cr/et', key), '[ref1]', 'key', 'quote'
            )

    def test_byte_order_mark(self) -> None:
        self.refused('\ufeff' + GOOD, 'byte order mark')

    def test_no_text(self) -> None:
        self.refused(GOOD.encode() + b'\xff\xfe', 'not text')

    def test_lines(self) -> None:
        for line, text in (
            (1, 'key = s3cret\n' + GOOD),
            (4, GOOD.replace('key = s3:cr/et', 's3cret')),
            (5, GOOD.replace('# A', 'key = s3cret # ')),
            (11, GOOD + '[ref1]\n'),
        ):
            self.refused(text, f'line {line}')

    def test_missing(self) -> None:
        exc = self.assertRaises(
            account_file.UnreadableAccountFile,
            account_file.verify,
            str(self.path),
            self.parser,
        )
        self.assertIn('No such file', exc.found)

    def test_not_to_be_read(self) -> None:
        denied = PermissionError(errno.EACCES, 'Permission denied')
        with mock.patch('builtins.open', autospec=True, side_effect=denied):
            exc = self.assertRaises(
                account_file.UnreadableAccountFile,
                account_file.verify,
                str(self.path),
                self.parser,
            )
        self.assertIn('Permission denied', exc.found)

    def test_a_directory(self) -> None:
        self.path.mkdir()
        exc = self.assertRaises(
            account_file.UnreadableAccountFile,
            account_file.verify,
            str(self.path),
            self.parser,
        )
        self.assertIn('Is a directory', exc.found)
