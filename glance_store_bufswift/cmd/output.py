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

"""What the commands print: rows in several forms, progress on a terminal."""

from collections.abc import Mapping
from collections.abc import Sequence
import csv
import datetime
import json
import shutil
import sys
import textwrap
from typing import Any
from typing import TextIO

import prettytable

from glance_store_bufswift import errors

Row = Mapping[str, Any]

#: The forms that the clients of OpenStack have too (cliff's formatters).
FORMS = ('table', 'value', 'json', 'csv')

# Least width, in characters, of a column that is wrapped on a narrow terminal.
_MIN_WIDTH = 20


def choose(
    columns: Mapping[str, str], wanted: Sequence[str]
) -> Mapping[str, str]:
    """The columns that are asked for, in that order; all of them if none is.

    :param columns: all that there are: their keys, with their headings
    :param wanted: keys or headings
    :raises ConfigError: there is no such column
    """
    by_name = {
        name.lower(): key
        for key, heading in columns.items()
        for name in (heading, key)
    }
    chosen = {}
    for name in wanted:
        if name.lower() not in by_name:
            raise errors.ConfigError(
                f'There is no column {name}: choose from {", ".join(columns)}'
            )
        key = by_name[name.lower()]
        chosen[key] = columns[key]
    return chosen or columns


def show(
    rows: Sequence[Row],
    columns: Mapping[str, str],
    form: str,
    chosen: Sequence[str] = (),
    wrap: Sequence[str] = (),
) -> None:
    """Print rows to standard output.

    :param rows: each with the same keys; JSON shows all of them, unless
        columns are chosen
    :param columns: the keys that are shown, with their headings
    :param form: one of FORMS
    :param chosen: keys or headings of the columns to show; empty = all
    :param wrap: keys of columns that share the width that the others leave;
        the others are never broken, so that they can be copied
    :raises ConfigError: a chosen column does not exist
    """
    shown = choose(columns, chosen)
    if form == 'json':
        keys = list(shown) if chosen else None
        print(
            json.dumps(
                [{key: row[key] for key in keys or row} for row in rows],
                indent=2,
                default=_plain,
            )
        )
    elif form == 'csv':
        writer = csv.writer(sys.stdout, lineterminator='\n')
        writer.writerow(shown.values())
        writer.writerows([_plain(row[key]) for key in shown] for row in rows)
    elif form == 'value':
        for row in rows:
            print(*(_plain(row[key]) for key in shown))
    else:
        _table(rows, shown, [key for key in wrap if key in shown])


def _table(
    rows: Sequence[Row], columns: Mapping[str, str], wrap: Sequence[str]
) -> None:
    table = prettytable.PrettyTable(list(columns.values()))
    table.align = 'l'
    cells = [{key: _text(row[key]) for key in columns} for row in rows]
    if wrap and sys.stdout.isatty():
        _wrap(cells, columns, wrap)
    for row in cells:
        table.add_row(list(row.values()))
    print(table.get_string())


def _wrap(
    cells: Sequence[dict[str, str]],
    columns: Mapping[str, str],
    wrap: Sequence[str],
) -> None:
    """Wrap the cells of some columns, so that the table fits the terminal."""
    widths = {
        key: max(len(text) for text in [heading, *(row[key] for row in cells)])
        for key, heading in columns.items()
    }
    # Each column has a border and two blanks, the table one border more.
    left = (
        shutil.get_terminal_size().columns
        - 1
        - 3 * len(columns)
        - sum(width for key, width in widths.items() if key not in wrap)
    )
    # A column that needs less than its share leaves the rest to the others.
    for place, key in enumerate(sorted(wrap, key=widths.__getitem__)):
        width = min(widths[key], max(_MIN_WIDTH, left // (len(wrap) - place)))
        left -= width
        for row in cells:
            row[key] = _fill(row[key], width)


def _fill(text: str, width: int, first: str = '', then: str = '') -> str:
    """Break a text only at blanks, so that names can be copied.

    :param first: what the first line begins with
    :param then: what the others begin with
    """
    return textwrap.fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )


def paragraph(label: str, text: str, advice: str = '') -> str:
    """A text as wide as the terminal, indented below its label."""
    width = max(2 * _MIN_WIDTH, shutil.get_terminal_size().columns)
    if not sys.stdout.isatty():
        width = sys.maxsize
    indent = ' ' * len(label)
    lines = [_fill(text, width, label, indent)]
    if advice:
        lines.append(_fill(advice, width, f'{indent}-> ', f'{indent}   '))
    return '\n'.join(lines)


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

    :param stream: where it is written, standard error by default
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._width = 0

    def __call__(self, container: str, objects: int) -> None:
        """Show how far a listing has come."""
        self.step(f'{container}: {objects:,} objects')

    def step(self, text: str) -> None:
        """Show what is done now."""
        if self._shown:
            self._write(text)

    def clear(self) -> None:
        """Take the line away, before something else is printed."""
        if self._width:
            self._write('')
            self._width = 0

    def _write(self, text: str) -> None:
        self._stream.write(
            '\r' + text.ljust(self._width) + ('' if text else '\r')
        )
        self._stream.flush()
        self._width = len(text)
