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

"""Tables, JSON, progress."""

from collections.abc import Sequence
import contextlib
import datetime
import io
import json
from typing import Any

import fixtures
from oslotest import base

from glance_store_bufswift.cmd import output
from glance_store_bufswift import errors

MOMENT = datetime.datetime(2026, 11, 24, 19, tzinfo=datetime.timezone.utc)
ROWS = [{'name': 'a', 'bytes': 1234567, 'when': MOMENT, 'more': 'x'}]
COLUMNS = {'name': 'Name', 'bytes': 'Bytes', 'when': 'When'}


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


class TestShow(base.BaseTestCase):
    def shown(
        self,
        rows: list[dict[str, Any]],
        form: str,
        out: io.StringIO | None = None,
        chosen: Sequence[str] = (),
    ) -> str:
        out = out or io.StringIO()
        with contextlib.redirect_stdout(out):
            output.show(rows, COLUMNS, form, chosen, wrap=('name',))
        return out.getvalue()

    def test_json(self) -> None:
        self.assertEqual(
            [
                {
                    'name': 'a',
                    'bytes': 1234567,
                    'more': 'x',
                    'when': '2026-11-24T19:00:00+00:00',
                }
            ],
            json.loads(self.shown(ROWS, 'json')),
        )
        self.assertEqual([], json.loads(self.shown([], 'json')))

    def test_table(self) -> None:
        lines = self.shown(ROWS, 'table').splitlines()
        self.assertEqual(
            ['Name', 'Bytes', 'When'],
            [cell.strip() for cell in lines[1].split('|')[1:-1]],
        )
        self.assertEqual(
            ['a', '1,234,567', '2026-11-24T19:00:00+00:00'],
            [cell.strip() for cell in lines[3].split('|')[1:-1]],
        )

    def test_other_forms(self) -> None:
        self.assertEqual(
            'Name,Bytes,When\na,1234567,2026-11-24T19:00:00+00:00\n',
            self.shown(ROWS, 'csv'),
        )
        self.assertEqual(
            'a 1234567 2026-11-24T19:00:00+00:00\n', self.shown(ROWS, 'value')
        )
        self.assertEqual('', self.shown([], 'value'))

    def test_chosen_columns(self) -> None:
        for form, text in (
            ('value', '1234567 a\n'),
            ('csv', 'Bytes,Name\n1234567,a\n'),
        ):
            self.assertEqual(
                text, self.shown(ROWS, form, chosen=['Bytes', 'name'])
            )
        self.assertEqual(
            {'bytes': 1234567},
            json.loads(self.shown(ROWS, 'json', chosen=['BYTES']))[0],
        )
        exc = self.assertRaises(
            errors.ConfigError, self.shown, ROWS, 'table', chosen=['size']
        )
        self.assertIn('choose from name, bytes, when', str(exc))

    def test_addresses_are_not_broken(self) -> None:
        """Nor does an empty column take room from another one."""
        self.useFixture(fixtures.EnvironmentVariable('COLUMNS', '80'))
        address = 'https://' + 'a-' * 60
        out = Terminal()
        with contextlib.redirect_stdout(out):
            output.show(
                [{'a': 'word ' * 20, 'b': ''}],
                {'a': 'A', 'b': 'B'},
                'table',
                wrap=('a', 'b'),
            )
            output.show([{'a': address}], {'a': 'A'}, 'table', wrap=('a',))
            print(output.paragraph('at: ', address, address))
        lines = out.getvalue().splitlines()
        self.assertLess(60, max(len(line) for line in lines[:3]))
        self.assertEqual(3, out.getvalue().count(address))

    def test_a_paragraph_is_as_wide_as_the_terminal(self) -> None:
        self.useFixture(fixtures.EnvironmentVariable('COLUMNS', '60'))
        out = Terminal()
        with contextlib.redirect_stdout(out):
            text = output.paragraph('ab: ', 'word ' * 30, 'do this')
        lines = text.splitlines()
        self.assertLessEqual(max(map(len, lines)), 60)
        self.assertEqual({'    word'}, {line[:8] for line in lines[1:-1]})
        self.assertEqual('    -> do this', lines[-1])
        # In a file or a pipe each is a line of its own.
        self.assertEqual(
            1, len(output.paragraph('ab: ', 'word ' * 30).splitlines())
        )

    def test_as_wide_as_the_terminal(self) -> None:
        self.useFixture(fixtures.EnvironmentVariable('COLUMNS', '80'))
        rows = [ROWS[0] | {'name': 'word ' * 100}]
        for out, narrow in ((Terminal(), True), (io.StringIO(), False)):
            text = self.shown(rows, 'table', out)
            width = max(map(len, text.splitlines()))
            self.assertEqual(narrow, width <= 80)
            self.assertIn(' 1,234,567 ', text)


class TestProgress(base.BaseTestCase):
    def test_on_a_terminal(self) -> None:
        out = Terminal()
        progress = output.Progress(out)
        progress('images', 1000)
        progress('images', 20)
        progress.clear()
        progress.clear()
        self.assertEqual(
            '\rimages: 1,000 objects\rimages: 20 objects   '
            '\r' + ' ' * 18 + '\r',
            out.getvalue(),
        )

    def test_elsewhere(self) -> None:
        out = io.StringIO()
        progress = output.Progress(out)
        progress('images', 1000)
        progress.clear()
        self.assertEqual('', out.getvalue())
