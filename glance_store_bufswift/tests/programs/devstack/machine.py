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

"""The devstack plugin, run through the phases of devstack's scripts."""

import configparser
import os
from pathlib import Path
import subprocess

import fixtures

_HERE = Path(__file__).parent

#: The plugin's files. They are in the repository and the sdist alone.
PLUGIN = _HERE.parents[3] / 'devstack'

#: Longer than any run of bash here takes; a run that hangs ends.
_SECONDS = 60


class Devstack(fixtures.Fixture):
    """A machine on which stack.sh, unstack.sh and clean.sh may run.

    :param localrc: lines of local.conf's ``[[local|localrc]]``
    :param rest: further sections of local.conf
    """

    def __init__(self, localrc: str = '', rest: str = '') -> None:
        super().__init__()
        self._local_conf = f'[[local|localrc]]\n{localrc}\n{rest}\n'

    def _setUp(self) -> None:
        self.top = Path(self.useFixture(fixtures.TempDir()).path)
        self.local_conf = self.top / 'local.conf'
        self.local_conf.write_text(self._local_conf)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run the phases of a script; its status and output."""
        # Nothing of the environment decides what a plugin writes.
        environment = {
            name: os.environ[name]
            for name in ('PATH', 'TESTS_DEVSTACK')
            if name in os.environ
        }
        return subprocess.run(
            ['bash', str(_HERE / 'phases.sh'), script],  # noqa: S607
            env=environment
            | {'TOP_DIR': str(self.top), 'PLUGIN': str(PLUGIN)},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )

    @property
    def calls(self) -> list[str]:
        """What the scripts did beyond the files, oldest first."""
        return (self.top / 'calls').read_text().splitlines()

    @property
    def buffers(self) -> Path:
        """The buffer directory, unless localrc names another."""
        return self.top / 'data' / 'glance' / 'bufswift'

    @property
    def glance_api_conf(self) -> Path:
        """The file that glance-api reads."""
        return self.top / 'etc' / 'glance' / 'glance-api.conf'

    def read(self, path: Path | None = None) -> dict[str, dict[str, str]]:
        """The sections of a file, glance-api.conf unless another is named.

        :raises configparser.Error: an option or a section stands twice
        """
        parser = configparser.RawConfigParser(default_section='', strict=True)
        parser.read_string((path or self.glance_api_conf).read_text())
        return {name: dict(parser[name]) for name in parser.sections()}
