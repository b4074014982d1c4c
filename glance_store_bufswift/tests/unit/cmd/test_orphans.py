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

"""The time, on which Swift and this host have to agree."""

import argparse
import datetime
from email import utils

from oslotest import base

from glance_store_bufswift.cmd import orphans
from glance_store_bufswift import errors
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import containers
from glance_store_bufswift.swift import pool
from glance_store_bufswift.swift import retry

UTC = datetime.timezone.utc


class Containers(containers.Containers):
    """Answers with a date."""

    date: str | None = None

    def head(self, container: str) -> dict[str, str] | None:
        return {} if self.date is None else {'date': self.date}


def account(date: str | None) -> accounts.Account:
    """An account whose containers answer with a date."""
    made = accounts.Account(
        client.Client(pool.Endpoint('http://nowhere/a'), retry.Policy(0, 0))
    )
    made.containers = told = Containers(made.client)
    told.date = date
    return made


class TestAge(base.BaseTestCase):
    def test_ages_that_make_no_sense(self) -> None:
        for age in (
            'inf',
            '-inf',
            'nan',
            '1e300',
            '1e7',
            '87649',
            '0.9',
            '0',
            '-24',
        ):
            exc = self.assertRaises(
                errors.ConfigError,
                orphans.run,
                argparse.Namespace(min_age=float(age)),
            )
            self.assertIn(
                f'--min-age {float(age):g}: at least 1 hour', str(exc)
            )
            self.assertIn('at most 87648', str(exc))


class TestNow(base.BaseTestCase):
    def now(self, date: str | None) -> datetime.datetime:
        return orphans.now(account(date), 'images')

    def away(self, **delta: float) -> datetime.datetime:
        there = datetime.datetime.now(UTC) + datetime.timedelta(**delta)
        return self.now(utils.format_datetime(there, usegmt=False))

    def test_the_earlier_of_both(self) -> None:
        here = datetime.datetime.now(UTC)
        self.assertLess(self.away(minutes=-4), here)
        self.assertGreaterEqual(self.away(minutes=4), here)
        self.assertLess(
            self.away(minutes=4), here + datetime.timedelta(minutes=3)
        )

    def test_clocks_that_differ(self) -> None:
        for minutes in (-6, 6, 2000):
            self.assertRaises(errors.ConfigError, self.away, minutes=minutes)

    def test_no_date(self) -> None:
        here = datetime.datetime.now(UTC)
        for date in (None, '', 'today'):
            self.assertGreaterEqual(self.now(date), here)

    def test_as_swift_writes_it(self) -> None:
        self.assertRaises(
            errors.ConfigError, self.now, 'Tue, 24 Nov 2020 19:49:22 GMT'
        )
