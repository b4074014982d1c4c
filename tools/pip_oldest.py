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

"""Run "pip install" with the lower bounds of the requirements as versions.

usage: pip_oldest.py [arguments of pip install]

tox's environments for the oldest releases install with this, so that the
bounds in the requirements files are the one list of those releases.
"""

from collections.abc import Iterator
from pathlib import Path
import subprocess
import sys
import tempfile

ROOT = Path(__file__).resolve().parents[1]
FILES = (
    'requirements.txt',
    'test-requirements.txt',
    'glance-requirements.txt',
)


def lower_bounds(text: str) -> Iterator[str]:
    """Yield the constraint that each line of a requirements file implies.

    :raises ValueError: a line without a lower bound
    """
    for line in text.splitlines():
        requirement = line.partition('#')[0].strip()
        if requirement:
            name, _, bound = requirement.partition('>=')
            if not bound:
                raise ValueError(f'{requirement} has no lower bound')
            yield f'{name}=={bound.partition(",")[0]}'


def main() -> int:
    """Install; gives pip's exit status."""
    bounds = [
        bound
        for name in FILES
        for bound in lower_bounds((ROOT / name).read_text())
    ]
    with tempfile.NamedTemporaryFile('w', suffix='.txt') as constraints:
        constraints.write('\n'.join(bounds))
        constraints.flush()
        return subprocess.run(
            [
                sys.executable,
                '-I',
                '-m',
                'pip',
                'install',
                '-c',
                constraints.name,
                *sys.argv[1:],
            ]
        ).returncode


if __name__ == '__main__':
    sys.exit(main())
