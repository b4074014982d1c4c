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

"""How fast this machine hashes, measured in a process of its own.

Run as ``python -m ...bench.hashing BYTES``; prints seconds for so many bytes:
MD5, SHA-512, and both spread evenly over the cores: what any driver takes.
"""

from concurrent import futures
import hashlib
import json
import os
import random
import sys
import time

#: Bytes hashed at a time; the interpreter's lock is free meanwhile.
_BLOCK = 1 << 20

#: The image's checksum, and Glance's default multihash.
ALL = ('md5', 'sha512')


def seconds(algorithm: str, size: int, block: bytes) -> float:
    """Seconds that hashing takes in one thread."""
    state = hashlib.new(algorithm, usedforsecurity=False)
    began = time.perf_counter()
    for _ in range(size // len(block)):
        state.update(block)
    return time.perf_counter() - began


def spread(size: int, block: bytes, cores: int) -> float:
    """Seconds for both, an equal share of it on each core."""
    began = time.perf_counter()
    with futures.ThreadPoolExecutor(cores) as pool:
        for algorithm in ALL:
            for _ in range(cores):
                pool.submit(seconds, algorithm, size // cores, block)
    return time.perf_counter() - began


def main(size: int) -> None:
    """Measure and print."""
    block = random.Random(3).randbytes(_BLOCK)
    cores = len(os.sched_getaffinity(0))
    print(
        json.dumps(
            {
                'md5': seconds('md5', size, block),
                'sha512': seconds('sha512', size, block),
                'spread': spread(size, block, cores),
            }
        ),
        flush=True,
    )


if __name__ == '__main__':
    main(json.loads(sys.argv[1]))
