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

"""The arguments of ``glance-bufswift``, and their help."""

import argparse
from collections.abc import Sequence
from importlib import metadata
import re
import textwrap
from typing import Any
from typing import TypeAlias

import shtab

from glance_store_bufswift.cmd import check
from glance_store_bufswift.cmd import orphans
from glance_store_bufswift.cmd import output
from glance_store_bufswift.cmd import report
from glance_store_bufswift.cmd import status

PROGRAM = 'glance-bufswift'

_CHECK = """\
Check everything that a store needs before it goes live: its options, the
buffer directory, Keystone, Swift, and a small image on its way to Swift and
back. Each check prints a line, with what to change if something is wrong. No
request is retried.
"""
_ORPHANS = """\
Find segments in Swift that no image refers to. An upload leaves them if its
process is killed.
"""
_LIST = 'Show the orphans. Nothing is changed.'
_DELETE = """\
Delete the orphans. What may be in use is kept. Without --yes, only show what
would be deleted.
"""


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments of a command line.

    :param argv: None for those of the process
    :raises SystemExit: they can't be used, or only help is asked for
    """
    return parser().parse_args(argv)


def parser() -> argparse.ArgumentParser:
    """The parser of the arguments, with their help."""
    made = _Parser(
        prog=PROGRAM,
        epilog=_statuses(status.MEANING),
        description='For operators of Glance with a store in Swift.',
    )
    made.add_argument(
        '--version',
        action='version',
        version=metadata.version('glance_store_bufswift'),
    )
    shtab.add_argument_to(made, help='print a completion script and exit')
    commands = made.add_subparsers(required=True, metavar='COMMAND')
    _add_check(commands)
    actions = commands.add_parser(
        'orphans',
        help='segments that dead uploads left in Swift',
        description=_ORPHANS,
    ).add_subparsers(required=True, metavar='ACTION')
    _add_orphans(actions, 'list', 'show them', _LIST)
    delete = _add_orphans(actions, 'delete', 'delete them', _DELETE)
    delete.add_argument(
        '--yes',
        action='store_true',
        help='really delete; without it, only show what would be deleted',
    )
    return made


class _Parser(argparse.ArgumentParser):
    """Keeps the lines of descriptions, also in its commands' parsers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs['formatter_class'] = argparse.RawDescriptionHelpFormatter
        super().__init__(*args, **kwargs)


def _statuses(meaning: dict[int, str]) -> str:
    return 'exit statuses:\n' + '\n'.join(
        f'  {code}  {text}' for code, text in meaning.items()
    )


def _epilog(example: str, *codes: int) -> str:
    return (
        _statuses({code: status.MEANING[code] for code in codes})
        + '\n\nexample:\n'
        + textwrap.indent(example, '  ')
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f'{text} is not 1 or more')
    return int(text)


def _project(text: str) -> str:
    # It becomes a part of a URL.
    if not re.fullmatch('[0-9A-Za-z_-]+', text):
        raise argparse.ArgumentTypeError(f'{text} is not the id of a project')
    return text


_Commands: TypeAlias = 'argparse._SubParsersAction[Any]'


def _add_check(commands: _Commands) -> None:
    made = _add(
        commands,
        'check',
        'try a configuration before it goes live',
        _CHECK,
        (report.TEXT, *output.FORMS),
        _epilog(
            f'{PROGRAM} check --config-file new.conf',
            status.WELL,
            status.FOUND,
            status.USAGE,
        ),
    )
    made.set_defaults(run=check.run)
    _add_extent(made)
    made.add_argument(
        '--strict',
        action='store_true',
        help=f'exit with {status.FOUND} for a warning too',
    )


def _add_extent(made: argparse.ArgumentParser) -> None:
    """What says how much is checked."""
    made.add_argument(
        '--uploads',
        type=_count,
        default=4,
        metavar='N',
        help='uploads at a time that the buffer directory should have '
        'room for (default: %(default)s)',
    )
    made.add_argument(
        '--no-round-trip',
        dest='round_trip',
        action='store_false',
        help='do not upload, read and delete a small image',
    )
    made.add_argument(
        '--measure',
        action='store_true',
        help='measure how fast Swift is, and how fast this host hashes and '
        'writes: about 200 MB to Swift and back, in at most a minute; '
        'propose values for glance-api.conf',
    )


def _add_orphans(
    actions: _Commands, action: str, short: str, long: str
) -> argparse.ArgumentParser:
    made = _add(
        actions,
        action,
        short,
        long,
        output.FORMS,
        _epilog(f'{PROGRAM} orphans {action} --min-age 48', *status.MEANING),
    )
    made.set_defaults(run=orphans.run, action=action)
    made.add_argument(
        '--project',
        type=_project,
        metavar='ID',
        help='the project whose account is searched; for a store with '
        'swift_store_multi_tenant',
    )
    made.add_argument(
        '--min-age',
        type=float,
        default=24.0,
        metavar='HOURS',
        help='keep uploads with a sign of life in the last HOURS hours: '
        f'{orphans.MIN_HOURS:g} to {orphans.MAX_HOURS:g} '
        '(default: %(default)g)',
    )
    return made


def _add(
    commands: _Commands,
    name: str,
    short: str,
    long: str,
    forms: Sequence[str],
    epilog: str,
) -> argparse.ArgumentParser:
    """Add a command, with the options that all have.

    :param forms: what may be printed, the default first
    """
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=short, description=long, epilog=epilog
    )
    _add_stores(made)
    _add_output(made, forms)
    made.add_argument('--debug', action='store_true', help='log each step')
    return made


def _add_stores(made: argparse.ArgumentParser) -> None:
    """What says which stores a command is for."""
    file: Any = made.add_argument(
        '--config-file',
        action='append',
        default=[],
        metavar='PATH',
        help="Glance's configuration file; may be repeated (default: what "
        'glance-api reads)',
    )
    file.complete = shtab.FILE
    directory: Any = made.add_argument(
        '--config-dir',
        action='append',
        default=[],
        metavar='PATH',
        help='a directory of further configuration files; may be repeated',
    )
    directory.complete = shtab.DIRECTORY
    made.add_argument(
        '--backend',
        action='append',
        default=[],
        metavar='NAME',
        help='a store of enabled_backends; may be repeated (default: all '
        'that the command is for)',
    )


def _add_output(made: argparse.ArgumentParser, forms: Sequence[str]) -> None:
    """What says how much is printed, and in which form."""
    made.add_argument(
        '-f',
        '--format',
        choices=forms,
        default=forms[0],
        help='what is printed (default: %(default)s)',
    )
    made.add_argument(
        '-c',
        '--column',
        action='append',
        default=[],
        metavar='COLUMN',
        help='a column to print; may be repeated (default: all)',
    )
    made.add_argument(
        '-q',
        '--quiet',
        action='store_true',
        help='print only what needs attention',
    )
