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

"""What was measured, drawn in characters, and what it proposes."""

from collections.abc import Iterator
from collections.abc import Sequence
import textwrap

from glance_store_bufswift.check import advice
from glance_store_bufswift.check import figures

#: Characters in a line, and in the longest bar.
WIDTH, BAR = 79, 34


def of_store(
    measured: advice.MeasuredStore, proposals: Sequence[advice.Proposal]
) -> str:
    """The figures of a store as a table with bars, then the proposals.

    All bars have one scale; Swift's longest bar fills the width, and a longer
    one ends with ">".
    """
    scale = max(measured.traffic.up, measured.traffic.down)
    page = [f'{measured.store}: what this site carries, in MB/s', '']
    for place, name, rate in _rows(measured):
        page.append(
            f'  {place:10} {name:22} '
            f'{"-" if rate is None else figures.megabytes(rate):>6}  '
            f'{_bar(rate, scale)}'.rstrip()
        )
    page += [
        '',
        f'  A HEAD takes {1000 * measured.traffic.head:.0f} ms, a PUT of '
        f'one byte {1000 * measured.traffic.put:.0f} ms.',
        '',
        'For glance-api.conf, by these figures:',
        *_configuration(proposals),
    ]
    return '\n'.join([*page, ''])


def _configuration(proposals: Sequence[advice.Proposal]) -> Iterator[str]:
    """The lines for glance-api.conf, by section, with reasons as comments."""
    section = None
    for proposal in proposals:
        if proposal.section != section:
            section = proposal.section
            yield from ('', f'[{section}]')
        now = (
            'as it is'
            if proposal.now == proposal.value
            else f'now {proposal.now}'
        )
        yield textwrap.fill(
            f'{proposal.reason} ({now})',
            WIDTH,
            initial_indent='# ',
            subsequent_indent='# ',
            break_long_words=False,
        )
        yield f'{proposal.option} = {proposal.value}'


def _rows(
    measured: advice.MeasuredStore,
) -> Iterator[tuple[str, str, float | None]]:
    for place, rates in (
        ('to Swift', [rate.up for rate in measured.traffic.rates]),
        ('from Swift', [rate.down for rate in measured.traffic.rates]),
    ):
        for rate, speed in zip(measured.traffic.rates, rates, strict=True):
            many = 's' * (rate.connections > 1)
            yield place, f'{rate.connections} connection{many}', speed
            place = ''
    yield 'disk', 'beyond the page cache', measured.host.disk
    place = 'digests'
    for name, speed in measured.host.digests.items():
        yield place, name, speed
        place = ''
    if measured.host.pair is not None:
        yield '', 'both MD5s in one pass', measured.host.pair
    if measured.host.triple is not None:
        yield '', 'both MD5s and sha512', measured.host.triple


def _bar(rate: float | None, scale: float) -> str:
    if rate is None:
        return ''
    length = round(BAR * rate / scale)
    return '#' * (BAR - 1) + '>' if length > BAR else '#' * max(1, length)
