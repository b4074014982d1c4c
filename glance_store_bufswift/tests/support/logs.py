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

"""What is logged while a test runs."""

import logging
import sys
import traceback
from typing import Any

import fixtures
from oslotest import base
from oslotest import log
import testtools
from testtools import content


class _Sink(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        record.handled = sys.exc_info()[1]
        self._records.append(record)


class Records(fixtures.Fixture):
    """All log records of all loggers, from DEBUG up.

    :ivar all: the records, oldest first
    """

    def _setUp(self) -> None:
        self.all: list[logging.LogRecord] = []
        # The runner keeps each test to its own end, and tracebacks keep much.
        self.addCleanup(self.clear)
        handler = _Sink(self.all)
        root = logging.getLogger()
        self.addCleanup(root.setLevel, root.level)
        self.addCleanup(root.removeHandler, handler)
        root.setLevel(logging.DEBUG)
        root.addHandler(handler)

    def of(self, level: int) -> list[str]:
        """Our own messages of a level, oldest first."""
        return [
            record.getMessage()
            for record in self.all
            if record.levelno == level
            and record.name.startswith('glance_store_bufswift.')
        ]

    def doubled(self) -> list[str]:
        """Our warnings to which oslo.log adds an error that they don't tell.

        It does so while one is handled (oslo_log.formatters,
        _get_error_summary()).
        """
        return [
            record.getMessage()
            for record in self.all
            if record.levelno >= logging.WARNING
            and not record.exc_info
            and getattr(record, 'handled', None) is not None
            and record.name.startswith('glance_store_bufswift.')
        ]

    def clear(self) -> None:
        """Forget what was logged so far."""
        self.all.clear()


class ToldOnFailure(fixtures.Fixture):
    """What oslotest captures of the log, written out only if a test fails.

    Otherwise 80 MB go through a run's pipes into its results.

    :param test: whose log it is
    """

    def __init__(self, test: testtools.TestCase) -> None:
        super().__init__()
        self._test = test

    def _setUp(self) -> None:
        # Nor is it for others, as is the case with oslotest's.
        self.useFixture(fixtures.MonkeyPatch('logging.root.handlers', []))
        self._records = self.useFixture(Records())
        self._test.addOnException(self._tell)

    def _tell(self, error: Any) -> None:
        form = logging.Formatter(log.ConfigureLogging.DEFAULT_FORMAT)
        lines = [form.format(record) for record in self._records.all]
        self._test.addDetail(
            'pythonlogging', content.text_content('\n'.join(lines))
        )


class TestCase(base.BaseTestCase):
    """A test whose log is told if it fails."""

    def _fake_logs(self) -> None:
        if log.ConfigureLogging().capture_logs:
            self.useFixture(ToldOnFailure(self))
        else:
            super()._fake_logs()


def words(line: str) -> dict[str, str]:
    """What a line tells scripts: the words key=value behind its last bar."""
    return dict(
        word.split('=', 1) for word in line.rpartition(' | ')[2].split()
    )


def text_of(record: logging.LogRecord) -> str:
    """A record's message, with the traceback if there is one."""
    lines = [record.getMessage()]
    if record.exc_info:
        lines += traceback.format_exception(*record.exc_info)
    return ''.join(lines)
