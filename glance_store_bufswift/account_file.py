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

"""The file of accounts, which swift_store_config_file names.

glance_store reads it for each operation. What its parser can't read ends
glance-api, or is ignored; this module says what to change.
"""

from collections.abc import Iterator
import configparser
import threading

from glance_store_bufswift import errors

#: Held while glance_store reads a file. One parser holds all files, so that an
#: account could come from another file that has the same name.
LOCK = threading.RLock()

#: The options of an account that glance_store reads.
OPTIONS = (
    'auth_address',
    'user',
    'key',
    'application_credential_id',
    'application_credential_secret',
    'project_name',
    'project_id',
    'project_domain_name',
    'project_domain_id',
    'user_domain_name',
    'user_domain_id',
    'auth_version',
)


class UnreadableAccountFile(errors.ConfigError):
    """The file can't be read.

    :ivar found: what is wrong, and where
    :ivar advice: what to change
    """

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(f'{found}: {advice}')
        self.found = found
        self.advice = advice


def verify(path: str, parser: configparser.ConfigParser) -> None:
    """Make sure that all of a file of accounts can be read.

    The parser's own errors quote the file, and so can reveal a password.

    :param parser: one of glance_store's, with no file read yet
    :raises UnreadableAccountFile: it can't
    """
    try:
        parser.read_string(_text(path), path)
    except configparser.Error as exc:
        raise UnreadableAccountFile(
            f'{path} is not understood in line {_line(exc)}',
            'write each option once as "name = value", below '
            'the [reference] of its account, which is there '
            'once',
        ) from None
    for reference, name in _options(parser):
        try:
            parser.get(reference, name)
        except configparser.InterpolationError:
            raise UnreadableAccountFile(
                f'[{reference}] in {path}: {name} has a "%" by itself',
                'write %% for each %',
            ) from None
        except ValueError:
            raise UnreadableAccountFile(
                f'[{reference}] in {path}: {name} begins with a quote that '
                'is not closed',
                'remove the quote; if it belongs to the '
                'value, put the value into quotes of the other kind',
            ) from None


def quoted(parser: configparser.ConfigParser) -> Iterator[tuple[str, str]]:
    """Reference and name of each option whose value is in quotes.

    The parser takes the quotes away.
    """
    for reference, name in _options(parser):
        raw = configparser.RawConfigParser.get(
            parser, reference, name, raw=True
        )
        if raw[:1] in ('"', "'"):
            yield reference, name


def missing(parser: configparser.ConfigParser, reference: str) -> list[str]:
    """The options that an account needs and lacks."""
    password, application = (
        [
            name
            for name in ('auth_address', *names)
            if not parser.has_option(reference, name)
        ]
        for names in (
            ('user', 'key'),
            ('application_credential_id', 'application_credential_secret'),
        )
    )
    return application and password


def _text(path: str) -> str:
    try:
        with open(path) as file:
            text = file.read()
    except OSError as exc:
        raise UnreadableAccountFile(
            f'{path} can not be read: {exc.strerror}',
            'correct swift_store_config_file, or have the user of glance-api '
            'read it',
        ) from exc
    except UnicodeDecodeError as exc:
        raise UnreadableAccountFile(
            f'{path} is not text in {exc.encoding}', 'save it as UTF-8'
        ) from None
    if text.startswith('\ufeff'):
        raise UnreadableAccountFile(
            f'{path} begins with a byte order mark',
            'save it as UTF-8 without one',
        ) from None
    return text


def _line(exc: Exception) -> int | str:
    """The number of the line that a parser's error is about."""
    lines = [line for line, _ in getattr(exc, 'errors', ())]
    return lines[0] if lines else getattr(exc, 'lineno', '(unknown)')


def _options(parser: configparser.ConfigParser) -> Iterator[tuple[str, str]]:
    for reference in parser.sections():
        for name in OPTIONS:
            if parser.has_option(reference, name):
                yield reference, name
