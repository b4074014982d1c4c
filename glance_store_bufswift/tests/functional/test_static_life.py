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

"""Images that are Static Large Objects: other readers, deletion, sweeps."""

import datetime
import os
from pathlib import Path
import subprocess
import sys

import fixtures
from glance_store import exceptions

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import commands
from glance_store_bufswift.tests.functional import deletes
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import replicated
from glance_store_bufswift.tests.support import fresh
from glance_store_bufswift.tests.support import stores as made_stores
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT
SIZE = 2 * SEGMENT + 300_000
STATIC = {'swift_buffered_manifest': 'slo', 'swift_buffered_retries': 2}


def fresh_info(test: base.TestCase) -> None:
    """Forget what other tests' sites said of themselves."""
    test.useFixture(fresh.Info())


class TestReaders(base.TestCase):
    """Others read and delete the image as any of the kind."""

    shares_tokens = True

    options = STATIC

    def setUp(self) -> None:
        super().setUp()
        fresh_info(self)
        self.data = streams.image(SIZE)
        self.uri = self.stores().add(self.image, streams.Stream(self.data), 0)[
            0
        ]

    def test_stock_driver(self) -> None:
        made = self.stores('fast:swift')
        self.assertEqual(self.data, made.get(self.uri))
        made.delete(self.uri)
        self.assert_nothing_left()

    def test_swift_client(self) -> None:
        target = Path(self.useFixture(fixtures.TempDir()).path, 'image')
        user = self.cloud.site.glance
        subprocess.run(
            [
                Path(sys.executable).with_name('swift'),
                '--auth-version',
                '3',
                'download',
                self.container,
                self.image,
                '-o',
                target,
            ],
            env={
                'PATH': os.environ['PATH'],
                'OS_AUTH_URL': self.cloud.auth_url,
                'OS_USERNAME': user.name,
                'OS_PASSWORD': user.password,
                'OS_PROJECT_NAME': user.project,
                'OS_USER_DOMAIN_ID': 'default',
                'OS_PROJECT_DOMAIN_ID': 'default',
            },
            check=True,
            capture_output=True,
            timeout=60,
        )
        self.assertEqual(
            streams.hashes(self.data), streams.hashes(target.read_bytes())
        )

    def test_it_moves_on(self) -> None:
        """After the option was set back, and beside images of the kind."""
        made = self.stores(fast={'swift_buffered_manifest': 'dlo'})
        self.assertEqual(self.data, made.get(self.uri))
        location = made_stores.location_of(self.uri, 'fast', made.conf)
        self.assertEqual(SIZE, made.store('fast').get_size(location))
        made.delete(self.uri)
        self.assert_nothing_left()


class TestDelete(deletes.Case):
    options = STATIC

    def setUp(self) -> None:
        super().setUp()
        fresh_info(self)
        self.upload()

    def test_whole(self) -> None:
        self.deletes()

    @base.swift_only('deletes all of it itself')
    def test_segment_that_stays_keeps_the_manifest(self) -> None:
        self.inject(faults.Status(code=403), 'DELETE', '/00000002$', None)
        self.keeps(exceptions.Forbidden)


@base.swift_only('does not tell what an SLO is made of')
class TestOrphans(commands.Case):
    shares_tokens = True

    options = STATIC

    def setUp(self) -> None:
        super().setUp()
        fresh_info(self)
        later = datetime.datetime.now(
            datetime.timezone.utc
        ) + datetime.timedelta(days=100)
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.cmd.orphans.now', lambda *_: later
            )
        )

    def test_nothing_that_is_named(self) -> None:
        made = self.stores()
        uri = made.add(self.image, streams.Stream(streams.image(SIZE)))[0]
        code, rows = self.rows(self.config(), 'orphans', 'delete', '--yes')
        self.assertEqual((0, []), (code, rows))
        made.delete(uri)
        self.assertEqual([], self.listing())


class TestCheck(commands.Case):
    options = STATIC

    def test_round_trip(self) -> None:
        code, rows = self.rows(self.config(), 'check', '--uploads', '1')
        found = {row['found'] for row in rows if row['result'] == 'ok'}
        self.assertTrue(
            any(
                'a Static Large Object has up to 1000 segments' in each
                for each in found
            ),
            str(rows),
        )
        self.assertIn('delete: done', found)
        self.assertEqual([], self.listing())


class TestLag(base.TestCase):
    """While a listing lags: nobody waits for it, and nothing is lost."""

    shares_tokens = True

    cloud: replicated.Replicated
    options = STATIC

    def attach(self) -> clouds.Cloud:
        return replicated.Replicated.attach()

    def test_life(self) -> None:
        fresh_info(self)
        first, other = streams.image(SIZE), streams.image(SIZE - 5, seed=2)
        with self.cloud.lagging_listings():
            for data in (first, other):
                made = self.stores()
                uri = made.add(self.image, streams.Stream(data))[0]
                self.assertEqual([], self.listing())
                for driver in (made, self.stores('fast:swift')):
                    self.assertEqual(
                        streams.hashes(data), streams.hashes(driver.get(uri))
                    )
        self.cloud.update_listings()
        self.assertEqual(4, len(self.listing(self.image)))
        self.assertEqual(
            [],
            [
                record.getMessage()
                for record in self.records.all
                if record.levelname == 'WARNING'
            ],
        )
        self.stores().delete(uri)
        self.assert_nothing_left()
