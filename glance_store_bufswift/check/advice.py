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

"""The values that the figures propose for glance-api.conf: pure."""

from collections.abc import Sequence
import dataclasses

from glance_store_bufswift.check import figures
from glance_store_bufswift import opts
from glance_store_bufswift import units

#: The share of the best rate that is as good as all of it.
GOOD_ENOUGH = 0.9

#: With fewer connections an upload waits for each commit.
MIN_CONNECTIONS = 2

#: Unit of swift_store_large_object_chunk_size, bytes; in that unit, the least
#: and the greatest value proposed, and the step between values.
SIZE_UNIT, MIN_SIZE, MAX_SIZE, SIZE_STEP = opts.UPSTREAM_MB, 16, 200, 8

#: Seconds that one connection should take for a segment; or as long as so many
#: PUTs of one byte, if that is more.
SEGMENT_SECONDS, SEGMENT_PUTS = 0.5, 10


@dataclasses.dataclass(frozen=True)
class Proposal:
    """A proposed line of glance-api.conf.

    :ivar section: where it goes
    :ivar now: the value so far
    """

    section: str
    option: str
    value: str | int
    now: str | int
    reason: str


@dataclasses.dataclass(frozen=True)
class MeasuredStore:
    """What was measured of a store and its host, and how it is configured.

    :ivar store: its section
    :ivar settings: the store's so far
    :ivar algorithm: Glance's hashing_algorithm so far
    :ivar uploads: at a time on this host
    :ivar room: bytes that the file system has for buffers; None = unknown
    """

    store: str
    settings: opts.Settings
    algorithm: str
    uploads: int
    room: int | None
    traffic: figures.Traffic
    host: figures.Host


def proposals(measured: MeasuredStore) -> list[Proposal]:
    """What to write into glance-api.conf, with the reason for each."""
    hashing = _hashing(measured)
    threads = _threads(measured, str(hashing.value))
    size = _segment(measured)
    return [
        hashing,
        threads,
        _read_threads(measured),
        size,
        _quota(measured, int(threads.value), int(size.value)),
    ]


def _hashing(measured: MeasuredStore) -> Proposal:
    """sha512, Glance's default, unless sha256 is faster here."""
    rates = measured.host.digests
    best = (
        'sha256'
        if GOOD_ENOUGH * rates['sha256'] > rates['sha512']
        else 'sha512'
    )
    return Proposal(
        'DEFAULT',
        'hashing_algorithm',
        best,
        measured.algorithm,
        f'on this host sha256 hashes {figures.speed(rates["sha256"])}, sha512 '
        f'{figures.speed(rates["sha512"])}; it counts for new images in all '
        'stores',
    )


def _threads(measured: MeasuredStore, algorithm: str) -> Proposal:
    traffic, hashes = measured.traffic, measured.host.hashes(algorithm)
    rates = [(each.connections, each.up) for each in traffic.rates]
    value = _enough(rates, min(traffic.up, hashes))
    reason = _gain(value, rates, 'Swift takes')
    if hashes < traffic.up:
        reason += f'; more than {figures.speed(hashes)} an upload can not hash'
    return Proposal(
        measured.store,
        'swift_buffered_threads',
        value,
        measured.settings.threads,
        reason,
    )


def _read_threads(measured: MeasuredStore) -> Proposal:
    traffic = measured.traffic
    rates = [(each.connections, each.down) for each in traffic.rates]
    value = _enough(rates, traffic.down)
    return Proposal(
        measured.store,
        'swift_buffered_read_threads',
        value,
        measured.settings.read_threads,
        _gain(value, rates, 'Swift gives'),
    )


def _enough(rates: Sequence[tuple[int, float]], wanted: float) -> int:
    """The fewest connections that nearly carry so much."""
    return max(
        MIN_CONNECTIONS,
        next(
            connections
            for connections, rate in rates
            if rate >= GOOD_ENOUGH * wanted
        ),
    )


def _gain(value: int, rates: Sequence[tuple[int, float]], does: str) -> str:
    """What so many connections carry, compared with one and with most."""
    compared = [
        (connections, rate)
        for connections, rate in rates
        if connections in (1, value, rates[-1][0])
    ]
    return f'{does} ' + ', '.join(
        f'{figures.speed(rate)} over {connections}'
        for connections, rate in compared
    )


def _segment(measured: MeasuredStore) -> Proposal:
    """Large enough that an object's own cost is small, and no larger.

    Segments under way when the source ends are sent after it. So with smaller
    segments an upload ends sooner, and takes less room.
    """
    traffic = measured.traffic
    seconds = max(SEGMENT_SECONDS, SEGMENT_PUTS * traffic.put)
    steps = round(seconds * traffic.stream / (SIZE_STEP * SIZE_UNIT))
    value = min(MAX_SIZE, max(MIN_SIZE, steps * SIZE_STEP))
    amount = figures.megabytes(value * SIZE_UNIT)
    takes = value * SIZE_UNIT / traffic.stream
    return Proposal(
        measured.store,
        'swift_store_large_object_chunk_size',
        value,
        measured.settings.segment_size // SIZE_UNIT,
        f'one connection sends {amount} MB in {takes:.1f} s, and an object '
        f'costs {traffic.put:.2f} s besides its bytes. Keep 200 if others '
        'than this driver read the images from Swift',
    )


def _quota(measured: MeasuredStore, threads: int, size: int) -> Proposal:
    segment = units.mib(size * SIZE_UNIT)
    segments = dataclasses.replace(
        measured.settings, threads=threads
    ).most_in_flight
    value = wanted = (measured.uploads * segments + 1) * segment
    reason = (
        f'{measured.uploads} uploads at a time (--uploads) of {segments} '
        'segments, and one more'
    )
    room = None if measured.room is None else measured.room // units.MIB
    if room is not None and room < segment:
        reason += f'; the file system has {room} MiB for it: add space'
    elif room is not None and room < wanted:
        value = room
        reason = f'all that the file system has; {reason} take {wanted} MiB'
    return Proposal(
        measured.store,
        'swift_buffered_disk_quota',
        value,
        measured.settings.disk_quota // units.MIB,
        reason,
    )
