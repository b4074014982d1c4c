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

"""``glance-bufswift check``."""

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
from typing import Any

from glance_store_bufswift.check import accounts
from glance_store_bufswift.check import buffers
from glance_store_bufswift.check import cloud
from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding
from glance_store_bufswift.check import hashing
from glance_store_bufswift.check import options
from glance_store_bufswift.check import roundtrip
from glance_store_bufswift.cmd import config
from glance_store_bufswift.cmd import output
from glance_store_bufswift import driver
from glance_store_bufswift import errors
from glance_store_bufswift import opts
from glance_store_bufswift import precedence
from glance_store_bufswift import service

COLUMNS = {'store': 'Store', 'subject': 'Subject', 'result': 'Result',
           'found': 'Found', 'advice': 'What to change'}


def run(arguments: argparse.Namespace) -> int:
    """Look at each store, and print a line for each finding.

    :returns: 1 for an error, and if strict for a warning, else 0
    :raises ConfigError: the configuration can't be read
    """
    conf = config.read(arguments.config_file, arguments.config_dir)
    rows: list[output.Row] = []
    worst = set[finding.Result]()
    for name in config.backends(conf, arguments.backend, (driver.NAME,)):
        for found in _of_store(conf, name, arguments):
            worst.add(found.result)
            rows.append({'store': name, **dataclasses.asdict(found),
                         'result': found.result.value})
    output.show(rows, COLUMNS, arguments.format, wrap=('found', 'advice'))
    bad = {finding.Result.ERROR}
    if arguments.strict:
        bad.add(finding.Result.WARNING)
    return int(bool(worst & bad))


def _of_store(conf: Any, name: str,
              arguments: argparse.Namespace) -> Iterator[Finding]:
    """Everything that can be told of a store, the rest failing or not."""
    driver.prepare(conf, name)
    given = precedence.given(conf, name, options.LOOKED_AT)
    yield from options.findings(
        given, precedence.written(conf, name),
        opts.known(name, driver.SingleTenantStore.OPTIONS))
    yield from hashing.findings(conf.hashing_algorithm)
    account = list(accounts.findings(
        given, *config.account(conf, name), driver.parser()))
    yield from account
    settings = opts.settings_of(conf, name)
    yield from buffers.findings(settings, arguments.uploads)
    if _has_error(account):
        return
    # Who waits at a terminal wants no patience.
    conf.set_override('swift_buffered_retries', 0, group=name)
    try:
        user = service.Service(conf, name)
    except errors.ConfigError as exc:
        yield finding.error(
            'credentials', str(exc), 'set swift_store_user, swift_store_key '
            'and swift_store_auth_address, or swift_store_config_file and '
            'default_swift_reference')
        return
    signed_in = list(cloud.sign_in(user))
    yield from signed_in
    if _has_error(signed_in):
        return
    yield from cloud.in_swift(
        user, config.containers(conf, name), settings,
        precedence.lookup(conf, name, 'swift_store_create_container_on_put'))
    if arguments.round_trip:
        yield from roundtrip.findings(user)


def _has_error(found: Iterable[Finding]) -> bool:
    return any(each.result is finding.Result.ERROR for each in found)
