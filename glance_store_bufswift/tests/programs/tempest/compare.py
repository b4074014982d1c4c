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

"""What two runs of Tempest have in common, and what not."""

from collections.abc import Mapping

from glance_store_bufswift.tests.programs.tempest import run


def counts(results: run.Results) -> str:
    """How many passed, failed, and were skipped."""
    outcomes = list(results.values())
    passed, skipped = (
        outcomes.count(each) for each in (run.PASSED, run.SKIPPED)
    )
    failed = len(outcomes) - passed - skipped
    return f'{passed:4} passed, {failed} failed, {skipped} skipped'


def complaints(results: Mapping[str, run.Results]) -> list[str]:
    """What is wrong: tests that fail, or whose outcome is not everywhere so.

    :param results: driver -> its results
    """
    lines = [
        f'{driver}: no test has passed'
        for driver, each in results.items()
        if run.PASSED not in each.values()
    ]
    for test in sorted({test for each in results.values() for test in each}):
        outcomes = {
            driver: each.get(test, 'not run')
            for driver, each in results.items()
        }
        different = set(outcomes.values())
        if len(different) > 1 or not different <= {run.PASSED, run.SKIPPED}:
            told = ', '.join(
                f'{driver}: {outcome}' for driver, outcome in outcomes.items()
            )
            lines.append(f'{test}: {told}')
    return lines
