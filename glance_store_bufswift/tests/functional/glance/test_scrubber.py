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

"""glance-scrubber: what deletes the images of a Glance that delays that."""

import contextlib
import sqlite3

from glance_store_bufswift.tests.functional.glance import base
from glance_store_bufswift.tests.functional.glance import servers
from glance_store_bufswift.tests.support.cloud import glance
from glance_store_bufswift.tests.support.cloud import process


class TestScrubber(base.TestCase):
    """An image of ours that has segments goes, whole."""

    def setUp(self) -> None:
        super().setUp()
        self.assertEqual(204, self.upload(base.IMAGE).status_code)
        self.assert_active(base.IMAGE, segments=3)
        self.delete()
        self.assertEqual('pending_delete', self.status())
        self.assertEqual(4, len(self.listing()))

    def start(self) -> glance.Glance:
        return servers.delaying()

    def status(self) -> str:
        """The image's status in Glance's database: the API tells no more."""
        with contextlib.closing(
            sqlite3.connect(
                f'file:{self.glance.root}/glance.db?mode=ro',
                uri=True,
                timeout=base.TIMEOUT,
            )
        ) as database:
            [[status]] = database.execute(
                'SELECT status FROM images WHERE id = ?', [self.image]
            )
        return str(status)

    def scrub(self, *options: str) -> process.Server:
        """Start a scrubber."""
        return self.glance.keeper.start(
            f'scrubber-{self.image}',
            'scrubber',
            str(self.glance.directory),
            *options,
        )

    def test_once(self) -> None:
        """Its jobs run when its main thread has ended."""
        scrubber = self.scrub()
        self.assertEqual(0, self.glance.keeper.join(scrubber))
        self.assertEqual('deleted', self.status(), scrubber.tail())
        self.assert_nothing_left()

    def test_daemon(self) -> None:
        scrubber = self.scrub('--daemon')
        self.addCleanup(self.glance.keeper.stop, scrubber)
        self.wait_until(lambda: self.status() == 'deleted')
        self.assert_nothing_left()
