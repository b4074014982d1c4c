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

"""One run of Tempest, in a workspace of its own."""

from collections.abc import Mapping
import importlib.util
import io
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

import subunit
import testtools

from glance_store_bufswift.tests.support.cloud import process

#: What testtools calls the outcomes of a test.
PASSED, SKIPPED, FAILED = 'success', 'skip', 'fail'

#: Test -> outcome.
Results = dict[str, str]


def _prepare(directory: Path, config: str) -> None:
    """Write what `tempest init` would, but nothing in the home directory."""
    (directory / 'etc').mkdir(parents=True)
    (directory / 'locks').mkdir()
    (directory / 'etc' / 'tempest.conf').write_text(config)
    spec = importlib.util.find_spec('tempest')
    assert spec and spec.submodule_search_locations
    [package] = map(Path, spec.submodule_search_locations)
    # Tempest's classes share what their setUpClass makes.
    (directory / '.stestr.conf').write_text(
        f'[DEFAULT]\ntest_path={package}/test_discover\n'
        f'top_dir={package.parent}\ngroup_regex=([^\\.]*\\.)*\n'
    )


def _stestr(directory: Path, *args: str) -> list[str]:
    return [
        sys.executable,
        '-m',
        'stestr',
        '--config',
        str(directory / '.stestr.conf'),
        '--repo-url',
        str(directory),
        *args,
    ]


def _run(
    command: list[str], environment: dict[str, str], directory: Path
) -> None:
    """Run a command that has children; all end when we are asked to."""
    with subprocess.Popen(
        command, env=environment, cwd=directory, start_new_session=True
    ) as child:
        try:
            child.wait()
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise


def run(directory: Path, config: str, tests: str) -> Results:
    """Run the tests; their names and results go to the terminal as well.

    One after the other: Tempest makes and deletes users all the time, and
    the test cloud's Keystone has a database that takes one writer.

    :param directory: a new one, for all that Tempest writes
    :param config: the text of tempest.conf
    :param tests: a regex that is found in their names
    """
    _prepare(directory, config)
    environment = {
        **process.child_environment(),
        'TEMPEST_CONFIG_DIR': str(directory / 'etc'),
        'TEMPEST_CONFIG': 'tempest.conf',
    }
    _run(_stestr(directory, 'run', '--serial', tests), environment, directory)
    stream = subprocess.run(
        _stestr(directory, 'last', '--subunit'),
        env=environment,
        cwd=directory,
        check=False,
        stdout=subprocess.PIPE,
    ).stdout
    return _results(stream)


def _results(stream: bytes) -> Results:
    """The outcomes that a stream of subunit tells."""
    found: Results = {}

    def note(test: Mapping[str, Any]) -> None:
        found[test['id']] = test['status']

    result: Any = testtools.StreamToDict(note)
    result.startTestRun()
    subunit.ByteStreamToStreamResult(io.BytesIO(stream)).run(result)
    result.stopTestRun()
    return found
