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

"""Servers as child processes: start, wait until they answer, stop.

They are in the care of a keeper process (see keeper.py), which has them ended
and removes their directory even when this process is killed.
"""

import dataclasses
import http.client
import json
import os
from pathlib import Path
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import glance_store_bufswift

HOST = '127.0.0.1'

# The directory of a cloud whose nurseries a new cloud is to use too.
_NURSERIES = 'BUFSWIFT_TEST_NURSERIES'

# Seconds a server may take to answer; slow machines import for a long time.
START_TIMEOUT = 120.0

# Below every ephemeral range in use, so that no outgoing connection takes a
# port between its choice here and the server's bind.
PORTS = range(20000, 32000)


class ServerError(Exception):
    """A server died or never answered; the message has its log's tail."""


@dataclasses.dataclass(frozen=True)
class Server:
    """A started server: its name, process id and log file."""

    name: str
    pid: int
    log: Path

    def tail(self, lines: int = 30) -> str:
        """Return the last lines of the log."""
        text = self.log.read_text(errors='replace')
        return '\n'.join(text.splitlines()[-lines:])


def free_ports(count: int) -> list[int]:
    """Return so many different loopback ports that nothing listens on."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        if len(found) == count:
            break
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        found.append(port)
    return found


def child_environment(nurseries: str = '') -> dict[str, str]:
    """Return an environment in which a child finds this very package.

    :param nurseries: the directory of a cloud whose nurseries are to fork the
        servers of the child's own: its imports take seconds
    """
    home = Path(glance_store_bufswift.__file__).parent.parent
    path = [str(home), os.environ.get('PYTHONPATH', '')]
    return {
        **os.environ,
        'PYTHONPATH': os.pathsep.join(filter(None, path)),
        _NURSERIES: nurseries,
    }


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request('GET', path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Keeper:
    """This process's side of its keeper process; thread safe.

    `root` is a new directory that goes when the keeper goes, which is when
    close() is called or this process ends, in whatever way.

    :param cloud: the directory of the running cloud that the servers belong
        to; by default this is a new one
    """

    def __init__(self, cloud: str = '') -> None:
        self._lock = threading.Lock()
        cloud = os.environ.get(_NURSERIES) or cloud
        keeper = [sys.executable, '-m', f'{__package__}.keeper']
        self._process = subprocess.Popen(
            [*keeper, str(os.getpid()), cloud],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=child_environment(),
        )
        self.root = Path(self._read()['root'])

    @property
    def pid(self) -> int:
        """The keeper's process id."""
        return self._process.pid

    def prepare(self, *families: str) -> None:
        """Have nurseries begin to import, side by side; don't wait."""
        self._ask(do='prepare', families=families)

    def start(self, name: str, *args: str) -> Server:
        """Start `serve.py` with these arguments; `name` names its log."""
        log = self.root / f'{name}.log'
        answer = self._ask(do='start', args=list(args), log=str(log))
        return Server(name, answer['pid'], log)

    def wait(
        self,
        server: Server,
        port: int,
        path: str,
        timeout: float = START_TIMEOUT,
    ) -> None:
        """Wait until the server answers a GET of `path`, below 500."""
        deadline = time.monotonic() + timeout
        while not _answers(port, path):
            status = self._poll(server)
            if status is not None:
                raise ServerError(
                    f'{server.name} ended with {status}:\n{server.tail()}'
                )
            if time.monotonic() > deadline:
                raise ServerError(
                    f'{server.name} gives no answer after '
                    f'{timeout} s:\n{server.tail()}'
                )
            time.sleep(0.05)

    def join(self, server: Server, timeout: float = START_TIMEOUT) -> int:
        """Wait until a server ends by itself; return its status."""
        deadline = time.monotonic() + timeout
        while (status := self._poll(server)) is None:
            if time.monotonic() > deadline:
                raise ServerError(
                    f'{server.name} still runs after '
                    f'{timeout} s:\n{server.tail()}'
                )
            time.sleep(0.05)
        return status

    def stop(self, server: Server) -> None:
        """End a server: TERM, then KILL."""
        self._ask(do='stop', pid=server.pid)

    def close(self) -> None:
        """End all servers, remove the directory, end the keeper."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        # Its own work, unless it was killed.
        shutil.rmtree(self.root, ignore_errors=True)

    def _poll(self, server: Server) -> int | None:
        status: int | None = self._ask(do='poll', pid=server.pid)['status']
        return status

    def _ask(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin
        with self._lock:
            self._process.stdin.write(json.dumps(order).encode() + b'\n')
            self._process.stdin.flush()
            answer = self._read()
        if 'error' in answer:
            raise ServerError(answer['error'])
        return answer

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise ServerError('the keeper of the test cloud is gone')
        answer: dict[str, Any] = json.loads(line)
        return answer
