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
"""The driver where the process gets no more threads.

That is so when its main thread has ended: ThreadPoolExecutor takes no more
calls then, and from Python 3.12 on no thread starts, though those that run
are waited for. glance-scrubber works there, and so do requests and tasks of
a Glance that is told to end. And it is so under a limit on processes.
"""

import json
import subprocess
import sys
from typing import Any
import uuid

import fixtures

from glance_store_bufswift import layout
from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import commands
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT

#: Of images of five segments.
SIZE = 4 * SEGMENT + 5

#: Where their sources let the main thread end, or fail.
MIDDLE = 5 * SEGMENT // 2

#: The uploads that succeed.
ADDED = ('upload', 'through a fault', 'one object')

#: Seconds after which a process that does not end is a failed test.
PATIENCE = 120


class TestThreadless(commands.Case):
    """All that the driver does, in one process, and what it leaves."""

    def work(self, **way: Any) -> None:
        """Have the child work in that way, see threadless.main()."""
        images = {
            name: str(uuid.uuid4())
            for name in (*ADDED, 'source fails', 'refused', 'read', 'delete')
        }
        made = self.stores()
        data = streams.image(SIZE)
        stored = {
            name: made.add(images[name], streams.Stream(data), SIZE)
            for name in ('read', 'delete')
        }
        self.put_orphans(images['source fails'])
        self.proxy.add(
            faults.Rule(
                faults.Reset(after=1000),
                'PUT',
                f'/{images["through a fault"]}/.*/00000002$',
            )
        )
        self.proxy.add(
            faults.Rule(
                faults.Status(code=403),
                'PUT',
                f'/{images["refused"]}/.*/00000003$',
            )
        )
        told = self.child(
            way,
            made.sections,
            [
                self.add(images, 'upload', at=MIDDLE),
                self.add(images, 'through a fault', declared=SIZE),
                self.add(images, 'one object', size=SEGMENT, declared=SEGMENT),
                self.add(images, 'source fails', at=MIDDLE, fails=True),
                self.add(images, 'refused'),
                {'name': 'read', 'do': 'get', 'uri': stored['read'][0]},
                {'name': 'delete', 'do': 'delete', 'uri': stored['delete'][0]},
                {
                    'name': 'sweep',
                    'do': 'command',
                    'words': [
                        'orphans',
                        'delete',
                        '--yes',
                        '--config-file',
                        self.config(),
                    ],
                },
            ],
        )
        told['refused'] = told['refused'].partition('(')[0]
        added = {name: told[name] for name in ADDED}
        self.assertEqual(
            {
                **dict.fromkeys(ADDED, 'stored'),
                'source fails': "ValueError('bad')",
                'refused': 'StorageWriteDenied',
                'read': streams.hashes(data)[0],
                'delete': None,
                'sweep': 0,
                'threads left': [],
            },
            told
            | {
                name: 'stored'
                for name, answer in added.items()
                if isinstance(answer, list)
            },
        )
        for name, answer in added.items():
            self.image = images[name]
            size = SEGMENT if name == 'one object' else SIZE
            self.assert_stored(
                streams.image(size), answer, 0 if size == SEGMENT else 5
            )
        self.assertEqual(
            {images[name] for name in ('read', *ADDED)},
            {name.partition('/')[0] for name in self.listing()},
        )

    @staticmethod
    def add(
        images: dict[str, str], name: str, size: int = SIZE, **more: Any
    ) -> dict[str, Any]:
        """An upload that the child is to make."""
        return {
            'name': name,
            'do': 'add',
            'image': images[name],
            'size': size,
            **more,
        }

    def put_orphans(self, image: str) -> None:
        """Store what a killed upload leaves."""
        where = layout.Layout(self.container, image)
        swift = self.cloud.connection()
        for number in range(1, 13):
            swift.put_object(self.container, where.segment(number), b'x')

    def child(
        self, way: dict[str, Any], sections: Any, jobs: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """What the child tells of each job; it ends as it should."""
        order = {'threads': None, 'sections': sections, 'jobs': jobs, **way}
        done = subprocess.run(
            [
                sys.executable,
                '-W',
                'ignore',
                '-m',
                f'{__package__}.threadless',
            ],
            input=json.dumps(order),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=process.child_environment()
            | {'TMPDIR': self.useFixture(fixtures.TempDir()).path},
        )
        self.assertEqual(0, done.returncode, done.stderr)
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def test_executor_at_the_end(self) -> None:
        """As glance-scrubber's jobs, and tasks of Glance."""
        self.work(executor=True, begun=True)

    def test_thread_at_the_end(self) -> None:
        """As a request of a worker that is told to end."""
        self.work(executor=False, begun=True)

    def test_first_work_at_the_end(self) -> None:
        """What is imported late can't be set up any more."""
        self.work(executor=False, begun=False)

    def test_no_thread(self) -> None:
        self.work(threads=0)

    def test_one_thread(self) -> None:
        self.work(threads=1)

    def test_two_threads(self) -> None:
        self.work(threads=2)

    def test_five_threads(self) -> None:
        self.work(threads=5)
