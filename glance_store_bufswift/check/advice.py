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

"""What follows from the figures: pure."""

from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses

from glance_store_bufswift.check import figures
from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding
from glance_store_bufswift import opts
from glance_store_bufswift import units

#: A rate that is at most a tenth lower is as good.
GOOD = 0.9

#: Fewer connections than this leave an upload waiting for each commit.
LEAST = 2

#: Unit of swift_store_large_object_chunk_size, bytes; its least and its
#: greatest proposed value, and the step between values.
UNIT, LEAST_SIZE, MOST_SIZE, STEP = 1024 * 1000, 16, 200, 8

#: Seconds that one connection should take for a segment; or this many times an
#: object's own cost, if that is more.
SECONDS, TIMES = 0.5, 10

#: Seconds from which on a small request is slow.
SLOW = 0.2


@dataclasses.dataclass(frozen=True)
class Line:
    """A line for glance-api.conf.

    :ivar section: where it goes
    :ivar now: the value so far
    """

    section: str
    option: str
    value: str | int
    now: str | int
    reason: str


@dataclasses.dataclass(frozen=True)
class Site:
    """What the lines follow from.

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


def lines(site: Site) -> list[Line]:
    """What to write into glance-api.conf, with the reason for each."""
    hashing = _hashing(site)
    threads = _threads(site, str(hashing.value))
    size = _segment(site)
    return [
        hashing,
        threads,
        _read_threads(site),
        size,
        _quota(site, int(threads.value), int(size.value)),
    ]


def _hashing(site: Site) -> Line:
    """sha512, Glance's default, unless sha256 is faster here."""
    rates = site.host.digests
    best = 'sha256' if GOOD * rates['sha256'] > rates['sha512'] else 'sha512'
    return Line(
        'DEFAULT',
        'hashing_algorithm',
        best,
        site.algorithm,
        f'on this host sha256 hashes {mb(rates["sha256"])}, sha512 '
        f'{mb(rates["sha512"])}; it counts for new images in all '
        'stores',
    )


def _threads(site: Site, algorithm: str) -> Line:
    traffic, hashes = site.traffic, site.host.hashes(algorithm)
    rates = [(each.connections, each.up) for each in traffic.rates]
    value = _enough(rates, min(traffic.up, hashes))
    reason = _gain(value, rates, 'Swift takes')
    if hashes < traffic.up:
        reason += f'; more than {mb(hashes)} an upload can not hash'
    return Line(
        site.store,
        'swift_buffered_threads',
        value,
        site.settings.threads,
        reason,
    )


def _read_threads(site: Site) -> Line:
    traffic = site.traffic
    rates = [(each.connections, each.down) for each in traffic.rates]
    value = _enough(rates, traffic.down)
    return Line(
        site.store,
        'swift_buffered_read_threads',
        value,
        site.settings.read_threads,
        _gain(value, rates, 'Swift gives'),
    )


def _enough(rates: Sequence[tuple[int, float]], wanted: float) -> int:
    """The fewest connections that nearly carry so much."""
    return max(
        LEAST,
        next(
            connections for connections, rate in rates if rate >= GOOD * wanted
        ),
    )


def _gain(value: int, rates: Sequence[tuple[int, float]], does: str) -> str:
    """What so many connections carry, compared with one and with most."""
    told = [
        (connections, rate)
        for connections, rate in rates
        if connections in (1, value, rates[-1][0])
    ]
    return f'{does} ' + ', '.join(
        f'{mb(rate)} over {connections}' for connections, rate in told
    )


def _segment(site: Site) -> Line:
    """Large enough that an object's own cost is small, and no larger.

    Segments under way when the source ends are sent after it. So with smaller
    segments an upload ends sooner, and takes less room.
    """
    traffic = site.traffic
    seconds = max(SECONDS, TIMES * traffic.put)
    steps = round(seconds * traffic.stream / (STEP * UNIT))
    value = min(MOST_SIZE, max(LEAST_SIZE, steps * STEP))
    return Line(
        site.store,
        'swift_store_large_object_chunk_size',
        value,
        site.settings.segment_size // UNIT,
        f'one connection sends {mb(value * UNIT).removesuffix("/s")} in '
        f'{value * UNIT / traffic.stream:.1f} s, and an object costs '
        f'{traffic.put:.2f} s beside its bytes. Keep 200 if others than this '
        'driver read the images from Swift',
    )


def _quota(site: Site, threads: int, size: int) -> Line:
    segment = units.mib(size * UNIT)
    held = dataclasses.replace(site.settings, threads=threads).held
    value = wanted = (site.uploads * held + 1) * segment
    reason = (
        f'{site.uploads} uploads at a time (--uploads) of {held} '
        'segments, and one more'
    )
    room = None if site.room is None else site.room // units.MIB
    if room is not None and room < segment:
        reason += f'; the file system has {room} MiB for it: add space'
    elif room is not None and room < wanted:
        value = room
        reason = f'all that the file system has; {reason} take {wanted} MiB'
    return Line(
        site.store,
        'swift_buffered_disk_quota',
        value,
        site.settings.disk_quota // units.MIB,
        reason,
    )


def findings(site: Site, written: Sequence[Line]) -> Iterator[Finding]:
    """The figures and the lines, one by one."""
    for rate in site.traffic.rates:
        yield finding.measured(
            'speed',
            f'over {rate.connections}: {mb(rate.up)} to Swift, '
            f'{mb(rate.down)} from Swift',
            dataclasses.asdict(rate),
        )
    yield from _requests(site.traffic)
    yield from _disk(site)
    rates = dict(site.host.digests)
    if site.host.pair is not None:
        rates['both MD5s by the accelerator'] = site.host.pair
    for name, speed in rates.items():
        yield finding.measured(
            'digest', f'{name}: {mb(speed)}', {'rate': speed}
        )
    for line in written:
        yield finding.measured(
            'proposal',
            f'[{line.section}] {line.option} = {line.value} '
            f'(now {line.now}): {line.reason}',
            {line.option: line.value},
        )


def _requests(traffic: figures.Traffic) -> Iterator[Finding]:
    text = (
        f'a HEAD takes {traffic.head:.3f} s, a PUT of one byte '
        f'{traffic.put:.3f} s'
    )
    told = {'head': traffic.head, 'put': traffic.put}
    yield finding.measured('requests', text, told)
    if traffic.head >= SLOW:
        yield finding.warning(
            'requests',
            f'a HEAD takes {traffic.head:.1f} s: Swift may ask '
            'Keystone about the token for each request',
            'have Swift keep tokens in memcached: cache = swift.cache, or '
            'memcached_servers, in [filter:authtoken] of proxy-server.conf',
        )


def _disk(site: Site) -> Iterator[Finding]:
    disk, directory = site.host.disk, site.settings.directory
    if disk is None:
        yield finding.warning(
            'disk',
            f'{directory} takes no bytes, or has no room: its speed '
            'is not known',
            'see the lines on the buffer directory',
        )
        return
    yield finding.measured(
        'disk',
        f'{directory} takes {mb(disk)} beyond the page cache',
        {'rate': disk},
    )
    if disk < site.traffic.up:
        yield finding.warning(
            'disk',
            f'{directory} takes {mb(disk)}, Swift '
            f'{mb(site.traffic.up)}: uploads wait for it once the page cache '
            'is full',
            'put swift_buffered_dir on a faster disk, or on tmpfs with '
            'swift_buffered_disk_quota',
        )


def mb(rate: float) -> str:
    """A rate in bytes a second, as text."""
    return f'{rate / 1e6:.{0 if rate >= 1e7 else 1}f} MB/s'
