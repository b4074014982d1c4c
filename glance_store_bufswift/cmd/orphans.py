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

"""``glance-bufswift orphans list`` and ``orphans delete``."""

import argparse
from collections.abc import Iterator
import datetime
from email import utils as mail
import itertools
import sys
from typing import Any

from glance_store_bufswift.cmd import config
from glance_store_bufswift.cmd import output
from glance_store_bufswift.cmd import status
from glance_store_bufswift import driver
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift import naming
from glance_store_bufswift.orphans import attempts
from glance_store_bufswift.orphans import sweep
from glance_store_bufswift import service
from glance_store_bufswift.swift import accounts

#: The least --min-age, in hours. Nothing younger is deleted, whatever is asked
#: for: a running upload gives no sign of life while it sends one segment.
MIN_HOURS = layout.MIN_ORPHAN_AGE / 3600

#: The greatest, ten years in hours, so that the date can always be computed.
MAX_HOURS = 24.0 * 3652

#: How far this host's clock may be from Swift's.
MAX_CLOCK_SKEW = datetime.timedelta(minutes=5)

#: The result for an orphan that is only listed, and in a dry run.
ORPHANED = 'orphaned'
DRY_RUN = 'would be deleted'

# Results after which an orphan is no longer there.
_GONE_RESULTS = (sweep.Outcome.DELETED.value, sweep.Outcome.GONE.value)

COLUMNS = {
    'store': 'Store',
    'container': 'Container',
    'prefix': 'Prefix',
    'segments': 'Segments',
    'bytes': 'Bytes',
    'newest': 'Newest',
}
RESULT = {'result': 'Result'}


def run(arguments: argparse.Namespace) -> int:
    """Find orphans, and delete them if that is asked for.

    :returns: WELL if there are none, or none left; IN_DOUBT if something that
        may be one is kept; FOUND; MISSING if a container does not exist
    :raises ConfigError: the configuration or the arguments can't be used
    :raises RequestFailed: Swift or Keystone did not do their part
    """
    _verify(arguments)
    conf = config.read(arguments.config_file, arguments.config_dir)
    names = config.backends(
        conf, arguments.backend, (driver.NAME, config.STOCK)
    )
    progress = output.Progress()
    orphans = Orphans(conf, arguments, progress)
    rows: list[output.Row] = []
    try:
        for name in names:
            for row in orphans.of_store(name):
                rows.append(row)
    except errors.RequestFailed:
        if rows and arguments.action == 'delete':
            _show(rows, arguments, progress)  # what is gone already
        raise
    finally:
        progress.clear()
    _show(rows, arguments, progress)
    for text in orphans.missing:
        print(f'glance-bufswift: {text}', file=sys.stderr)
    return _status(rows, orphans.missing)


def _verify(arguments: argparse.Namespace) -> None:
    if not MIN_HOURS <= arguments.min_age <= MAX_HOURS:
        raise errors.ConfigError(
            f'--min-age {arguments.min_age:g}: at least {MIN_HOURS:g} hour, '
            'so that a running upload is not taken for a dead one, and at '
            f'most {MAX_HOURS:g}'
        )
    output.choose(COLUMNS | RESULT, arguments.column)


def _status(rows: list[output.Row], missing: list[str]) -> int:
    if any(map(_in_doubt, rows)):
        return status.IN_DOUBT
    if any(row['result'] not in _GONE_RESULTS for row in rows):
        return status.FOUND
    return status.MISSING if missing else status.WELL


def _in_doubt(row: output.Row) -> bool:
    return str(row['result']).startswith(sweep.Outcome.DOUBT.value)


def _show(
    rows: list[output.Row],
    arguments: argparse.Namespace,
    progress: output.Progress,
) -> None:
    progress.clear()
    if arguments.quiet and not rows:
        return
    deleting = arguments.action == 'delete'
    with_result = deleting or any(map(_in_doubt, rows))
    columns = COLUMNS | (RESULT if with_result or arguments.column else {})
    output.show(
        rows, columns, arguments.format, arguments.column, wrap=list(RESULT)
    )
    if arguments.format == 'table' and not arguments.quiet:
        print(_summary(rows, deleting and not arguments.yes))


