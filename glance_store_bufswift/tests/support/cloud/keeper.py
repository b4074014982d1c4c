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

"""The process that owns a test cloud's servers and its directory.

A run of tests can be interrupted or killed outright, so it can't be trusted
to clean up. The keeper can: it is the servers' parent, sits in a session of
its own (a Ctrl-C does not reach it), and when the process that started it is
gone it ends the servers, removes the directory, and ends.

It takes one JSON object a line on its standard input and answers each with
one on its standard output: start a server, poll one, stop one.
"""

from collections.abc import Iterator
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import types
from typing import Any

SERVE = 'glance_store_bufswift.tests.support.cloud.serve'

# Seconds that servers have to end by themselves before they are killed.
GRACE = 3.0


class Servers:
    """The running servers, by process id, and what may be asked of them."""

    def __init__(self) -> None:
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def answer(self, order: dict[str, Any]) -> dict[str, Any]:
        """Carry one order out."""
        if order['do'] == 'start':
            return {'pid': self._start(order)}
        pid = order['pid']
        if order['do'] == 'stop':
            self._stop([self._running.pop(pid)])
            return {'pid': pid}
        return {'status': self._running[pid].poll()}

    def _start(self, order: dict[str, Any]) -> int:
        command = [sys.executable, '-m', SERVE, str(os.getpid())]
        with open(order['log'], 'ab') as log:
            server = subprocess.Popen(
                command + order['args'],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._running[server.pid] = server
        return server.pid

    def stop_all(self) -> None:
        """End every server."""
        self._stop(list(self._running.values()))
        self._running.clear()

    @staticmethod
    def _stop(servers: list[subprocess.Popen[bytes]]) -> None:
        running = [server for server in servers if server.poll() is None]
        for server in running:
            os.killpg(server.pid, signal.SIGTERM)
        for server in running:
            try:
                server.wait(GRACE)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _orders(owner: int) -> Iterator[dict[str, Any]]:
    """Yield the orders until the owner closes the pipe or dies.

    The pipe alone is not enough to notice: a process that the owner has
    forked may hold its other end.
    """
    poller = select.poll()
    poller.register(sys.stdin.fileno(), select.POLLIN)
    end = os.pidfd_open(owner)
    poller.register(end, select.POLLIN)
    received = b''
    while end not in [fd for fd, _ in poller.poll()]:
        data = os.read(sys.stdin.fileno(), 65536)
        if not data:
            return
        *lines, received = (received + data).split(b'\n')
        yield from map(json.loads, lines)


def _end(signum: int, frame: types.FrameType | None) -> None:
    sys.exit(128 + signum)


def main(owner: int) -> None:
    """Serve the process `owner` until it is gone; then remove all."""
    signal.signal(signal.SIGTERM, _end)
    servers = Servers()
    root = tempfile.mkdtemp(prefix='bufswift-cloud-')
    try:
        print(json.dumps({'root': root}), flush=True)
        for order in _orders(owner):
            print(json.dumps(servers.answer(order)), flush=True)
    except (BrokenPipeError, ProcessLookupError):
        pass  # the owner died in the middle of a word
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        servers.stop_all()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == '__main__':
    main(int(sys.argv[1]))
