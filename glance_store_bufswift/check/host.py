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

"""How fast this host hashes, and how fast the buffer directory takes bytes."""

from collections.abc import Callable
import contextlib
import os
import tempfile
import time

from glance_store_bufswift import accelerator
from glance_store_bufswift.buffer import space
from glance_store_bufswift.check import figures
from glance_store_bufswift import errors
from glance_store_bufswift import hash_threads
from glance_store_bufswift import multihash
from glance_store_bufswift import opts
from glance_store_bufswift import units

#: Digests to measure, besides Glance's hashing_algorithm.
DIGESTS = 'md5', 'sha256', 'sha512'

#: Seconds for which each digest is measured.
DIGEST_SECONDS = 0.3

#: Bytes written at most, and seconds after which no further ones are.
MAX_WRITTEN, MAX_WRITE_SECONDS = 256 * units.MIB, 4.0

#: Bytes written between two calls of fsync.
BYTES_PER_SYNC = 16 * units.MIB


def measure(
    settings: opts.Settings, algorithm: str, step: Callable[[str], object]
) -> figures.Host:
    """Measure all of it; leaves nothing behind, however it ends.

    :param algorithm: Glance's hashing_algorithm
    :param step: told what is done now
    """
    block = os.urandom(units.BLOCK)
    rates = {}
    for name in dict.fromkeys((*DIGESTS, algorithm)):
        step(f'hashing by {name}')
        # An unknown algorithm has a finding of its own.
        with contextlib.suppress(errors.ConfigError):
            rates[name] = _rate(multihash.new(name).update, block)
    choice = accelerator.chosen()
    pair = _one_pass(choice.pair, block)
    triple = _one_pass(choice.triple, block)
    step(f'writing to {settings.directory}')
    return figures.Host(
        _disk(settings, block), rates, pair, triple, hash_threads.cores()
    )


def _one_pass(
    kind: type[accelerator.MD5] | None, block: bytes
) -> float | None:
    if kind is None:
        return None
    # In the first part both MD5s are the same.
    hashing = kind()
    hashing.update(block)
    hashing.end_part()
    return _rate(hashing.update, block)


def _rate(take: Callable[[bytes], object], block: bytes) -> float:
    """Bytes a second that a digest takes."""
    size, began = 0, time.monotonic()
    while True:
        take(block)
        size += len(block)
        lasted = time.monotonic() - began
        if lasted >= DIGEST_SECONDS:
            return size / lasted


def _disk(settings: opts.Settings, block: bytes) -> float | None:
    """Bytes a second, with the page cache written out.

    None if the directory takes none, or has no room for them. The file has no
    name: the kernel removes it with the process.
    """
    directory = space.BufferDirectory(
        settings.directory, min_free_percent=settings.min_free_percent
    )
    size, began, lasted = 0, time.monotonic(), 0.0
    try:
        with tempfile.TemporaryFile(
            dir=settings.directory, buffering=0
        ) as file:
            while size < MAX_WRITTEN and lasted < MAX_WRITE_SECONDS:
                directory.check_floor(2 * BYTES_PER_SYNC, file.fileno())
                for _ in range(BYTES_PER_SYNC // len(block)):
                    size += os.write(file.fileno(), block)
                os.fsync(file.fileno())
                lasted = time.monotonic() - began
    except OSError:
        if not lasted:
            return None
    return size / lasted
