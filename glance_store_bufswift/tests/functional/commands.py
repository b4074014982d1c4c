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

"""The operator's commands, run in this process or in one of their own."""

import contextlib
import io
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import fixtures

from glance_store_bufswift.cmd import main
from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support import stores

Rows = list[dict[str, Any]]


class Case(base.TestCase):
    """Tests of a command on a glance-api.conf of their own."""

    def setUp(self) -> None:
        super().setUp()
        # The tests' own logging is to stay.
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.cmd.config.set_logging_up',
                lambda debug: None,
            )
        )

    def config(self, *args: Any, **sections: Any) -> str:
        """The path of a file with these sections."""
        path = Path(self.useFixture(fixtures.TempDir()).path, 'glance.conf')
        path.write_text(stores.render(self.sections(*args, **sections)))
        return str(path)

    def command(self, config: str, *words: str) -> tuple[int, str, str]:
        """Run it here; gives exit code, standard output and error."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main.main([*words, '--config-file', config])
        for text in (out.getvalue(), err.getvalue()):
            self.assertNotIn(self.cloud.site.glance.password, text)
        return code, out.getvalue(), err.getvalue()

    def rows(self, config: str, *words: str) -> tuple[int, Rows]:
        """Run it here; gives exit code and what it printed as JSON."""
        code, out, err = self.command(config, *words, '--format', 'json')
        self.assertEqual('', err)
        return code, json.loads(out)

    def process(
        self, *words: str, **environment: str
    ) -> 'subprocess.CompletedProcess[str]':
        """Run the console script in a process of its own."""
        script = Path(sys.executable).with_name('glance-bufswift')
        return subprocess.run(
            [str(script), *words],
            text=True,
            capture_output=True,
            env=process.child_environment() | environment,
            timeout=120,
        )
