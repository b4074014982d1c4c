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

"""The parsers' help as reStructuredText, for the manual page."""

import argparse
from collections.abc import Iterator
import re
import textwrap


def text(parser: argparse.ArgumentParser) -> str:
    """All commands below a parser, each with its options."""
    return '\n'.join(_of(parser, top=True))


def _of(parser: argparse.ArgumentParser, top: bool = False) -> Iterator[str]:
    below = [
        each
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for each in action.choices.values()
    ]
    if not top:
        yield from (
            parser.prog,
            '-' * len(parser.prog),
            '',
            _literal((parser.description or '').strip()),
            '',
        )
    # A parser that only has subcommands has no options of its own.
    if top or not below:
        yield from (f'``{_usage(parser)}``', '')
        for action in parser._actions:
            yield from _option(action)
    yield from _epilog(parser)
    for each in below:
        yield from _of(each)


def _epilog(parser: argparse.ArgumentParser) -> Iterator[str]:
    for part in (parser.epilog or '').split('\n\n'):
        title, _, lines = part.partition('\n')
        if lines:
            yield from (
                f'{title.rstrip(":").capitalize()}::',
                '',
                textwrap.indent(textwrap.dedent(lines), '   '),
                '',
            )


def _usage(parser: argparse.ArgumentParser) -> str:
    return ' '.join(parser.format_usage().split()).removeprefix('usage: ')


def _option(action: argparse.Action) -> Iterator[str]:
    """An option as a term, with its help as argparse prints it."""
    if not action.option_strings:
        return
    value = ''
    if action.choices is not None:
        value = ' {' + ','.join(map(str, action.choices)) + '}'
    elif action.nargs != 0:
        value = f' {action.metavar}'
    names = ', '.join(action.option_strings)
    text = (action.help or '') % vars(action)
    yield from (f'``{names}{value}``', f'   {_literal(text)}', '')


def _literal(text: str) -> str:
    """Mark a text's options, whose "--" Sphinx would take for a dash."""
    return re.sub(r'(?<!\S)(--[a-z-]+)', r'``\1``', text)
