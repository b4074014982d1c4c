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

"""Arguments and exit codes of ``glance-bufswift``."""

import argparse
from collections.abc import Sequence
import re
import sys

from glance_store_bufswift.cmd import check
from glance_store_bufswift.cmd import config
from glance_store_bufswift.cmd import orphans
from glance_store_bufswift import errors

#: Exit codes for scripts.
WELL, FOUND, USAGE, FAILED = range(4)
IN_DOUBT = orphans.IN_DOUBT

_EPILOG = """\
exit codes:
  0  all is well: no orphans (left), no errors found
  1  orphans were found or are left, or the check found an error
  2  the arguments or the configuration can't be used
  3  Swift or Keystone failed: what was asked for is not known
  4  orphans: something is kept, as it is in doubt whether it is in use
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the entry point of the console script.

    :param argv: the arguments, those of the process by default
    :returns: an exit code
    """
    arguments = _parser().parse_args(argv)
    config.set_logging_up(arguments.debug)
    try:
        return int(arguments.run(arguments))
    except errors.ConfigError as exc:
        return _fail(exc, USAGE)
    except errors.BufswiftError as exc:
        return _fail(exc, FAILED)
    except KeyboardInterrupt:
        return 130  # as a shell tells of SIGINT


def _fail(exc: Exception, code: int) -> int:
    print(f'glance-bufswift: {exc}', file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='glance-bufswift', epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description='For operators of Glance with a store in Swift.')
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    _add_check(commands)
    actions = commands.add_parser(
        'orphans', help='segments that dead uploads left in Swift'
    ).add_subparsers(required=True, metavar='ACTION')
    _add_orphans(actions, 'list', 'show them')
    delete = _add_orphans(actions, 'delete', 'delete them')
    delete.add_argument(
        '--yes', action='store_true',
        help='really delete; without it only tell what would be deleted')
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f'{text} is not 1 or more')
    return int(text)


def _project(text: str) -> str:
    # It becomes a part of a URL.
    if not re.fullmatch('[0-9A-Za-z_-]+', text):
        raise argparse.ArgumentTypeError(f'{text} is not the id of a project')
    return text


def _add_check(commands: 'argparse._SubParsersAction[argparse.ArgumentParser]'
               ) -> None:
    parser = _add(commands, 'check',
                  'try a configuration before it goes live')
    parser.set_defaults(run=check.run)
    parser.add_argument(
        '--uploads', type=_count, default=4, metavar='N',
        help='uploads at a time that the buffer directory is to have room '
             'for (default: %(default)s)')
    parser.add_argument(
        '--no-round-trip', dest='round_trip', action='store_false',
        help='do not upload, read and delete a small image')
    parser.add_argument(
        '--strict', action='store_true',
        help='exit with 1 for a warning too')


def _add_orphans(
        actions: 'argparse._SubParsersAction[argparse.ArgumentParser]',
        action: str, text: str) -> argparse.ArgumentParser:
    parser = _add(actions, action, text)
    parser.set_defaults(run=orphans.run, action=action)
    parser.add_argument(
        '--project', type=_project, metavar='ID',
        help="the project whose account is looked through; for a store with "
             'swift_store_multi_tenant')
    parser.add_argument(
        '--min-age', type=float, default=24.0, metavar='HOURS',
        help='leave attempts alone whose last sign of life is younger: '
             f'{orphans.LEAST_AGE:g} to {orphans.MOST_AGE:g} '
             '(default: %(default)g)')
    return parser


def _add(commands: 'argparse._SubParsersAction[argparse.ArgumentParser]',
         name: str, text: str) -> argparse.ArgumentParser:
    """Add a command, with the options that all have."""
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument(
        '--config-file', action='append', default=[], metavar='PATH',
        help="Glance's configuration file; may be repeated (default: the "
             'glance-api.conf that glance-api itself finds)')
    parser.add_argument(
        '--config-dir', action='append', default=[], metavar='PATH',
        help='a directory of further configuration files; may be repeated')
    parser.add_argument(
        '--backend', action='append', default=[], metavar='NAME',
        help='a store of enabled_backends; may be repeated (default: all '
             'that the command is for)')
    parser.add_argument(
        '--format', choices=('table', 'json'), default='table',
        help='what is printed (default: %(default)s)')
    parser.add_argument(
        '--debug', action='store_true', help='log each step')
    return parser


if __name__ == '__main__':
    sys.exit(main())
