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

"""The manual page, which is made of the parsers' help."""

import argparse
from collections.abc import Iterator
from pathlib import Path
import re

from oslotest import base

from glance_store_bufswift.cmd import arguments
from glance_store_bufswift.cmd import manual
from glance_store_bufswift.cmd import status

PAGE = Path(__file__).parents[4] / 'doc/source/admin/glance-bufswift.rst'


def parsers(
    parser: argparse.ArgumentParser,
) -> Iterator[argparse.ArgumentParser]:
    """A parser, and those of all commands below it."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from parsers(each)


class TestManual(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.text = manual.text(arguments.parser())

    def part(self, prog: str) -> str:
        """What is told of a command."""
        if prog == arguments.PROGRAM:
            return self.text.partition('\n---')[0]
        return self.text.partition(f'\n{prog}\n---')[2].partition('\n---')[0]

    def test_all_options(self) -> None:
        """Each option of each command, with its help."""
        found = 0
        for parser in parsers(arguments.parser()):
            options = [
                action for action in parser._actions if action.option_strings
            ]
            if parser.prog == 'glance-bufswift orphans':
                continue  # has no more than its commands
            terms = re.findall(
                r'^``(-.*?)``\n   (.+)', self.part(parser.prog), re.MULTILINE
            )
            self.assertEqual(
                [action.option_strings for action in options],
                [re.findall(r'(?<!\S)-[\w-]+', term) for term, _ in terms],
                parser.prog,
            )
            found += len(terms)
        self.assertLess(30, found)

    def test_all_commands(self) -> None:
        for prog in ('check', 'orphans', 'orphans list', 'orphans delete'):
            self.assertIn(f'\nglance-bufswift {prog}\n---', self.text)

    def test_help(self) -> None:
        """As argparse tells it: with the defaults, and what may be chosen."""
        self.assertNotIn('%(', self.text)
        part = self.part('glance-bufswift check')
        self.assertIn(
            '``--uploads N``\n   uploads at a time that the buffer '
            'directory should have room for (default: 4)\n',
            part,
        )
        self.assertIn('``-f, --format {text,table,value,json,csv}``\n', part)
        self.assertIn('Without ``--yes``, only show', self.text)

    def test_statuses_and_examples(self) -> None:
        for code, meaning in status.MEANING.items():
            self.assertIn(
                f'\n   {code}  {meaning}\n', self.part(arguments.PROGRAM)
            )
        self.assertIn(
            'Example::\n\n   glance-bufswift check --config-file new.conf\n',
            self.text,
        )

    def test_page_has_a_place_for_it(self) -> None:
        self.assertEqual(1, PAGE.read_text().count('\n.. commands\n'))
