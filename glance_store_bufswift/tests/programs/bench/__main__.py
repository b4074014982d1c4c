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

"""Measure swift+buffered beside the stock driver.

Each upload is a process of its own, from a source that can be read only once
to a server on this machine that answers as Swift does. The drivers take
turns; printed are medians: wall time, the part of it after the source's end
(tail), CPU time, and peaks of memory and disk above the idle process. An
upload counts only if add() told the right size and checksum.
"""

import argparse
from collections.abc import Iterator
import contextlib
import json
import os
from pathlib import Path
import platform
import signal
import sys
from typing import Any

from glance_store_bufswift import hashes
from glance_store_bufswift.tests.programs.bench import chart
from glance_store_bufswift.tests.programs.bench import children
from glance_store_bufswift.tests.programs.bench import report
from glance_store_bufswift.tests.programs.bench import runner
from glance_store_bufswift.tests.programs.bench import scenarios
from glance_store_bufswift.tests.support import arguments as checks
from glance_store_bufswift.tests.support import signals

#: Rounds unless told otherwise: all, and with --quick.
_ROUNDS, _QUICK_ROUNDS = 3, 2


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog='bench',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--quick',
        action='store_true',
        help='the main scenarios with smaller images: two minutes',
    )
    parser.add_argument(
        '--scenario',
        action='append',
        metavar='NAME',
        choices=[each.name for each in scenarios.EVERY],
        help='this scenario only; may be repeated',
    )
    parser.add_argument(
        '--rounds',
        type=checks.positive,
        metavar='N',
        help=f'rounds to take the median of (default: {_ROUNDS}, with '
        f'--quick {_QUICK_ROUNDS})',
    )
    parser.add_argument(
        '--json', type=Path, metavar='FILE', help='write all measures'
    )
    parser.add_argument(
        '--chart',
        type=Path,
        metavar='FILE',
        help='draw a chart, an SVG or a PNG by the name of the file',
    )
    parser.add_argument(
        '--main-chart',
        type=Path,
        metavar='FILE',
        help='draw the rows that matter most',
    )
    parser.add_argument(
        '--list', action='store_true', help='tell the scenarios and end'
    )
    return parser


def chosen(options: argparse.Namespace) -> list[scenarios.Scenario]:
    """The scenarios to run."""
    found = [
        each
        for each in scenarios.EVERY
        if (
            each.name in options.scenario
            if options.scenario
            else each.quick or not options.quick
        )
    ]
    return [each.smaller() for each in found] if options.quick else found


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    model = [
        line.partition(':')[2].strip()
        for line in Path('/proc/cpuinfo').read_text().splitlines()
        if line.startswith('model name')
    ]
    return {
        'cores': len(os.sched_getaffinity(0)),
        'processor': model[0] if model else platform.machine(),
        'system': platform.platform(terse=True),
        'python': platform.python_version(),
        'load': os.getloadavg()[0],
        'hashes': hashes.describe(hashes.SHA512),
    }


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """End as after Ctrl-C when a signal asks for it."""
    signals.end_in_order()
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def say(text: str) -> None:
    """Tell what is being done, on a terminal in one line."""
    if sys.stderr.isatty():
        print(f'\r\033[K{text}', end='', file=sys.stderr, flush=True)


def run(options: argparse.Namespace) -> list[runner.Outcome]:
    """Run what was chosen, printing each outcome at once."""
    rounds = options.rounds or (_QUICK_ROUNDS if options.quick else _ROUNDS)
    outcomes = []
    with runner.Bench(say) as bench:
        for scenario in chosen(options):
            outcomes.append(bench.run(scenario, rounds))
            say('')
            print(
                '\n'.join(report.table(outcomes[-1])), end='\n\n', flush=True
            )
    return outcomes


def main() -> int:
    """Run the command line; 1 if a process failed."""
    options = arguments().parse_args()
    if options.list:
        width = 2 + max(len(each.name) for each in scenarios.EVERY)
        for each in scenarios.EVERY:
            print(f'{each.name:<{width}}{each.about}')
        return 0
    try:
        drawn = options.chart or options.main_chart
        pyplot = chart.load() if drawn else None
        where = machine()
        print(
            '{processor}, {cores} cores, {system}, Python {python}; '
            'load {load:.1f} before the first upload\n'
            '{hashes}\n'.format(**where)
        )
        outcomes = run(options)
    except (chart.Missing, children.Failed) as exc:
        print(f'bench: {exc}', file=sys.stderr)
        return 1
    if options.json:
        options.json.write_text(
            json.dumps(
                {
                    'machine': where,
                    'scenarios': [report.as_json(each) for each in outcomes],
                },
                indent=1,
            )
        )
    if options.chart:
        chart.draw(pyplot, outcomes, options.chart)
    if options.main_chart:
        chart.draw_main(pyplot, outcomes, options.main_chart)
    return 0


if __name__ == '__main__':
    with terminable():
        sys.exit(main())
