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

"""A chaos run: many uploads, several at once, in one cloud."""

from collections.abc import Iterable
from collections.abc import Iterator
from concurrent import futures
import tempfile
import threading
from unittest import mock

from glance_store_bufswift.buffer import segment
from glance_store_bufswift.tests.programs.chaos import plan as plans
from glance_store_bufswift.tests.programs.chaos import upload
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support import leaks
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift import units

#: What may be wrong, as the summary's table shows it.
KINDS = (
    'wrong bytes',
    'orphans',
    'needless failures',
    'missed errors',
    'wrong errors',
    'too many tries',
)

#: Bytes in a block, and of a segment in memory: of a few megabytes both are as
#: small a part as they are in use.
BLOCK = 64 << 10
WINDOW = 4 * BLOCK

#: Uploads after which the fault proxies forget what they have seen.
BATCH = 40


def run(
    cloud: clouds.Cloud, seed: int, numbers: Iterable[int], at_once: int
) -> Iterator[upload.Outcome]:
    """Run uploads; gives what became of each as it ends.

    :raises AssertionError: they left a thread, a file or a connection
    """
    todo = [plans.plan(seed, number) for number in numbers]
    where = upload.Range(cloud)
    with (
        mock.patch.object(units, 'BLOCK', BLOCK),
        mock.patch.object(segment, 'BUFFERED_WINDOW', WINDOW),
        tempfile.TemporaryDirectory() as directory,
        stores.Stores(where.sections(directory)) as made,
        futures.ThreadPoolExecutor(at_once) as pool,
    ):
        # Clients that were used before may wait for the garbage collector.
        before = _open(cloud, directory)
        for start in range(0, len(todo), BATCH):
            cloud.clear()
            begun = [
                pool.submit(where.upload, made, plan)
                for plan in todo[start : start + BATCH]
            ]
            for future in futures.as_completed(begun):
                yield future.result()
        left = [each for each in _open(cloud, directory) if each not in before]
    cloud.clear()
    cloud.delete_container(where.container)
    if left:
        raise AssertionError(f'left behind: {left}')


def _open(cloud: clouds.Cloud, directory: str) -> list[str]:
    threads = [
        thread.name
        for thread in threading.enumerate()
        if thread.name.startswith('bufswift')
    ]
    return (
        threads
        + leaks.files(directory)
        + leaks.connections(cloud.swift_proxy.port, cloud.keystone_proxy.port)
    )
