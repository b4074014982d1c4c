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

"""Bounds, goals, table and chart of a scenario's outcome."""

import dataclasses
import json
import os
import tempfile
from unittest import mock

from oslotest import base

from glance_store_bufswift.tests.programs.bench import __main__ as main
from glance_store_bufswift.tests.programs.bench import chart
from glance_store_bufswift.tests.programs.bench import pattern
from glance_store_bufswift.tests.programs.bench import report
from glance_store_bufswift.tests.programs.bench import runner
from glance_store_bufswift.tests.programs.bench import scenarios
from glance_store_bufswift.tests.programs.bench import sink
from glance_store_bufswift.tests.programs.bench import source
from glance_store_bufswift.tests.programs.bench import watch

MIB = 1 << 20


def _measure(wall: float, memory: float = 0) -> runner.Measure:
    return runner.Measure(wall, 0.1, 4.0, memory, 0)


def _outcome(*goals: scenarios.Goal) -> runner.Outcome:
    # An image of as many bytes as the hashing is measured with.
    scenario = scenarios.Scenario(
        'one',
        'a case',
        image=256 * MIB // pattern.PERIOD,
        segment=64,
        swift=sink.Options(rate=1e7),
        pace=source.Pace(1e8),
        lines=(scenarios.STOCK, scenarios.OURS),
        goals=goals,
    )
    return runner.Outcome(
        scenario,
        {
            scenarios.STOCK.name: [_measure(8), _measure(20), _measure(10)],
            scenarios.OURS.name: [
                _measure(7, 5 * MIB),
                _measure(6, 3 * MIB),
                _measure(8, 4 * MIB),
            ],
        },
        [{'md5': 1.0, 'sha512': 0.8, 'spread': 1.5}] * 3,
        cores=2,
    )


class TestOutcome(base.BaseTestCase):
    def test_median(self) -> None:
        median = _outcome().median(scenarios.OURS.name)
        self.assertEqual((7, 4 * MIB), (median.wall, median.memory))

    def test_bounds(self) -> None:
        outcome = _outcome()
        size = outcome.scenario.size
        bounds = outcome.bounds()
        self.assertEqual(size / 1e8, bounds['source'])
        self.assertEqual(size / 4e7, bounds['Swift'])
        self.assertEqual(bounds['Swift'], outcome.bound())
        self.assertAlmostEqual(1.5, bounds['hashing spread'], 2)

    def test_many_uploads_share_the_cores(self) -> None:
        outcome = _outcome()
        outcome = dataclasses.replace(
            outcome,
            scenario=dataclasses.replace(
                outcome.scenario, uploads=8, swift=sink.Options()
            ),
        )
        self.assertAlmostEqual(8 * (1.0 + 0.8) / 2, outcome.bound(), 1)
        self.assertAlmostEqual(8 * 1.5, outcome.bounds()['hashing spread'], 1)
        self.assertNotIn('slowest hash', outcome.bounds())

    def test_goals(self) -> None:
        verdicts = report.verdicts(
            _outcome(
                scenarios.Goal('wall', 0.8, scenarios.STOCK.name),
                scenarios.Goal('wall', 1.1, 'source'),
                scenarios.MEMORY,
            )
        )
        self.assertEqual(
            [True, False, True], [verdict.met for verdict in verdicts]
        )
        self.assertEqual('wall at most 0.80 of swift: 0.70', verdicts[0].text)
        self.assertEqual('memory at most 64 MiB: 4 MiB', verdicts[2].text)


class TestOutput(base.BaseTestCase):
    def test_table_fits(self) -> None:
        lines = list(report.table(_outcome(scenarios.MEMORY)))
        self.assertEqual(
            [], [line for line in lines if len(line) > report.WIDTH]
        )
        row = next(
            line for line in lines if line.startswith(scenarios.OURS.name)
        )
        self.assertEqual(
            ['7.00', '0.10', '4.00', '4.0', '0', '0.70', '1.04'],
            row.split()[1:],
        )

    def test_json(self) -> None:
        found = json.loads(json.dumps(report.as_json(_outcome())))
        self.assertEqual(7, found['medians'][scenarios.OURS.name]['wall'])

    def test_bars_do_not_overlap(self) -> None:
        bars = chart.bars([_outcome(), _outcome()])
        edges = sorted(
            (place - width / 2, place + width / 2)
            for found in bars.values()
            for place, width, _ in found
        )
        for (_, end), (start, _) in zip(edges, edges[1:], strict=False):
            self.assertLess(end, start + 1e-9)

    def test_bars_over_a_line(self) -> None:
        bars = chart.bars([_outcome()], scenarios.STOCK.name)
        self.assertEqual([1, 0.7], [found[0][2] for found in bars.values()])
        left = chart.without(_outcome(), scenarios.STOCK.name)
        self.assertEqual([scenarios.OURS.name], list(left.rounds))

    def test_each_scenario_has_a_group(self) -> None:
        self.assertEqual(
            [],
            [
                each.name
                for each in scenarios.EVERY
                if chart.group(each.name) == chart.OTHERS
            ],
        )

    def test_rows_of_the_main_chart(self) -> None:
        self.assertLessEqual(
            set(chart.MAIN), {each.name for each in scenarios.EVERY}
        )

    def test_no_matplotlib(self) -> None:
        with mock.patch(
            'importlib.import_module', autospec=True, side_effect=ImportError
        ):
            self.assertRaises(chart.Missing, chart.load)


class TestScenarios(base.BaseTestCase):
    def test_names_differ(self) -> None:
        names = [each.name for each in scenarios.EVERY]
        self.assertEqual(len(names), len(set(names)))

    def test_goals_can_be_told(self) -> None:
        for scenario in scenarios.EVERY:
            outcome = runner.Outcome(
                scenario,
                {line.name: [_measure(1)] for line in scenario.lines},
                [{'md5': 1.0, 'sha512': 0.8, 'spread': 1.5}],
                cores=2,
            )
            self.assertEqual(
                len(scenario.goals), len(report.verdicts(outcome))
            )

    def test_etags_of_all_objects(self) -> None:
        scenario = dataclasses.replace(scenarios.EVERY[0], image=10, segment=4)
        self.assertEqual(
            {10, 4, 2, 1},
            {length // pattern.PERIOD for length in scenario.lengths()},
        )

    def test_chosen(self) -> None:
        parse = main.arguments().parse_args
        self.assertEqual(len(scenarios.EVERY), len(main.chosen(parse([]))))
        found = main.chosen(parse(['--scenario', 'tls', '--quick']))
        self.assertEqual(
            [('tls', 256)], [(each.name, each.image) for each in found]
        )

    def test_smaller(self) -> None:
        found = {
            each.name: each
            for each in main.chosen(main.arguments().parse_args(['--quick']))
        }
        # A quota is reached by what is not made smaller only.
        self.assertEqual(128, found['quota'].image)
        self.assertEqual((scenarios.MEMORY,), found['limited'].goals)


class TestWatch(base.BaseTestCase):
    def test_unnamed_and_named_files(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            with (
                tempfile.TemporaryFile(dir=directory) as file,
                open(f'{directory}/named', 'wb') as named,
            ):
                os.posix_fallocate(file.fileno(), 0, MIB)
                os.posix_fallocate(named.fileno(), 0, MIB)
                found = watch.disk(directory, [os.getpid()])
                self.assertTrue(2 * MIB <= found < 3 * MIB, found)
            os.unlink(f'{directory}/named')
            self.assertEqual(0, watch.disk(directory, [os.getpid()]))
