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

"""One process that uploads: set up, wait for the word, upload, tell.

Run as ``python -m ...bench.one JOB``, the job as JSON. It prints a line when
it is ready, and its measures as a second one.
"""

from concurrent import futures
import dataclasses
import json
import logging
import sys
import tempfile
import time
from typing import Any
import uuid

from glance_store_bufswift.tests.programs.bench import children
from glance_store_bufswift.tests.programs.bench import pattern
from glance_store_bufswift.tests.programs.bench import source
from glance_store_bufswift.tests.programs.bench import watch
from glance_store_bufswift.tests.support import stores


#: MiB of memory to use beforehand.
WARM = 512


@dataclasses.dataclass(frozen=True)
class Job:
    """What a process is to do.

    :ivar driver: the store's type
    :ivar options: of the store's section
    :ivar size: bytes in each image
    :ivar known: whether the driver is told the size
    :ivar uploads: how many at once
    :ivar pace: the source's, see source.Pace
    """

    driver: str
    options: dict[str, Any]
    size: int
    known: bool = False
    uploads: int = 1
    pace: dict[str, float] = dataclasses.field(default_factory=dict)


def upload(
    store: stores.Stores, stream: source.Stream, size: int
) -> tuple[float, tuple[Any, ...]]:
    """Store an image; tells seconds behind the source's end, the answer."""
    answer = store.add(str(uuid.uuid4()), stream, size)
    return time.perf_counter() - stream.ended, answer


def warm_up(directory: str | None) -> None:
    """Use as much memory as buffers take, and leave it.

    A hypervisor that takes back what a machine leaves idle for some seconds
    gives it again at 2 ms a MiB (measured), to whoever asks first.
    """
    block = bytes(1 << 20)
    with tempfile.TemporaryFile(dir=directory) as file:
        for _ in range(WARM):
            file.write(block)


def measure(job: Job, store: stores.Stores) -> dict[str, Any]:
    """Store all images of a job at once."""
    pace = source.Pace(**job.pace)  # type: ignore[arg-type]  # JSON's
    streams = [source.Stream(job.size, pace) for _ in range(job.uploads)]
    size = job.size if job.known else 0
    memory = watch.Memory()
    cpu, began = watch.cpu(), time.perf_counter()
    if job.uploads == 1:
        done = [upload(store, streams[0], size)]
    else:
        with futures.ThreadPoolExecutor(job.uploads) as pool:
            done = list(
                pool.map(lambda stream: upload(store, stream, size), streams)
            )
    return {
        'wall': time.perf_counter() - began,
        'cpu': watch.cpu() - cpu,
        'memory': memory.risen(),
        'tail': max(tail for tail, _ in done),
        'uris': [answer[0] for _, answer in done],
        'sizes': [answer[1] for _, answer in done],
        'checksums': [answer[2] for _, answer in done],
    }


def main(text: str) -> None:
    """Do a job, with a first small upload that loads what loads late."""
    job = Job(**json.loads(text))
    logging.basicConfig(level=logging.CRITICAL)
    with stores.Stores(
        {
            'DEFAULT': {'enabled_backends': f'fast:{job.driver}'},
            'glance_store': {'default_backend': 'fast'},
            'fast': job.options,
        }
    ) as store:
        upload(store, source.Stream(pattern.PERIOD, source.Pace()), 0)
        warm_up(job.options.get('swift_upload_buffer_dir'))
        print(json.dumps('ready'), flush=True)
        children.wait_for_go()
        children.end_with_input()
        print(json.dumps(measure(job, store)), flush=True)


if __name__ == '__main__':
    main(sys.argv[1])
