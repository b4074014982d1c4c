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
from collections.abc import Mapping
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
from glance_store_bufswift.check import together
from glance_store_bufswift.cmd import config
from glance_store_bufswift.cmd import files
from glance_store_bufswift.cmd import output
from glance_store_bufswift.cmd import status
from glance_store_bufswift import driver
from glance_store_bufswift import errors
from glance_store_bufswift import opts
from glance_store_bufswift import precedence
from glance_store_bufswift import service

COLUMNS = {'store': 'Store', 'subject': 'Subject', 'result': 'Result',
           'found': 'Found', 'advice': 'What to change'}

#: Paragraphs, each printed as soon as it is known.
TEXT = 'text'

#: Seconds that a site which does not answer may take, a row.
PATIENCE = 10

#: In place of a store's name, where a finding is about all of them.
ALL = '*'


def run(arguments: argparse.Namespace) -> int:
    """Look at each store, and tell each finding.

    :returns: USAGE if nobody can sign in with the configuration; FOUND for
        another error, and if strict for a warning; else WELL
    :raises ConfigError: the arguments or the configuration can't be used
    """
    output.choose(COLUMNS, arguments.column)
    conf = config.read(arguments.config_file, arguments.config_dir)
    names = config.backends(conf, arguments.backend, (driver.NAME,))
    for name in names:
        driver.prepare(conf, name)
        config.verify(conf, name)
    report = _Report(arguments)
    try:
        report.add(ALL, _of_all(conf, names))
        for name in names:
            report.add(name, _Store(conf, name, arguments,
                                    report.progress).findings())
    finally:
        report.end()
    bad = {finding.Result.ERROR}
    if arguments.strict:
        bad.add(finding.Result.WARNING)
    if report.unusable:
        return status.USAGE
    return status.FOUND if report.results & bad else status.WELL


class _Report:
    """The findings: told as they come, or as a table at the end.

    :ivar results: what there was among them
    :ivar unusable: whether a store's credentials are none
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
            self.unusable |= (each.subject == accounts.SUBJECT
                              and each.result is finding.Result.ERROR)
            if self._arguments.quiet and each.result is finding.Result.OK:
                continue
            if self._arguments.format == TEXT:
                print(output.paragraph(
                    f'{store:8} {each.result.value:8} {each.subject:17} ',
                    each.found, each.advice), flush=True)
            else:
                self._rows.append({
                    'store': store, **dataclasses.asdict(each),
                    'result': each.result.value})

    def end(self) -> None:
        """Print what was not printed yet."""
        self.progress.clear()
        if self._arguments.format != TEXT and not (
                self._arguments.quiet and not self._rows):
            output.show(self._rows, COLUMNS, self._arguments.format,
                        self._arguments.column, wrap=('found', 'advice'))


def _of_all(conf: Any, names: Iterable[str]) -> Iterator[Finding]:
    """What is not about one store alone."""
    yield finding.ok('configuration', 'read from '
                     + ', '.join(files.names(conf)))
    yield from hashing.findings(conf.hashing_algorithm)
    yield from together.findings(
        files.written(conf), conf.enabled_backends,
        {name: opts.settings_of(conf, name) for name in names})


class _Store:
    """Everything that can be told of a store, the rest failing or not."""

    def __init__(self, conf: Any, name: str, arguments: argparse.Namespace,
                 progress: output.Progress) -> None:
        self._conf = conf
        self._name = name
        self._arguments = arguments
        self._step = progress.step
        self._settings = opts.settings_of(conf, name)

    def findings(self) -> Iterator[Finding]:
        """What is found here, and then in Keystone and Swift."""
        given = self._given(options.LOOKED_AT)
        yield from options.findings(
            given, self._written(),
            options.known(self._name, driver.SingleTenantStore.OPTIONS))
        account = list(accounts.findings(
            given, *config.account(self._conf, self._name), driver.parser()))
        yield from account
        yield from buffers.findings(
            self._settings, self._arguments.uploads,
            bool(given.get('swift_buffered_dir')
                 or given.get('swift_upload_buffer_dir')))
        if not _has_error(account):
            yield from self._in_the_cloud()

    def _given(self, names: Iterable[str]) -> dict[str, Any]:
        """The values of those options that somebody has set."""
        return {name: precedence.lookup(self._conf, self._name, name)
                for name in names
                if precedence.is_given(self._conf, self._name, name)}

    def _written(self) -> Mapping[str, Iterable[str]]:
        said = files.written(self._conf)
        return {group: said.get(group, {})
                for group in precedence.groups(self._name)}

    def _in_the_cloud(self) -> Iterator[Finding]:
        try:
            # Who waits for a check wants to hear of the first failure.
            user = service.Service(
                self._conf, self._name, retries=0,
                timeout=min(PATIENCE, self._settings.timeout))
        except errors.ConfigError as exc:
            yield finding.error(
                accounts.SUBJECT, str(exc), 'set swift_store_user, '
                'swift_store_key and swift_store_auth_address, or '
                'swift_store_config_file and default_swift_reference')
            return
        self._step(f'{self._name}: signing in at {user.auth_url}')
        signed_in = list(cloud.sign_in(user))
        yield from signed_in
        if _has_error(signed_in):
            return
        self._step(f'{self._name}: looking at Swift')
        yield from cloud.in_swift(
            user, config.containers(self._conf, self._name), self._settings,
            precedence.lookup(self._conf, self._name,
                              'swift_store_create_container_on_put'))
        if self._arguments.round_trip:
            self._step(f'{self._name}: storing a small image')
            yield from roundtrip.findings(user)


def _has_error(found: Iterable[Finding]) -> bool:
    return any(each.result is finding.Result.ERROR for each in found)
