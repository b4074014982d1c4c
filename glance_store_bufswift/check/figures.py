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

"""What was measured of a site and of this host."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses

from glance_store_bufswift import hash_threads
from glance_store_bufswift import hashes


@dataclasses.dataclass(frozen=True)
class Rate:
    """What several connections to Swift carry together; bytes a second.

    :ivar up: to Swift
    :ivar down: from Swift
    """

    connections: int
    up: float
    down: float


@dataclasses.dataclass(frozen=True)
class Traffic:
    """What was measured of Swift.

    :ivar rates: by the number of connections, ascending; one or more
    :ivar size: bytes in each of the objects that were sent
    :ivar head: seconds for a HEAD
    :ivar put: seconds for a PUT of one byte
    """

    rates: Sequence[Rate]
    size: int
    head: float
    put: float

    @property
    def up(self) -> float:
        """Bytes a second to Swift at best."""
        return max(rate.up for rate in self.rates)

    @property
    def down(self) -> float:
        """Bytes a second from Swift at best."""
        return max(rate.down for rate in self.rates)

    @property
    def stream(self) -> float:
        """Bytes a second on one connection, in the midst of an object."""
        whole = self.size / self.rates[0].up
        # For small objects on a fast site the times are mostly noise.
        return self.size / max(whole - self.put, whole / 4)


@dataclasses.dataclass(frozen=True)
class Host:
    """What was measured of this host; bytes a second.

    :ivar disk: what the buffer directory takes, with fsync; None if nothing
    :ivar digests: by hashlib's name
    :ivar pair: both MD5s of an upload in one pass, None without the
        accelerator
    :ivar triple: these and SHA-512 in one pass, None where that can't be
    :ivar cores: for this process
    """

    disk: float | None
    digests: Mapping[str, float]
    pair: float | None
    triple: float | None = None
    cores: int = 1

    def hashes(self, algorithm: str) -> float:
        """What a lone upload hashes: each pass has a thread of its own.

        :param algorithm: Glance's hashing_algorithm
        """
        two = min(self.pair or self.digests['md5'], self.digests[algorithm])
        if self.triple is None or algorithm != hashes.SHA512:
            return two
        if self.cores < hash_threads.CORES_FOR_TWO_PASSES:
            return self.triple
        return max(self.triple, two)


def megabytes(size: float) -> str:
    """A number of bytes in MB, as text without the unit."""
    return f'{size / 1e6:.{0 if size >= 1e7 else 1}f}'


def speed(rate: float) -> str:
    """A rate in bytes a second, as text."""
    return f'{megabytes(rate)} MB/s'
