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

import contextlib
import datetime
import io
import json
from typing import Any

import fixtures
from oslotest import base

from glance_store_bufswift.cmd import output

MOMENT = datetime.datetime(2026, 11, 24, 19, tzinfo=datetime.timezone.utc)
ROWS = [{'name': 'a', 'bytes': 1234567, 'when': MOMENT, 'more': 'x'}]
COLUMNS = {'name': 'Name', 'bytes': 'Bytes', 'when': 'When'}


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


class TestShow(base.BaseTestCase):
    def shown(self, rows: list[dict[str, Any]], form: str,
              out: io.StringIO | None = None) -> str:
        out = out or io.StringIO()
        with contextlib.redirect_stdout(out):
            output.show(rows, COLUMNS, form, wrap=('name',))
        return out.getvalue()

    def test_json(self) -> None:
        self.assertEqual(
            [{'name': 'a', 'bytes': 1234567, 'more': 'x',
              'when': '2026-11-24T19:00:00+00:00'}],
            json.loads(self.shown(ROWS, 'json')))
        self.assertEqual([], json.loads(self.shown([], 'json')))

    def test_table(self) -> None:
        lines = self.shown(ROWS, 'table').splitlines()
        self.assertEqual(['Name', 'Bytes', 'When'],
                         [cell.strip() for cell in lines[1].split('|')[1:-1]])
        self.assertEqual(
            ['a', '1,234,567', '2026-11-24T19:00:00+00:00'],
            [cell.strip() for cell in lines[3].split('|')[1:-1]])

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
        self.assertEqual('\rimages: 1,000 objects\rimages: 20 objects   '
                         '\r' + ' ' * 18 + '\r', out.getvalue())

    def test_elsewhere(self) -> None:
        out = io.StringIO()
        progress = output.Progress(out)
        progress('images', 1000)
        progress.clear()
        self.assertEqual('', out.getvalue())
