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

"""What the commands print: tables, JSON, progress on a terminal."""

from collections.abc import Mapping
from collections.abc import Sequence
import datetime
import json
import shutil
import sys
import textwrap
from typing import Any
from typing import TextIO

import prettytable

Row = Mapping[str, Any]


#: What a column that is wrapped has at least, on however narrow a terminal.
_LEAST_WIDTH = 20


def show(rows: Sequence[Row], columns: Mapping[str, str], form: str,
         wrap: Sequence[str] = ()) -> None:
    """Print rows to standard output.

    :param rows: each with the same keys; JSON shows all of them
    :param columns: the keys that a table shows, with their headings
    :param form: ``table`` or ``json``
    :param wrap: keys of columns that share what a terminal has left beside
        the others; those are to be copied from and are never broken
    """
    if form == 'json':
        print(json.dumps(rows, indent=2, default=_plain))
        return
    table = prettytable.PrettyTable(list(columns.values()))
    table.align = 'l'
    cells = [{key: _text(row[key]) for key in columns} for row in rows]
    if wrap and sys.stdout.isatty():
        _wrap(cells, columns, wrap)
    for row in cells:
        table.add_row(list(row.values()))
    print(table.get_string())


def _wrap(cells: Sequence[dict[str, str]], columns: Mapping[str, str],
          wrap: Sequence[str]) -> None:
    """Break the cells of some columns, so that the terminal has room."""
    # Each column has a border and two blanks, the table one border more.
    taken = 1 + 3 * len(columns) + sum(
        max(len(text) for text in [heading, *(row[key] for row in cells)])
        for key, heading in columns.items() if key not in wrap)
    left = shutil.get_terminal_size().columns - taken
    width = max(_LEAST_WIDTH, left // len(wrap))
    for row in cells:
        row.update((key, textwrap.fill(row[key], width)) for key in wrap)


def _plain(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec='seconds')
    return str(value)


def _text(value: Any) -> str:
    if isinstance(value, int):
        return f'{value:,}'
    return _plain(value)


class Progress:
    """One line that is written again and again, on a terminal only.

    :param stream: where to, standard error by default
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._width = 0

    def __call__(self, container: str, objects: int) -> None:
        """Tell how far a listing has come."""
        if self._shown:
            self._write(f'{container}: {objects:,} objects')

    def clear(self) -> None:
        """Take the line away, before something else is printed."""
        if self._width:
            self._write('')
            self._width = 0

    def _write(self, text: str) -> None:
        self._stream.write('\r' + text.ljust(self._width)
                           + ('' if text else '\r'))
        self._stream.flush()
        self._width = len(text)
