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

"""Memory that an upload of 5 GiB in segments of 1 GiB takes.

Run as ``python -m glance_store_bufswift.tests.functional.memory``: it takes a
few minutes and up to 5 GiB in the system's temporary directory. Printed is the
peak of resident memory over the idle process, with buffers and without; more
than the goal is exit status 1.
"""

import sys

from glance_store_bufswift.tests.programs.bench import runner
from glance_store_bufswift.tests.programs.bench import scenarios
from glance_store_bufswift.tests.programs.bench import sink

GOAL = scenarios.MEMORY.most

#: Swift takes less than the source gives: all that may fill up does.
SLOW = sink.Options(rate=100e6, latency=0.02)

#: In upstream's "MB" of 1,024,000 bytes.
GIB = 1049
IMAGE = 5 * GIB


def uploads() -> list[scenarios.Scenario]:
    """The same upload with room on disk and without."""
    return [
        scenarios.Scenario(
            name,
            name,
            image=IMAGE,
            segment=GIB,
            swift=SLOW,
            options=options,
            lines=(scenarios.OURS,),
            once=True,
        )
        for name, options in (
            ('buffered', {'swift_buffered_min_free_percent': 0}),
            ('unbuffered', {'swift_buffered_dir': '/nowhere'}),
        )
    ]


def main() -> int:
    """Measure; tells whether the goal was missed."""
    missed = False
    for scenario in uploads():
        with runner.Bench(lambda _: None) as bench:
            outcome = bench.run(scenario, 1)
        measure = outcome.median(scenarios.OURS.name)
        missed = missed or measure.memory > GOAL
        print(
            f'{scenario.name}: {scenario.size / 2**30:.2f} GiB in '
            f'{measure.wall:.0f} s, memory {measure.memory / 2**20:.1f} '
            f'MiB over idle (goal: under {GOAL / 2**20:.0f}), disk '
            f'{measure.disk / 2**20:.0f} MiB',
            flush=True,
        )
    return int(missed)


if __name__ == '__main__':
    sys.exit(main())
