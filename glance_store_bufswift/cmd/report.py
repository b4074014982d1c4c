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

"""What ``glance-bufswift check`` prints."""

import argparse
from collections.abc import Iterable
import dataclasses

from glance_store_bufswift.check import advice
from glance_store_bufswift.check import credentials
from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding
from glance_store_bufswift.check import table
from glance_store_bufswift.cmd import output
from glance_store_bufswift.cmd import plot

COLUMNS = {
    'store': 'Store',
    'subject': 'Subject',
    'result': 'Result',
    'found': 'Found',
    'advice': 'What to change',
}

#: Paragraphs, each printed as soon as it is known.
TEXT = 'text'

#: In place of a store's name, where a finding is about all of them.
ALL_STORES = '*'


class Report:
    """The findings: printed as they come, or as a table at the end.

    :ivar results: which results there were
    :ivar unusable: whether a store's credentials can't be used
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.results = set[finding.Result]()
        self.unusable = False
        self.progress = output.Progress()
        self._arguments = arguments
        self._rows: list[output.Row] = []

    def add(self, store: str, found: Iterable[Finding]) -> None:
        """Take the findings of a store."""
        for each in found:
            self.progress.clear()
            self.results.add(each.result)
            self.unusable |= (
                each.subject == credentials.SUBJECT
                and each.result is finding.Result.ERROR
            )
            if self._arguments.quiet and each.result is finding.Result.OK:
                continue
            if self._arguments.format == TEXT:
                print(
                    output.paragraph(
                        f'{store:8} {each.result.value:8} {each.subject:17} ',
                        each.found,
                        each.advice,
                    ),
                    flush=True,
                )
            else:
                self._rows.append(
                    {
                        'store': store,
                        **dataclasses.asdict(each),
                        'result': each.result.value,
                    }
                )

    def add_measured(self, measured: advice.MeasuredStore) -> None:
        """Take the figures of a store.

        As text they are a chart, with the proposals for glance-api.conf.
        """
        proposals = advice.proposals(measured)
        found = list(table.findings(measured, proposals))
        if self._arguments.format == TEXT:
            self.progress.clear()
            if not self._arguments.quiet:
                print(plot.of_store(measured, proposals), flush=True)
            found = [
                each for each in found if each.result is not finding.Result.OK
            ]
        self.add(measured.store, found)

    def end(self) -> None:
        """Print what was not printed yet."""
        self.progress.clear()
        if self._arguments.format != TEXT and not (
            self._arguments.quiet and not self._rows
        ):
            output.show(
                self._rows,
                COLUMNS,
                self._arguments.format,
                self._arguments.column,
                wrap=('found', 'advice'),
            )
