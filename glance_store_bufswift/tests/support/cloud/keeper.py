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
to clean up. The keeper can: it sits in a session of its own (a Ctrl-C does
not reach it), and when the process that started it is gone it has the servers
ended, removes the directory, and ends.

It takes one JSON object a line on its standard input and answers each with
one on its standard output: start a server, poll one, stop one, or have
nurseries prepared. It hands them on to these (see nursery.py): its own, or
those of the run's cloud.
"""

from collections.abc import Iterator
import contextlib
import json
import os
from pathlib import Path
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import types
from typing import Any

NURSERY = 'glance_store_bufswift.tests.support.cloud.nursery'

FAMILIES = ('keystone', 'swift', 'proxy', 'glance', 'program')

# The family of those kinds of servers that are not Swift's storage.
_FAMILY = {
    'glance': 'glance',
    'keystone': 'keystone',
    'program': 'program',
    'proxy': 'proxy',
    'scrubber': 'glance',
}


def _address(root: Path, family: str) -> str:
    return str(root / f'{family}.nursery')


class Connection:
    """A connection to a nursery; the servers that it started end with it."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._answers = self._socket.makefile()
        self._socket.connect(address)

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Have an order carried out.

        :raises OSError: the nursery is gone
        """
        self._socket.sendall(json.dumps(order).encode() + b'\n')
        if not (line := self._answers.readline()):
            raise ConnectionError('it does not answer')
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Have the servers ended; don't wait for that."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def join(self) -> None:
        """Wait until the servers have ended."""
        with contextlib.suppress(OSError):
            self._answers.read()


class Servers:
    """The servers of one keeper: who has started which.

    :param root: where the nurseries listen
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._connections: dict[str, Connection] = {}
        self._families: dict[int, str] = {}

    def answer(self, order: dict[str, Any]) -> dict[str, Any]:
        """Have an order carried out."""
        if order['do'] == 'prepare':
            for family in order['families']:
                self.connect(family)
            return {}
        if order['do'] != 'start':
            return self._ask(self._families[order['pid']], order)
        family = _FAMILY.get(order['args'][0], 'swift')
        answer = self._ask(family, order | {'env': dict(os.environ)})
        if 'pid' in answer:
            self._families[answer['pid']] = family
        return answer

    def connect(self, family: str) -> Connection:
        """Return the connection to a nursery; a new one begins to import."""
        if family not in self._connections:
            self._connections[family] = Connection(
                _address(self._root, family)
            )
        return self._connections[family]

    def _ask(self, family: str, order: dict[str, Any]) -> dict[str, Any]:
        try:
            return self.connect(family).ask(order)
        except OSError as exc:
            return {'error': f'the nursery of {family} is gone: {exc}'}

    def stop_all(self) -> None:
        """End every server."""
        for connection in self._connections.values():
            connection.end()
        for connection in self._connections.values():
            connection.join()


def orders(end: int) -> Iterator[dict[str, Any]]:
    """Yield the orders until there are no more.

    :param end: a file descriptor that tells, too, when that is
    """
    poller = select.poll()
    poller.register(sys.stdin.fileno(), select.POLLIN)
    poller.register(end, select.POLLIN)
    received = b''
    while end not in [fd for fd, _ in poller.poll()]:
        data = os.read(sys.stdin.fileno(), 65536)
        if not data:
            return
        *lines, received = (received + data).split(b'\n')
        yield from map(json.loads, lines)


def _start_nursery(root: Path, family: str) -> subprocess.Popen[bytes]:
    # It listens from now on, however long that process takes to start.
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(_address(root, family))
        listener.listen()
        return subprocess.Popen(
            [sys.executable, '-m', NURSERY, str(os.getpid()), family],
            stdin=listener.fileno(),
            stdout=subprocess.DEVNULL,
        )


def _end(signum: int, frame: types.FrameType | None) -> None:
    sys.exit(128 + signum)


def main(owner: int, cloud: str = '') -> None:
    """Serve the process `owner` until it is gone; then remove all.

    :param cloud: the directory of the cloud whose nurseries to use; by
        default we have our own
    """
    signal.signal(signal.SIGTERM, _end)
    root = Path(tempfile.mkdtemp(prefix='bufswift-cloud-'))
    families = [] if cloud else FAMILIES
    nurseries = [_start_nursery(root, family) for family in families]
    servers = Servers(Path(cloud or root))
    try:
        print(json.dumps({'root': str(root)}), flush=True)
        # The pipe alone does not tell of its end: a process that the owner
        # has forked may hold its other end.
        for order in orders(os.pidfd_open(owner)):
            print(json.dumps(servers.answer(order)), flush=True)
    except (BrokenPipeError, ProcessLookupError):
        pass  # the owner died in the middle of a word
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        servers.stop_all()
        for nursery in nurseries:
            nursery.terminate()
        for nursery in nurseries:
            nursery.wait()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == '__main__':
    main(int(sys.argv[1]), *sys.argv[2:])
