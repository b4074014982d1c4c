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

"""The figures, and the proposals, as lines of the table: pure."""

from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses

from glance_store_bufswift.check import advice
from glance_store_bufswift.check import figures
from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding

#: Seconds from which on a small request counts as slow.
SLOW_SECONDS = 0.2


def findings(
    measured: advice.MeasuredStore, proposals: Sequence[advice.Proposal]
) -> Iterator[Finding]:
    """The figures and the proposals, one by one."""
    for rate in measured.traffic.rates:
        yield finding.measured(
            'speed',
            f'over {rate.connections}: {figures.speed(rate.up)} to Swift, '
            f'{figures.speed(rate.down)} from Swift',
            dataclasses.asdict(rate),
        )
    yield from _requests(measured.traffic)
    yield from _disk(measured)
    rates = dict(measured.host.digests)
    if measured.host.pair is not None:
        rates['both MD5s by the accelerator'] = measured.host.pair
    if measured.host.triple is not None:
        rates['both MD5s and sha512 by the accelerator'] = measured.host.triple
    for name, speed in rates.items():
        yield finding.measured(
            'digest',
            f'{name}: {figures.speed(speed)}',
            {'rate': speed},
        )
    for proposal in proposals:
        yield finding.measured(
            'proposal',
            f'[{proposal.section}] {proposal.option} = {proposal.value} '
            f'(now {proposal.now}): {proposal.reason}',
            {proposal.option: proposal.value},
        )


def _requests(traffic: figures.Traffic) -> Iterator[Finding]:
    text = (
        f'a HEAD takes {traffic.head:.3f} s, a PUT of one byte '
        f'{traffic.put:.3f} s'
    )
    seconds = {'head': traffic.head, 'put': traffic.put}
    yield finding.measured('requests', text, seconds)
    if traffic.head >= SLOW_SECONDS:
        yield finding.warning(
            'requests',
            f'a HEAD takes {traffic.head:.1f} s: Swift may ask '
            'Keystone about the token for each request',
            'have Swift keep tokens in memcached: cache = swift.cache, or '
            'memcached_servers, in [filter:authtoken] of proxy-server.conf',
        )


def _disk(measured: advice.MeasuredStore) -> Iterator[Finding]:
    disk, directory = measured.host.disk, measured.settings.directory
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
        f'{directory} takes {figures.speed(disk)} beyond the page cache',
        {'rate': disk},
    )
    if disk < measured.traffic.up:
        yield finding.warning(
            'disk',
            f'{directory} takes {figures.speed(disk)}, Swift '
            f'{figures.speed(measured.traffic.up)}: uploads wait for it once '
            'the page cache is full',
            'put swift_buffered_dir on a faster disk, or on tmpfs with '
            'swift_buffered_disk_quota',
        )
