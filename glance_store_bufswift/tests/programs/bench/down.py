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

"""One process that downloads: set up, wait for the word, read, tell.

Run as ``python -m ...bench.down JOB``, the job as JSON. It prints a line when
it is ready, and its measures as a second one.
"""

from concurrent import futures
import dataclasses
import json
import logging
import sys
import time
from typing import Any

from glance_store import multi_backend

from glance_store_bufswift.tests.programs.bench import children
from glance_store_bufswift.tests.programs.bench import pattern
from glance_store_bufswift.tests.programs.bench import watch
from glance_store_bufswift.tests.support import stores


@dataclasses.dataclass(frozen=True)
class Job:
    """What a process is to do.

    :ivar driver: the store's type
    :ivar options: of the store's section
    :ivar uri: the image's
    :ivar warm: a small image's, read first so that what loads late is loaded
    :ivar segment: bytes in a segment, where the pattern begins again
    :ivar downloads: how many at once
    """

    driver: str
    options: dict[str, Any]
    uri: str
    warm: str
    segment: int
    downloads: int = 1


@dataclasses.dataclass(frozen=True)
class Read:
    """What one download was.

    :ivar first: seconds until its first byte
    :ivar size: bytes
    :ivar wrong: blocks that were not those of the image
    """

    first: float
    size: int
    wrong: int


def read(uri: str, segment: int) -> Read:
    """Read an image whole, and compare it with what was uploaded."""
    began, first, at, wrong = time.perf_counter(), 0.0, 0, 0
    stretch = pattern.stretch()
    for block in multi_backend.get(uri, 'fast')[0]:
        first = first or time.perf_counter() - began
        # A segment is as long as some periods, and blocks lie in one.
        wrong += not stretch.startswith(block, at % segment % pattern.PERIOD)
        at += len(block)
    return Read(first, at, wrong)


def measure(job: Job) -> dict[str, Any]:
    """Read as often as the job says, at once."""
    memory = watch.Memory()
    cpu, began = watch.cpu(), time.perf_counter()
    if job.downloads == 1:
        done = [read(job.uri, job.segment)]
    else:
        with futures.ThreadPoolExecutor(job.downloads) as pool:
            done = list(
                pool.map(
                    lambda uri: read(uri, job.segment),
                    [job.uri] * job.downloads,
                )
            )
    return {
        'wall': time.perf_counter() - began,
        'cpu': watch.cpu() - cpu,
        'memory': memory.risen(),
        'tail': max(each.first for each in done),
        'sizes': [each.size for each in done],
        'wrong': sum(each.wrong for each in done),
    }


def main(text: str) -> None:
    """Do a job, with a first small download."""
    job = Job(**json.loads(text))
    logging.basicConfig(level=logging.CRITICAL)
    pattern.stretch()
    with stores.Stores(
        {
            'DEFAULT': {'enabled_backends': f'fast:{job.driver}'},
            'glance_store': {'default_backend': 'fast'},
            'fast': job.options,
        }
    ):
        read(job.warm, job.segment)
        print(json.dumps('ready'), flush=True)
        children.wait_for_go()
        children.end_with_input()
        print(json.dumps(measure(job)), flush=True)


if __name__ == '__main__':
    main(sys.argv[1])
