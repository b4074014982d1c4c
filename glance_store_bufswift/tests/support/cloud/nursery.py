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

"""A process that forks servers whose modules it has imported already.

Imports are most of what a start costs. So a run of tests has a nursery for
each family of servers: `python -m ...nursery OWNER FAMILY`, with a listening
socket as its standard input. It imports when the first keeper connects. For
each connection it forks a process that takes orders as long as both keeper
and nursery live, and then ends its servers. These are forks in turn, and as
new as servers started by hand: no configuration is read here, nothing
patched, no thread started.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any

from glance_store_bufswift.tests.support.cloud import keeper
from glance_store_bufswift.tests.support.cloud import serve

# Seconds that servers have to end by themselves before they are killed.
GRACE = 3.0

# What the servers of a family import. Left out is what reads its configuration
# when it is imported, as glance.wsgi.api does.
_MODULES: dict[str, tuple[str, ...]] = {
    'swift': (
        'swift.account.server',
        'swift.container.replicator',
        'swift.container.server',
        'swift.obj.server',
        'swift.obj.updater',
    ),
    'proxy': (
        'keystonemiddleware.auth_token',
        'swift.proxy.server',
    ),
    'keystone': (
        'keystone.cmd.bootstrap',
        'keystone.common.sql.upgrades',
        'keystone.server.wsgi',
        'oslo_messaging._drivers.impl_rabbit',
        'sqlalchemy.dialects.sqlite',
        'waitress',
    ),
    'glance': (
        'glance.api.v2.router',
        # Not glance.cmd.scrubber: in Glance 30 its import replaces select.
        'glance.cmd.manage',
        'glance_store._drivers.swift',
        'glance_store_bufswift.driver',
        'glance_store_bufswift.stores.multi',
        'glance_store_bufswift.stores.single',
        'keystonemiddleware.auth_token',
        'oslo_messaging._drivers.impl_rabbit',
        'sqlalchemy.dialects.sqlite',
    ),
    'program': (),
}


_APPEND = os.O_CREAT | os.O_APPEND | os.O_WRONLY


class Servers:
    """Forked servers, by process id, and what may be asked of them."""

    def __init__(self) -> None:
        self._statuses: dict[int, int | None] = {}

    def answer(self, order: dict[str, Any]) -> dict[str, Any]:
        """Carry one order out; the process id 0 says: in the new server."""
        if order['do'] == 'start':
            return {'pid': self._start(order)}
        if order['do'] == 'stop':
            self._stop([order['pid']])
        return {'status': self._poll(order['pid'])}

    def _start(self, order: dict[str, Any]) -> int:
        parent = os.getpid()
        waiting, born = os.pipe()
        log = os.open(order['log'], _APPEND, 0o666)
        if not (pid := os.fork()):
            _become_server(parent, log, order['env'])
            return 0
        os.close(log)
        os.close(born)
        # It has closed its own end when it has a group that can be killed.
        os.read(waiting, 1)
        os.close(waiting)
        self._statuses[pid] = None
        return pid

    def stop_all(self) -> None:
        """End every server."""
        self._stop(list(self._statuses))

    def _stop(self, pids: list[int]) -> None:
        running = [pid for pid in pids if self._poll(pid) is None]
        for pid in running:
            os.killpg(pid, signal.SIGTERM)
        for pid in running:
            if not _ends(pid):
                os.killpg(pid, signal.SIGKILL)
            self._poll(pid, 0)

    def _poll(self, pid: int, how: int = os.WNOHANG) -> int | None:
        if self._statuses[pid] is None and (ended := os.waitpid(pid, how))[0]:
            self._statuses[pid] = os.waitstatus_to_exitcode(ended[1])
        return self._statuses[pid]


def _ends(pid: int) -> bool:
    """Whether a child of ours ends soon."""
    handle = os.pidfd_open(pid)
    try:
        return bool(select.select([handle], [], [], GRACE)[0])
    finally:
        os.close(handle)


def _become_server(parent: int, log: int, environment: dict[str, str]) -> None:
    """Keep nothing of the process that has forked this one."""
    serve.die_with(parent, signal.SIGKILL)
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((null, log, log)):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(environment)
    os.closerange(3, os.sysconf('SC_OPEN_MAX'))


def _take_orders(end: int) -> list[str]:
    """Serve a keeper; return in the new servers only, with their arguments."""
    servers = Servers()
    for order in keeper.orders(end):
        answer = servers.answer(order)
        if answer.get('pid') == 0:
            return list(order['args'])
        try:
            print(json.dumps(answer), flush=True)
        except OSError:
            break  # the keeper died in the middle of a word
    servers.stop_all()
    # What the modules do at an exit is not for this process.
    os._exit(0)


def _import(family: str) -> None:
    for module in _MODULES[family]:
        # What is not installed is for the server to tell, in its log.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    # No collection is to touch, and so to copy, what all servers share.
    gc.freeze()


def _end(life: int) -> None:
    """Have all servers ended, and wait, also for their CPU time."""
    os.close(life)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    os._exit(0)


def main(owner: str, family: str) -> list[str]:
    """Fork for each keeper until `owner` ends; see _take_orders()."""
    end, life = os.pipe()
    signal.signal(signal.SIGTERM, lambda signum, frame: _end(life))
    serve.die_with(int(owner), signal.SIGTERM)
    listener = socket.socket(fileno=sys.stdin.fileno())
    connection, _ = listener.accept()
    _import(family)
    while os.fork():
        connection.close()
        connection, _ = listener.accept()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.close(life)
    listener.detach()
    for standard in (sys.stdin, sys.stdout):
        os.dup2(connection.fileno(), standard.fileno())
    connection.close()
    return _take_orders(end)


if __name__ == '__main__':
    serve.main(*main(*sys.argv[1:]))
