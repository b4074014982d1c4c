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

"""Print one line that counts the tests of several stestr runs.

usage: summary.py EXIT_STATUS_OF_TOX TOX_RESULT_JSON FIRST_RUN

FIRST_RUN is the number of the first run in .stestr that counts. An
environment that failed without a failed test (a style check, a crash) counts
as one failure. Exits non-zero on any failure and when no test ran.
"""

import collections
import json
import pathlib
import sys

from stestr.repository import file as repository
import subunit
import testtools

PASSED = ('success', 'xfail')


def count_run(run_id: int) -> collections.Counter[str]:
    """Count the results of one stestr run."""
    counts: collections.Counter[str] = collections.Counter()

    def on_test(test: dict[str, object]) -> None:
        if test['status'] in PASSED:
            counts['passed'] += 1
        elif test['status'] == 'skip':
            counts['skipped'] += 1
        elif test['status'] != 'exists':
            # This includes 'inprogress': the test's process died under it.
            counts['failed'] += 1

    run = repository.RepositoryFactory().open('.').get_test_run(run_id)
    result = testtools.StreamToDict(on_test)
    result.startTestRun()
    subunit.ByteStreamToStreamResult(run.get_subunit_stream()).run(result)
    result.stopTestRun()
    return counts


def run_ids(first: int) -> range:
    """Return the numbers of the runs that stestr stored."""
    try:
        return range(first, repository.RepositoryFactory().open('.').count())
    except Exception as exc:
        print(f'no test results: {exc}')
        return range(0)


def failed_environments(path: pathlib.Path) -> list[str]:
    """Name the tox environments that failed; others may not have run."""
    if not path.exists():
        return []
    environments = json.loads(path.read_text()).get('testenvs', {})
    return [
        name
        for name, data in environments.items()
        if not name.startswith('.')
        and data.get('result', {}).get('success') is False
    ]


def main(status: str, results: str, first: str) -> int:
    """Print the summary; return the exit status."""
    counts: collections.Counter[str] = collections.Counter()
    failed_runs = 0
    for run_id in run_ids(int(first)):
        run = count_run(run_id)
        failed_runs += bool(run['failed'])
        counts += run
    failed = failed_environments(pathlib.Path(results))
    if failed:
        print('failed: ' + ', '.join(failed))
    # Failed runs explain as many failed environments.
    counts['failed'] += max(0, len(failed) - failed_runs)
    if not counts['failed'] and int(status):
        counts['failed'] = 1
    if not counts['passed'] and not counts['failed']:
        print('no test ran')
        counts['failed'] = 1
    print(
        '{} passed, {} failed, {} skipped'.format(
            counts['passed'], counts['failed'], counts['skipped']
        )
    )
    return 1 if counts['failed'] else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
