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

"""Uploads under eventlet, whose threads are green.

The fault proxies would be green too: the process that uploads is a child.
"""

import json
import subprocess
import sys
from typing import Any
import uuid

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT

#: Seconds after which uploads that block each other are a failed test.
PATIENCE = 120


class TestEventlet(base.TestCase):
    def upload(self, *uploads: tuple[str, int, bool]) -> list[Any]:
        """Upload images at once, in green threads of one process.

        :param uploads: image, bytes, whether the source fails half-way
        """
        # All have to share this room, by locks that are not green.
        made = self.stores(fast={'swift_buffered_disk_quota': 8})
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', '-m', f'{__package__}.green'],
            input=json.dumps({'sections': made.sections, 'uploads': uploads}),
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=True,
            env=process.child_environment(),
        )
        told = json.loads(done.stdout)
        self.assertEqual([], told['left'])
        self.assert_nothing_runs()
        answers: list[Any] = told['answers']
        return answers

    def test_several_at_once(self) -> None:
        images = [
            (str(uuid.uuid4()), 4 * SEGMENT + 5, False) for _ in range(3)
        ]
        for (self.image, size, _), answer in zip(
            images, self.upload(*images), strict=True
        ):
            self.assert_stored(streams.image(size), answer, 5)

    def test_segment_that_breaks(self) -> None:
        self.proxy.add(
            faults.Rule(faults.Reset(after=1000), 'PUT', '/00000002$')
        )
        [answer] = self.upload((self.image, 3 * SEGMENT, False))
        self.assert_stored(streams.image(3 * SEGMENT), answer, 3)

    def test_source_that_fails(self) -> None:
        [answer] = self.upload((self.image, 3 * SEGMENT, True))
        self.assertEqual("ValueError('bad')", answer)
        self.assert_nothing_left()
