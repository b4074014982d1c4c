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

from glance_store_bufswift.check import advice
from glance_store_bufswift.check import cloud
from glance_store_bufswift.check import credentials
from glance_store_bufswift.check import disk
from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding
from glance_store_bufswift.check import hashing
from glance_store_bufswift.check import host
from glance_store_bufswift.check import load
from glance_store_bufswift.check import options
from glance_store_bufswift.check import roundtrip
from glance_store_bufswift.check import together
from glance_store_bufswift.cmd import config
from glance_store_bufswift.cmd import files
from glance_store_bufswift.cmd import output
from glance_store_bufswift.cmd import report
from glance_store_bufswift.cmd import status
from glance_store_bufswift import driver
from glance_store_bufswift import errors
from glance_store_bufswift import opts
from glance_store_bufswift import precedence
from glance_store_bufswift import service

#: Seconds that a socket operation may take at most: an operator waits, perhaps
#: for a site that never answers.
CHECK_TIMEOUT = 10


def run(arguments: argparse.Namespace) -> int:
    """Check each store, and print each finding.

    :returns: USAGE if the configuration's credentials can't be used; FOUND for
        another error, or with --strict for a warning; else WELL
    :raises ConfigError: the arguments or the configuration can't be used
    """
    output.choose(report.COLUMNS, arguments.column)
    conf = config.read(arguments.config_file, arguments.config_dir)
    names = config.backends(conf, arguments.backend, (driver.NAME,))
    for name in names:
        driver.prepare(conf, name)
        config.verify(conf, name)
    checked = report.Report(arguments)
    try:
        checked.add(report.ALL_STORES, _of_all(conf, names))
        for name in names:
            store = _Store(conf, name, arguments, checked.progress)
            checked.add(name, store.findings())
            if arguments.measure:
                _measure(store, checked)
    finally:
        checked.end()
    bad = {finding.Result.ERROR}
    if arguments.strict:
        bad.add(finding.Result.WARNING)
    if checked.unusable:
        return status.USAGE
    return status.FOUND if checked.results & bad else status.WELL


def _measure(store: '_Store', checked: report.Report) -> None:
    """Measure a store, and report the figures."""
    try:
        measured = store.measure()
    except errors.RequestFailed as exc:
        checked.add(
            store.name,
            [
                finding.error(
                    'measure',
                    f'{exc}',
                    'see the lines above, and the log of Swift '
                    'by the transaction id',
                )
            ],
        )
        return
    if measured is not None:
        checked.add_measured(measured)


def _of_all(conf: Any, names: Iterable[str]) -> Iterator[Finding]:
    """Findings that are not about one store alone."""
    yield finding.ok(
        'configuration', 'read from ' + ', '.join(files.names(conf))
    )
    yield from hashing.findings(conf.hashing_algorithm)
    yield from together.findings(
        files.written(conf),
        conf.enabled_backends,
        {name: opts.settings_of(conf, name) for name in names},
    )


class _Store:
    """The checks of a store: as many as can run, whatever fails."""

    def __init__(
        self,
        conf: Any,
        name: str,
        arguments: argparse.Namespace,
        progress: output.Progress,
    ) -> None:
        self.name = name
        self._conf = conf
        self._user: service.ServiceUser | None = None
        self._arguments = arguments
        self._step = progress.step
        self._settings = opts.settings_of(conf, name)

    def findings(self) -> Iterator[Finding]:
        """Findings on this host, and then in Keystone and Swift."""
        given = self._given(options.LOOKED_AT)
        yield from options.findings(
            given,
            self._written(),
            options.known(self.name, driver.SingleTenantStore.OPTIONS),
        )
        account = list(
            credentials.findings(
                given,
                *config.account_reference(self._conf, self.name),
                driver.parser(),
            )
        )
        yield from account
        yield from disk.findings(
            self._settings,
            self._arguments.uploads,
            bool(
                given.get('swift_buffered_dir')
                or given.get('swift_upload_buffer_dir')
            ),
        )
        if not _has_error(account):
            yield from self._in_the_cloud()

    def _given(self, names: Iterable[str]) -> dict[str, Any]:
        """The values of those options that are set."""
        return {
            name: precedence.lookup(self._conf, self.name, name)
            for name in names
            if precedence.is_given(self._conf, self.name, name)
        }

    def _written(self) -> Mapping[str, Iterable[str]]:
        said = files.written(self._conf)
        return {
            group: said.get(group, {})
            for group in precedence.groups(self.name)
        }

    def _in_the_cloud(self) -> Iterator[Finding]:
        try:
            # An operator who waits for a check wants to see the first failure.
            user = service.ServiceUser(
                self._conf,
                self.name,
                retries=0,
                timeout=min(CHECK_TIMEOUT, self._settings.timeout),
            )
        except errors.ConfigError as exc:
            yield finding.error(
                credentials.SUBJECT,
                str(exc),
                'set swift_store_user, '
                'swift_store_key and swift_store_auth_address, or '
                'swift_store_config_file and default_swift_reference',
            )
            return
        self._step(f'{self.name}: signing in at {user.auth_url}')
        signed_in = list(cloud.sign_in(user))
        yield from signed_in
        if _has_error(signed_in):
            return
        self._user = user
        self._step(f'{self.name}: looking at Swift')
        yield from cloud.in_swift(
            user,
            config.containers(self._conf, self.name),
            self._settings,
            self._may_create(),
        )
        if self._arguments.round_trip:
            self._step(f'{self.name}: storing a small image')
            yield from roundtrip.findings(user)

    def _may_create(self) -> bool:
        return bool(
            precedence.lookup(
                self._conf, self.name, 'swift_store_create_container_on_put'
            )
        )

    def measure(self) -> advice.MeasuredStore | None:
        """Measure the site and this host, after findings().

        :returns: None without a sign-in
        :raises RequestFailed: it can't be measured, or something is left
        """
        if self._user is None:
            return None

        def step(text: str) -> None:
            self._step(f'{self.name}: measuring, {text}')

        algorithm = self._conf.hashing_algorithm
        hashes = host.measure(self._settings, algorithm, step)
        dest = self._user.dest()
        which = config.containers(self._conf, self.name)
        if which.multi_tenant:
            dest = dataclasses.replace(
                dest, container=f'{which.prefix}{dest.image}'
            )
        with self._user.account() as account:
            traffic = load.measure(account, dest, self._may_create(), step)
        return advice.MeasuredStore(
            self.name,
            self._settings,
            algorithm,
            self._arguments.uploads,
            disk.room(self._settings),
            traffic,
            hashes,
        )


def _has_error(found: Iterable[Finding]) -> bool:
    return any(each.result is finding.Result.ERROR for each in found)
