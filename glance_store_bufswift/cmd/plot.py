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

"""What was measured, drawn in characters, and what follows from it."""

from collections.abc import Iterator
from collections.abc import Sequence
import textwrap

from glance_store_bufswift.check import advice

#: Characters in a line, and in the longest bar.
WIDTH, BAR = 79, 34


def of_site(site: advice.Site, lines: Sequence[advice.Line]) -> str:
    """The figures of a store as a table with bars, then the lines.

    All bars have one scale; Swift's longest bar fills the width, and a longer
    one ends with ">".
    """
    rows = list(_rows(site))
    scale = max(site.traffic.up, site.traffic.down)
    page = [f'{site.store}: what this site carries, in MB/s', '']
    for place, name, rate in rows:
        page.append(
            f'  {place:10} {name:22} {_number(rate):>6}  '
            f'{_bar(rate, scale)}'.rstrip()
        )
    page += [
        '',
        f'  A HEAD takes {1000 * site.traffic.head:.0f} ms, a PUT of '
        f'one byte {1000 * site.traffic.put:.0f} ms.',
        '',
        'For glance-api.conf, by these figures:',
    ]
    section = None
    for line in lines:
        if line.section != section:
            section = line.section
            page += ['', f'[{section}]']
        now = 'as it is' if line.now == line.value else f'now {line.now}'
        page.append(
            textwrap.fill(
                f'{line.reason} ({now})',
                WIDTH,
                initial_indent='# ',
                subsequent_indent='# ',
                break_long_words=False,
            )
        )
        page.append(f'{line.option} = {line.value}')
    return '\n'.join([*page, ''])


def _rows(site: advice.Site) -> Iterator[tuple[str, str, float | None]]:
    for place, rates in (
        ('to Swift', [rate.up for rate in site.traffic.rates]),
        ('from Swift', [rate.down for rate in site.traffic.rates]),
    ):
        for rate, speed in zip(site.traffic.rates, rates, strict=True):
            many = 's' * (rate.connections > 1)
            yield place, f'{rate.connections} connection{many}', speed
            place = ''
    yield 'disk', 'beyond the page cache', site.host.disk
    place = 'digests'
    for name, speed in site.host.digests.items():
        yield place, name, speed
        place = ''
    if site.host.pair is not None:
        yield '', 'both MD5s in one pass', site.host.pair


def _number(rate: float | None) -> str:
    if rate is None:
        return '-'
    return f'{rate / 1e6:.{0 if rate >= 1e7 else 1}f}'


def _bar(rate: float | None, scale: float) -> str:
    if rate is None:
        return ''
    length = round(BAR * rate / scale)
    return '#' * (BAR - 1) + '>' if length > BAR else '#' * max(1, length)
