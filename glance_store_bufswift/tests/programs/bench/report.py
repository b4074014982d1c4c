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

"""What the benchmark prints and writes."""

from collections.abc import Iterator
import dataclasses
import statistics
import textwrap
from typing import Any

from glance_store_bufswift.tests.programs.bench import runner
from glance_store_bufswift.tests.programs.bench import scenarios

WIDTH = 79
MIB = 1 << 20

_HEAD = ('', 'wall', 'tail', 'CPU', 'memory', 'disk', '/stock', '/bound')
_UNITS = ('', 's', 's', 's/GiB', 'MiB', 'MiB', '', '')
_FORMAT = '{:<21}' + '{:>8}' * 7


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A goal with what was measured."""

    goal: scenarios.Goal
    value: float
    text: str

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.value <= self.goal.most


def verdicts(outcome: runner.Outcome) -> list[Verdict]:
    """The goals of a scenario, each with the median of our line."""
    return [_verdict(outcome, goal) for goal in outcome.scenario.goals]


def _verdict(outcome: runner.Outcome, goal: scenarios.Goal) -> Verdict:
    ours = _ours(outcome)
    value = float(getattr(outcome.median(ours), goal.what))
    if not goal.of:
        unit, scale = (
            ('MiB', MIB) if goal.what in ('memory', 'disk') else ('s', 1)
        )
        return Verdict(
            goal,
            value,
            f'{goal.what} at most '
            f'{goal.most / scale:.4g} {unit}: '
            f'{value / scale:.3g} {unit}',
        )
    if goal.of in outcome.rounds:
        value /= getattr(outcome.median(goal.of), goal.what)
    else:
        value /= outcome.bounds()[goal.of]
    return Verdict(
        goal,
        value,
        f'{goal.what} at most {goal.most:.2f} of {goal.of}: {value:.2f}',
    )


def _ours(outcome: runner.Outcome) -> str:
    ours = [
        line.name
        for line in outcome.scenario.lines
        if line.driver == scenarios.OURS.driver
    ]
    return ours[0]


def table(outcome: runner.Outcome) -> Iterator[str]:
    """The lines that tell a scenario's outcome."""
    scenario = outcome.scenario
    count = len(outcome.hashing)
    yield from textwrap.wrap(
        f'{scenario.name}: {scenario.about}; {scenario.image} MB in segments '
        f'of {scenario.segment} MB, {count} round'
        f'{"s" if count > 1 else ""}',
        WIDTH,
    )
    head = [
        'first' if each == 'tail' and scenario.reads else each
        for each in _HEAD
    ]
    yield _FORMAT.format(*head)
    yield _FORMAT.format(*_UNITS)
    for name in outcome.rounds:
        yield _FORMAT.format(name, *_cells(outcome, name))
    bounds = outcome.bounds()
    if bounds:
        yield from textwrap.wrap(
            'alone: '
            + ', '.join(
                f'{name} {seconds:.2f} s' for name, seconds in bounds.items()
            ),
            WIDTH,
        )
    load = statistics.median(
        each.load for rounds in outcome.rounds.values() for each in rounds
    )
    if load > outcome.cores:
        yield (
            f'busy machine: load {load:.1f} on {outcome.cores} cores; wall '
            'times tell little'
        )
    for verdict in verdicts(outcome):
        yield (f'{"met" if verdict.met else "NOT MET":<9}{verdict.text}')


def _cells(outcome: runner.Outcome, name: str) -> list[str]:
    """A line's medians; wall time over stock and over the slowest stage."""
    measure = outcome.median(name)
    stock = scenarios.STOCK.name
    ratio = (
        f'{measure.wall / outcome.median(stock).wall:.2f}'
        if stock in outcome.rounds
        else '-'
    )
    return [
        f'{measure.wall:.2f}',
        f'{measure.tail:.2f}',
        f'{measure.cpu:.2f}',
        f'{measure.memory / MIB:.1f}',
        f'{measure.disk / MIB:.0f}',
        ratio,
        f'{measure.wall / outcome.bound():.2f}' if outcome.bound() else '-',
    ]


def as_json(outcome: runner.Outcome) -> dict[str, Any]:
    """All that was measured, and what follows from it."""
    return {
        'scenario': dataclasses.asdict(outcome.scenario),
        'rounds': {
            name: [dataclasses.asdict(each) for each in rounds]
            for name, rounds in outcome.rounds.items()
        },
        'medians': {
            name: dataclasses.asdict(outcome.median(name))
            for name in outcome.rounds
        },
        'hashing': outcome.hashing,
        'bounds': outcome.bounds(),
        'goals': [
            {'text': verdict.text, 'met': verdict.met}
            for verdict in verdicts(outcome)
        ],
    }
