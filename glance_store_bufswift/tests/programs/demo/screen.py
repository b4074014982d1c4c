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

"""What the demo prints: a progress bar or plain lines, and a table."""

from collections.abc import Sequence
import shutil
import textwrap
import threading
from types import TracebackType
from typing import Any
from typing import Protocol
from typing import TextIO

import tqdm

from glance_store_bufswift.tests.programs.demo import plan as plans

WIDTH = 79
MIB = 1 << 20

#: The columns of the table: words, then the drivers; an MD5 has 32 digits.
_COLUMNS = (17, 33, 12, 17)


class Progress(Protocol):
    """How far an upload is."""

    def __enter__(self) -> 'Progress':
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, complete or not."""

    def advance(self, count: int) -> None:
        """So many more bytes were read."""

    def note(self, line: str) -> None:
        """Say what has just happened."""


class Bar:
    """A progress bar on a terminal, notes above it."""

    def __init__(self, out: TextIO, title: str, total: int) -> None:
        # Its defaults are a thread and a lock for several processes.
        tqdm.tqdm.monitor_interval = 0
        tqdm.tqdm.set_lock(threading.RLock())
        self._bar: Any = tqdm.tqdm(
            total=total,
            desc=title,
            file=out,
            unit='B',
            unit_scale=True,
            unit_divisor=1024,
            miniters=1,
            ncols=min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns),
            bar_format='{desc:<17}{percentage:3.0f} % {bar} '
            '{n_fmt:>5} {elapsed}',
        )
        self._out = out

    def __enter__(self) -> 'Bar':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def advance(self, count: int) -> None:
        self._bar.update(count)

    def note(self, line: str) -> None:
        self._bar.write(f'    {line}', file=self._out)


class Lines:
    """Plain lines, one for each quarter."""

    def __init__(self, out: TextIO, title: str, total: int) -> None:
        self._out = out
        self._title = title
        self._total = total
        self._count = 0

    def __enter__(self) -> 'Lines':
        print(self._title, file=self._out, flush=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def advance(self, count: int) -> None:
        before = self._count * 4 // self._total
        self._count += count
        quarters = self._count * 4 // self._total
        if quarters > before:
            self.note(f'{quarters * 25} % read, {self._count / MIB:,.0f} MiB')

    def note(self, line: str) -> None:
        print(f'    {line}', file=self._out, flush=True)


class Screen:
    """Where the demo prints.

    :param out: a terminal or anything else
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._terminal = out.isatty()

    def say(self, word: str, text: str, end: str = '\n') -> None:
        """Text in a line of its own, unless `end` says otherwise."""
        print(f'{word:<17}{text}', file=self._out, flush=True, end=end)

    def add(self, text: str = '') -> None:
        """End the line."""
        print(text, file=self._out, flush=True)

    def progress(self, title: str, total: int) -> Progress:
        """The progress of an upload of so many bytes."""
        if self._terminal:
            return Bar(self._out, title, total)
        return Lines(self._out, title, total)

    def paragraph(self, word: str, text: str) -> None:
        """Text of any length, with a word before its first line."""
        print(
            textwrap.fill(
                f'{word:<17}{text}',
                WIDTH,
                subsequent_indent=' ' * 17,
                break_on_hyphens=False,
            ),
            file=self._out,
            flush=True,
        )

    def table(self, outcomes: Sequence[plans.Outcome], md5: str) -> None:
        """What became of the image, a column for each driver."""
        for row in rows(outcomes, md5):
            cells = [
                f'{cell:>{width}}'
                for cell, width in zip(row[1:], _COLUMNS[1:], strict=False)
            ]
            print(f'{row[0]:<{_COLUMNS[0]}}' + ''.join(cells), file=self._out)


def rows(outcomes: Sequence[plans.Outcome], md5: str) -> list[list[str]]:
    """The cells of the table; '-' where there is nothing to tell."""

    def row(name: str, values: Sequence[object]) -> list[str]:
        return [
            name,
            *(
                '-'
                if value is None
                else f'{value:,}'
                if isinstance(value, int)
                else str(value)
                for value in values
            ),
        ]

    every = list(outcomes)
    return [
        row('', [each.driver for each in every]),
        row(
            'result', ['failed' if each.error else 'stored' for each in every]
        ),
        row('bytes read', [each.read for each in every]),
        row('bytes stored', [each.size for each in every]),
        row('segments stored', [each.segments for each in every]),
        row('retries', [each.retries for each in every]),
        row('bytes buffered', [each.buffered for each in every]),
        row('seconds', [f'{each.seconds:.1f}' for each in every]),
        row('objects left *', [len(each.left) for each in every]),
        row('MD5 sent', [None if each.error else md5 for each in every]),
        row('MD5 read back', [each.md5_read for each in every]),
    ]
