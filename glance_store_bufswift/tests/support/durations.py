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

"""What the functional tests take, for a clone in which they never ran.

stestr gives the longest groups of tests to processes first, by what they took
the last time. Where it has no such times it deals groups out in turn, and the
last process ends when others are long done.

`python -m ...durations` tells it those in durations.txt, each as that of its
group's first test; times of its own are left alone. After a whole run,
`... learn` writes that file anew.
"""

import collections
import configparser
from pathlib import Path
import re
import sys

from stestr.repository import abstract
from stestr.repository import file

_FILE = Path(__file__).with_name('durations.txt')

_TESTS = 'glance_store_bufswift.tests.functional.'

# Seconds of a group that is worth a line.
_LONG = 4.0


def _times() -> file.my_dbm._Database:
    """Open what stestr keeps in this directory: seconds by test."""
    factory = file.RepositoryFactory()
    try:
        repository = factory.open('.')
    except abstract.RepositoryNotFound:
        repository = factory.initialise('.')
    return file.my_dbm.open(str(Path(repository.base, 'times.dbm')), 'c')


def told() -> list[tuple[str, str]]:
    """Return the seconds of groups, and a test of each."""
    lines = _FILE.read_text().splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def tell() -> None:
    """Tell stestr of the tests that it does not know."""
    with _times() as times:
        for seconds, test in told():
            if _TESTS + test not in times:
                times[_TESTS + test] = seconds


def learn() -> None:
    """Write down what stestr knows."""
    config = configparser.ConfigParser(interpolation=None)
    config.read('.stestr.conf')
    group = re.compile(config['DEFAULT']['group_regex'])
    sums: dict[str, float] = collections.defaultdict(float)
    first: dict[str, str] = {}
    with _times() as times:
        for key in sorted(times.keys()):
            test = key.decode()
            if test.startswith(_TESTS) and (found := group.match(test)):
                sums[found[0]] += float(times[key])
                first.setdefault(found[0], test.removeprefix(_TESTS))
    lines = [
        f'{sums[name]:.0f} {first[name]}\n'
        for name in sorted(sums, key=lambda name: -sums[name])
        if sums[name] >= _LONG
    ]
    _FILE.write_text(''.join(lines))


if __name__ == '__main__':
    learn() if sys.argv[1:] == ['learn'] else tell()
