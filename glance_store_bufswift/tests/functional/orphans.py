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

"""``glance-bufswift orphans``: what its tests have in common."""

import datetime
import time
import uuid

import fixtures

from glance_store_bufswift import layout
from glance_store_bufswift.swift import listings
from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import commands

SEGMENT = base.SEGMENT
DAY = datetime.timedelta(days=1)
#: Of a third segment.
MIDDLE = 5 * SEGMENT // 2
LATER = datetime.timedelta(days=100)

#: Exit status when something was kept as it is in doubt.
IN_DOUBT = 4


class Case(commands.Case):
    shares_tokens = True

    def setUp(self) -> None:
        super().setUp()
        self.set_clock(datetime.datetime.now(datetime.timezone.utc) + LATER)

    def set_clock(self, moment: datetime.datetime) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.cmd.orphans.now', lambda *_: moment
            )
        )

    def put(
        self,
        name: str,
        data: bytes = b'x',
        container: str = '',
        **headers: str,
    ) -> None:
        """Store an object past the fault proxy."""
        self.cloud.connection().put_object(
            container or self.container,
            name,
            data,
            headers={
                key.replace('_', '-'): value for key, value in headers.items()
            },
        )

    def put_segments(self, stock: bool = False, count: int = 2) -> str:
        """Store what a killed upload leaves; gives the prefix."""
        image = str(uuid.uuid4())
        where = layout.Layout(self.container, image)
        self.cloud.connection().put_container(self.container)
        for number in range(1, count + 1):
            self.put(
                f'{image}-{number:05d}' if stock else where.segment(number)
            )
        return f'{image}-' if stock else where.prefix

    def found(self, config: str, *words: str) -> list[str]:
        """The prefixes of the orphans that are listed."""
        code, rows = self.rows(config, 'orphans', 'list', *words)
        self.assertEqual(int(bool(rows)), code)
        return sorted(row['prefix'] for row in rows)

    def newest(self, image: str) -> datetime.datetime:
        """When the newest segment of an image was stored."""
        _, found = self.cloud.connection().get_container(
            self.container, prefix=image
        )
        return max(
            moment
            for each in found
            if (moment := listings.entry(each).modified)
        )

    def wait_for(self, image: str, count: int) -> None:
        """Wait until so many objects of an image are listed."""
        until = time.monotonic() + 60
        while len(self.listing(image)) < count:
            self.assertLess(time.monotonic(), until, str(self.listing()))
            time.sleep(0.1)
