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

"""The benchmark's processes: each ends when the one that started it does."""

from collections.abc import Mapping
import json
import os
import subprocess
import sys
import threading
import types
from typing import Any

from glance_store_bufswift.tests.support.cloud import process

#: Seconds that a process may take to end by itself.
_PATIENCE = 5.0


class Failed(Exception):
    """A process ended early; its own words are on standard error."""


class Child:
    """A module of the benchmark, run as a process; ended with the context.

    :param module: its name within this package
    :param argument: what it is handed, as JSON
    :param environment: variables that it gets beside the others
    """

    def __init__(
        self,
        module: str,
        argument: Any,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._name = module
        self._process = subprocess.Popen(
            [
                sys.executable,
                '-m',
                f'{__package__}.{module}',
                json.dumps(argument),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C is for this process, which ends its children.
            start_new_session=True,
            env=process.child_environment()
            | {
                # Of the libraries, about each other.
                'PYTHONWARNINGS': 'ignore'
            }
            | dict(environment or {}),
        )

    def __enter__(self) -> 'Child':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        """Close its standard input, which ends it; else kill it."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def tell(self) -> Any:
        """What it prints next, a line of JSON; waits for it."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise Failed(
                f'the process {self._name} ended with status '
                f'{self._process.wait()}'
            )
        return json.loads(line)

    def go(self) -> None:
        """Let wait_for_go() return there."""
        assert self._process.stdin
        self._process.stdin.write(b'\n')
        self._process.stdin.flush()


def wait_for_go() -> None:
    """In a child: wait for its parent's word."""
    if not os.read(0, 1):
        sys.exit(1)


def end_with_input() -> None:
    """In a child: from now on, end when the parent has ended."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
