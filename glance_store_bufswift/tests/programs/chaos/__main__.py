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

"""Upload many images under random faults, and check what became of each.

Sizes, segments, threads and faults follow from the seed, one single fault
for an upload. A share of the uploads can't succeed. The exit status is 0 if
every image that add() reported is stored whole, every failure left nothing,
and none failed that a retry could have saved.
"""

import argparse
import collections
import logging
import sys
import time

import tqdm

from glance_store_bufswift.tests.programs.chaos import run as runs
from glance_store_bufswift.tests.programs.chaos import upload
from glance_store_bufswift.tests.support.cloud import cloud as clouds


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog='chaos',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--uploads',
        type=int,
        default=100,
        metavar='N',
        help='how many (default: 100)',
    )
    parser.add_argument(
        '--seed',
        type=int,
        default=1,
        metavar='S',
        help='what all follows from (default: 1)',
    )
    parser.add_argument(
        '--only',
        type=int,
        metavar='K',
        help='repeat just this upload of the run',
    )
    parser.add_argument(
        '--at-once',
        type=int,
        default=6,
        metavar='N',
        help='uploads at the same time (default: 6)',
    )
    return parser


def main(args: list[str]) -> int:
    """Run, and print the summary."""
    given = arguments().parse_args(args)
    # Warnings are part of the game; without a handler they are printed.
    logging.getLogger().addHandler(logging.NullHandler())
    numbers = (
        range(given.uploads)
        if given.only is None
        else range(given.only, given.only + 1)
    )
    began = time.monotonic()
    outcomes = []
    with tqdm.tqdm(total=len(numbers), disable=None, unit='upload') as bar:
        for outcome in runs.run(
            clouds.Cloud.attach(), given.seed, numbers, given.at_once
        ):
            outcomes.append(outcome)
            bar.update()
            if outcome.wrong:
                bar.write(described(outcome, given.seed))
    print(table(outcomes, time.monotonic() - began))
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def described(outcome: upload.Outcome, seed: int) -> str:
    """What is wrong with an upload, and how to repeat it."""
    return (
        f'{", ".join(outcome.wrong)}: {outcome.plan}\n'
        f'  raised: {outcome.failed!r}\n'
        f'  repeat: --seed {seed} --only {outcome.plan.number}'
    )


def table(outcomes: list[upload.Outcome], seconds: float) -> str:
    """The summary."""
    wrong = collections.Counter(
        kind for outcome in outcomes for kind in outcome.wrong
    )
    failed = [outcome for outcome in outcomes if outcome.failed]
    rows = {
        'uploads': len(outcomes),
        'ok': len(outcomes) - len(failed),
        'of them after a fault': sum(
            outcome.met and not outcome.failed for outcome in outcomes
        ),
        'failed as expected': sum(not outcome.wrong for outcome in failed),
        **{kind: wrong[kind] for kind in runs.KINDS},
        'seconds': round(seconds),
    }
    return '\n'.join(f'{name:22}{count:7}' for name, count in rows.items())


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
