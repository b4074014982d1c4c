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

"""The chart: wall time of each driver in each scenario, over its bound."""

from collections.abc import Sequence
import importlib
from pathlib import Path
from typing import Any

from glance_store_bufswift.tests.bench import runner
from glance_store_bufswift.tests.bench import scenarios

_COLOURS = {scenarios.STOCK.name: '#b8b8b8',
            scenarios.BUFFERED.name: '#7f7f7f',
            scenarios.OURS.name: '#1f77b4',
            scenarios.KNOWN.name: '#9ecae1'}

#: Part of the room between two scenarios that bars take.
_FILLED = 0.8


class Missing(Exception):
    """There is no matplotlib."""


def load() -> Any:
    """matplotlib's pyplot, drawing to files.

    :raises Missing: it is not installed
    """
    try:
        matplotlib = importlib.import_module('matplotlib')
    except ImportError as exc:
        raise Missing('--chart needs matplotlib: tools/tox -e bench has it, '
                      'or pip install matplotlib') from exc
    matplotlib.use('Agg')
    return importlib.import_module('matplotlib.pyplot')


def bars(outcomes: Sequence[runner.Outcome]
         ) -> dict[str, list[tuple[float, float, float]]]:
    """Of each line its bars: position, width, wall time over the bound."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for row, outcome in enumerate(outcomes):
        bound = outcome.bound()
        height = _FILLED / len(outcome.rounds)
        for number, name in enumerate(outcome.rounds):
            place = row - _FILLED / 2 + (number + 0.5) * height
            found.setdefault(name, []).append(
                (place, height, outcome.median(name).wall / bound))
    return found


def draw(pyplot: Any, outcomes: Sequence[runner.Outcome],
         path: Path) -> None:
    """Write the chart; the file's name tells its format."""
    figure, axes = pyplot.subplots(
        figsize=(9, 1.2 + 0.8 * len(outcomes)), layout='constrained')
    for name, found in bars(outcomes).items():
        drawn = axes.barh([place for place, _, _ in found],
                          [ratio for _, _, ratio in found],
                          [height for _, height, _ in found],
                          label=name, color=_COLOURS.get(name))
        axes.bar_label(drawn, fmt='%.2f', padding=2, fontsize=7)
    axes.axvline(1, color='black', linewidth=1, linestyle='--')
    axes.set_yticks(range(len(outcomes)),
                    [outcome.scenario.name for outcome in outcomes])
    axes.invert_yaxis()
    axes.set_xlabel('wall time over that of the slowest stage alone '
                    '(source, Swift, or slowest hash); shorter is better')
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
