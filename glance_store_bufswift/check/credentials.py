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

"""User and key: in a file of accounts, or in the store's section."""

from collections.abc import Iterator
from collections.abc import Mapping
import configparser
from typing import Any

from glance_store_bufswift import account_file
from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding

SUBJECT = 'credentials'


def findings(
    given: Mapping[str, Any],
    path: str | None,
    reference: str,
    parser: configparser.ConfigParser,
) -> Iterator[Finding]:
    """Check where a store gets its account from.

    :param given: the values of the options that are set
    :param path: the file of swift_store_config_file, None if not set
    :param reference: default_swift_reference
    :param parser: one of glance_store's, with no file read yet
    """
    if given.get('swift_store_multi_tenant'):
        return
    if path is not None:
        yield from _in_file(path, reference, parser)
    elif ':' in given.get('swift_store_key', ''):
        yield finding.error(
            SUBJECT,
            'swift_store_key has a ":", and is a part of each '
            "image's location: the swift driver can not read images that are "
            'stored so, and this one stores none',
            'put user and key into a file that swift_store_config_file '
            'names, or take another key',
        )


def _in_file(
    path: str, reference: str, parser: configparser.ConfigParser
) -> Iterator[Finding]:
    try:
        account_file.verify(path, parser)
    except account_file.UnreadableAccountFile as exc:
        yield finding.error(SUBJECT, exc.found, exc.advice)
        return
    for account, name in account_file.quoted(parser):
        yield finding.warning(
            SUBJECT,
            f'[{account}] in {path}: the quotes round {name} do '
            'not count as a part of it',
            'remove them, or write a second '
            'pair round the value if they belong to it',
        )
    missing = account_file.missing(parser, reference)
    if missing:
        yield finding.error(
            SUBJECT,
            f'[{reference}] in {path} lacks {", ".join(missing)}',
            'add it, or set default_swift_reference to another account of '
            'the file',
        )
    else:
        yield finding.ok(SUBJECT, f'[{reference}] in {path} can be read')