class Orphans:
    """The orphans of all stores, each once.

    :ivar missing: a sentence on each missing container

    :param conf: Glance's configuration
    :param arguments: of the command line
    :param progress: called with how far the listings have come
    """

    def __init__(
        self,
        conf: Any,
        arguments: argparse.Namespace,
        progress: output.Progress,
    ) -> None:
        self._conf = conf
        self._arguments = arguments
        self._progress = progress
        self._seen: set[tuple[str, str, str]] = set()
        self.missing: list[str] = []

    def of_store(self, name: str) -> Iterator[output.Row]:
        """One row for each orphan, after it was dealt with."""
        which = self._containers(name)
        user = service.ServiceUser(self._conf, name)
        self._progress.step(f'{name}: signing in at {user.auth_url}')
        with user.account(self._arguments.project) as account:
            url = account.client.url
            containers = self._existing(account, which)
            if not containers:
                self.missing.append(
                    f'Store {name}: there is no container {which.prefix}'
                    f'{"..." if which.many else ""} in {url}; it is '
                    'created with the first upload'
                )
                return
            before = now(account, containers[0]) - datetime.timedelta(
                hours=self._arguments.min_age
            )
            swept = sweep.Sweep(account, containers, before, self._progress)
            for orphan in swept.find():
                # Two stores may share a container.
                key = (
                    url,
                    orphan.attempt.container,
                    orphan.attempt.prefix,
                )
                if key not in self._seen:
                    self._seen.add(key)
                    yield _row(name, url, orphan.attempt) | {
                        'result': self._act(swept, orphan)
                    }

    def _containers(self, name: str) -> naming.StoreContainers:
        driver.prepare(self._conf, name)
        config.verify(self._conf, name)
        which = config.containers(self._conf, name)
        if which.multi_tenant and not self._arguments.project:
            raise errors.ConfigError(
                f'Store {name} is multi-tenant: set --project to the '
                'project whose account is searched, or --backend to other '
                'stores'
            )
        if self._arguments.project and not which.multi_tenant:
            raise errors.ConfigError(
                f'Store {name} is not multi-tenant, --project can not be '
                'used with it'
            )
        return which

    def _existing(
        self, account: accounts.Account, which: naming.StoreContainers
    ) -> list[str]:
        if not which.many:
            return (
                [which.name] if account.containers.exists(which.name) else []
            )
        try:
            return [
                name
                for name in account.containers.names(which.prefix)
                if which.has(name)
            ]
        except errors.RequestFailed as exc:
            if exc.status != 403 or not self._arguments.project:
                raise
            raise errors.ConfigError(
                f'{exc}; to look into the account of project '
                f'{self._arguments.project} the user needs the '
                "reseller_admin_role of Swift's filter keystoneauth, "
                'ResellerAdmin by default'
            ) from exc

    def _act(self, swept: sweep.Sweep, orphan: sweep.Orphan) -> str:
        """Do what was asked for with an orphan; returns the result."""
        if orphan.doubt:
            return str(sweep.SweepResult(sweep.Outcome.DOUBT, orphan.doubt))
        if self._arguments.action == 'list':
            return ORPHANED
        if not self._arguments.yes:
            return DRY_RUN
        return str(swept.delete(orphan))


def now(account: accounts.Account, container: str) -> datetime.datetime:
    """The time; this host and Swift have to agree on it.

    :raises ConfigError: they do not
    """
    here = datetime.datetime.now(datetime.timezone.utc)
    headers = account.containers.head(container) or {}
    try:
        there = mail.parsedate_to_datetime(headers['date'])
    except (KeyError, ValueError):
        return here
    if abs(there - here) > MAX_CLOCK_SKEW:
        raise errors.ConfigError(
            f'The clock of this host says {here:%Y-%m-%d %H:%M:%S} UTC, '
            f"Swift's {there:%Y-%m-%d %H:%M:%S}: how old a segment is "
            'can not be told; set the clock'
        )
    return min(here, there)


def _row(store: str, url: str, orphan: attempts.Attempt) -> dict[str, Any]:
    return {
        'store': store,
        'account': url.rpartition('/')[2],
        'container': orphan.container,
        'image': orphan.image,
        'prefix': orphan.prefix,
        'segments': orphan.segments,
        'bytes': orphan.size,
        'newest': orphan.newest,
    }


def _summary(rows: list[output.Row], dry_run: bool) -> str:
    if not rows:
        return 'No orphans.'
    kept = list(filter(_in_doubt, rows))
    orphaned = list(itertools.filterfalse(_in_doubt, rows))
    text = f'Orphaned: {_total(orphaned)}.'
    if kept:
        text += f' In doubt, and kept: {_total(kept)}.'
    return text + (
        ' Nothing was deleted: say --yes to delete them.'
        if dry_run and orphaned
        else ''
    )


def _total(rows: list[output.Row]) -> str:
    return (
        f'{sum(row["segments"] for row in rows):,} segments, '
        f'{sum(row["bytes"] for row in rows):,} bytes'
    )
