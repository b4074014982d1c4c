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

"""The charts: wall time of each driver, over its bound, and over stock's."""

from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import dataclasses
import importlib
from pathlib import Path
from typing import Any

from glance_store_bufswift.tests.programs.bench import runner
from glance_store_bufswift.tests.programs.bench import scenarios

_COLOURS = {
    scenarios.STOCK.name: '#b8b8b8',
    scenarios.BUFFERED.name: '#7f7f7f',
    scenarios.OURS.name: '#1f77b4',
    scenarios.HASHLIB.name: '#6baed6',
    scenarios.KNOWN.name: '#9ecae1',
    scenarios.STATIC.name: '#c6dbef',
}

_FILLED = 0.8

#: What sets the pace, and the scenarios of which that is so: by name, or by
#: the part before the hyphen.
GROUPS = {
    'Swift or the source sets the pace': (
        'limited',
        'free',
        'jitter',
        'stalling',
        'tail',
        'threads',
    ),
    'The processor sets the pace': (
        'unlimited',
        'plain',
        'tls',
        'segments',
        'large',
        'real',
    ),
    'Requests set the pace': ('small',),
    'Several uploads at once': ('uploads', 'quota'),
    'Downloads': ('download',),
}
OTHERS = 'Others'

#: The rows of the small chart, in words.
MAIN = {
    'limited': 'Swift slower than the source',
    'jitter': 'the same, answers come unevenly',
    'unlimited': 'no limit but the processor',
    'uploads-4': '4 uploads on 2 full cores',
}


class Missing(Exception):
    """There is no matplotlib."""


def load() -> Any:
    """matplotlib's pyplot, drawing to files.

    :raises Missing: it is not installed
    """
    try:
        matplotlib = importlib.import_module('matplotlib')
    except ImportError as exc:
        raise Missing(
            '--chart needs matplotlib: tools/tox -e bench has it, '
            'or pip install matplotlib'
        ) from exc
    matplotlib.use('Agg')
    # The same figures make the same file.
    matplotlib.rcParams['svg.hashsalt'] = 'bench'
    return importlib.import_module('matplotlib.pyplot')


def group(name: str) -> str:
    """What sets the pace in a scenario."""
    for heading, names in GROUPS.items():
        if name in names or name.partition('-')[0] in names:
            return heading
    return OTHERS


def grouped(
    outcomes: Sequence[runner.Outcome],
) -> dict[str, list[runner.Outcome]]:
    """The outcomes by what sets the pace, without empty groups."""
    found: dict[str, list[runner.Outcome]] = {
        heading: [] for heading in (*GROUPS, OTHERS)
    }
    for outcome in outcomes:
        found[group(outcome.scenario.name)].append(outcome)
    return {heading: rows for heading, rows in found.items() if rows}


def bars(
    outcomes: Sequence[runner.Outcome], of: str = ''
) -> dict[str, list[tuple[float, float, float]]]:
    """Of each line its bars: position, width, wall time over the bound.

    :param of: the line whose wall time counts instead of the bound
    """
    found: dict[str, list[tuple[float, float, float]]] = {}
    for row, outcome in enumerate(outcomes):
        bound = outcome.median(of).wall if of else outcome.bound()
        height = _FILLED / len(outcome.rounds)
        for number, name in enumerate(outcome.rounds):
            place = row - _FILLED / 2 + (number + 0.5) * height
            found.setdefault(name, []).append(
                (place, height, outcome.median(name).wall / bound)
            )
    return found


def draw(pyplot: Any, outcomes: Sequence[runner.Outcome], path: Path) -> None:
    """Write the chart of all; the file's name tells its format."""
    groups = grouped([each for each in outcomes if each.bound()])
    with _figure(
        pyplot, path, 9, [len(rows) for rows in groups.values()]
    ) as axes:
        for part, (heading, rows) in zip(axes, groups.items(), strict=True):
            _fill(part, bars(rows), [row.scenario.name for row in rows])
            part.set_title(heading, loc='left', fontweight='bold')
        axes[-1].set_xlabel(
            'wall time over that of the slowest stage alone: '
            'shorter is better, 1 can not be beaten'
        )
        _legend(axes)


def without(outcome: runner.Outcome, line: str) -> runner.Outcome:
    """The outcome without a line."""
    return dataclasses.replace(
        outcome,
        rounds={
            name: rounds
            for name, rounds in outcome.rounds.items()
            if name != line
        },
    )


def draw_main(
    pyplot: Any, outcomes: Sequence[runner.Outcome], path: Path
) -> None:
    """Write the chart of the main rows that there are."""
    named = {outcome.scenario.name: outcome for outcome in outcomes}
    rows = {
        words: without(named[name], scenarios.KNOWN.name)
        for name, words in MAIN.items()
        if name in named
    }
    found = bars(list(rows.values()), scenarios.STOCK.name)
    with _figure(pyplot, path, 7, [len(rows)]) as [part]:
        _fill(part, found, list(rows))
        part.set_xlabel(
            'time of an upload, that of "swift" is 1: shorter is better'
        )
        _legend([part])


@contextlib.contextmanager
def _figure(
    pyplot: Any, path: Path, width: float, rows: list[int]
) -> Iterator[Any]:
    """Give one part for each number of rows, and write the file."""
    figure, axes = pyplot.subplots(
        len(rows),
        sharex=True,
        squeeze=False,
        layout='constrained',
        height_ratios=rows,
        figsize=(width, 1.2 + len(rows) * 0.3 + 0.7 * sum(rows)),
    )
    yield list(axes[:, 0])
    figure.savefig(
        path,
        dpi=120,
        metadata=({'Date': None} if path.suffix == '.svg' else None),
    )
    pyplot.close(figure)


def _fill(
    part: Any,
    found: dict[str, list[tuple[float, float, float]]],
    rows: list[str],
) -> None:
    for name, places in found.items():
        drawn = part.barh(
            [place for place, _, _ in places],
            [ratio for _, _, ratio in places],
            [height for _, height, _ in places],
            label=name,
            color=_COLOURS.get(name),
        )
        part.bar_label(drawn, fmt='%.2f', padding=2, fontsize=8)
    part.axvline(1, color='black', linewidth=1, linestyle='--')
    part.set_yticks(range(len(rows)), rows)
    part.set_ylim(len(rows) - 0.5, -0.5)
    for side in ('top', 'right'):
        part.spines[side].set_visible(False)


def _legend(axes: Sequence[Any]) -> None:
    """Tell the lines that any part has, once."""
    labels = {
        label: handle
        for part in axes
        for handle, label in zip(
            *part.get_legend_handles_labels(), strict=True
        )
    }
    axes[0].figure.legend(
        labels.values(),
        labels.keys(),
        fontsize=8,
        loc='outside upper right',
        ncols=len(labels),
    )
