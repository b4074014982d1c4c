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

"""Run Tempest's tests of the image API against Glance.

Each driver gets a Glance whose default store is of that type, on one
Keystone and Swift. The exit status is 0 if no test fails and each has the
same outcome with every driver.
"""

import argparse
from pathlib import Path
import sys
import tempfile

from glance_store_bufswift.tests.programs.tempest import compare
from glance_store_bufswift.tests.programs.tempest import config
from glance_store_bufswift.tests.programs.tempest import run
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support import signals


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog='tempest',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'tests',
        nargs='?',
        default=r'^tempest\.api\.image',
        help='a regex for the names of the tests (default: %(default)s)',
    )
    parser.add_argument(
        '--driver',
        action='append',
        choices=(config.OURS, config.STOCK),
        help='only this one; may be repeated (default: both)',
    )
    return parser


def test(
    site: clouds.Cloud, driver: str, args: argparse.Namespace
) -> run.Results:
    """Run the tests with one driver."""
    print(f'\n==== {driver}', flush=True)
    with (
        clouds.Cloud(site.site) as cloud,
        tempfile.TemporaryDirectory(prefix='bufswift-tempest-') as name,
    ):
        cloud.start_glance(config.stores(cloud, driver), definitions=True)
        directory = Path(name)
        return run.run(
            directory / 'workspace',
            config.tempest(cloud, directory / 'workspace'),
            args.tests,
        )


def main(argv: list[str]) -> int:
    """Run them all; gives the exit status."""
    args = arguments().parse_args(argv)
    with clouds.Cloud.start() as site:
        results = {
            driver: test(site, driver, args)
            for driver in args.driver or (config.OURS, config.STOCK)
        }
    print()
    for driver, each in results.items():
        print(f'{driver:<16}{compare.counts(each)}')
    wrong = compare.complaints(results)
    print('\n'.join(wrong or ['all is as it should be']))
    return 1 if wrong else 0


if __name__ == '__main__':
    signals.end_in_order()
    sys.exit(main(sys.argv[1:]))
