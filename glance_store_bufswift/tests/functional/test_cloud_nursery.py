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

"""Servers that a nursery forks: as new, and in the care of their keeper."""

import contextlib
import os
from pathlib import Path
import signal

import fixtures
from oslotest import base

from glance_store_bufswift.tests.functional import base as functional
from glance_store_bufswift.tests.functional import processes
from glance_store_bufswift.tests.support.cloud import cloud
from glance_store_bufswift.tests.support.cloud import process


class Case(base.BaseTestCase):
    """Tests that start shell scripts in the place of servers."""

    def keep(self, root: str = '') -> process.Keeper:
        """Start a keeper; by default one that has its own nurseries."""
        keeper = process.Keeper(root)
        self.addCleanup(keeper.close)
        return keeper

    def start(self, keeper: process.Keeper, script: str) -> process.Server:
        """Start a script."""
        return keeper.start('script', 'program', '/bin/sh', '-c', script)


class TestServers(Case):
    """The run's nurseries serve a keeper."""

    def setUp(self) -> None:
        super().setUp()
        self.root = cloud.Cloud.attach().site.root
        self.useFixture(fixtures.EnvironmentVariable('WHOSE', 'the keeper'))
        self.keeper = self.keep(self.root)

    def test_status(self) -> None:
        for script, status in (
            ('exit 0', 0),
            ('exit 7', 7),
            ('kill -KILL $$', -signal.SIGKILL),
        ):
            server = self.start(self.keeper, script)
            self.assertEqual(status, self.keeper.join(server))
            self.keeper.stop(server)
            self.assertEqual(status, self.keeper.join(server))

    def test_dies_at_its_start(self) -> None:
        server = self.start(self.keeper, 'echo $WHOSE; cat; exit 3')
        [port] = process.free_ports(1)
        error = self.assertRaises(
            process.ServerError, self.keeper.wait, server, port, '/'
        )
        self.assertEqual('script ended with 3:\nthe keeper', str(error))

    def test_stopped(self) -> None:
        ready = self.keeper.root / 'ready'
        os.mkfifo(ready)
        for trap, status in (
            ('', signal.SIGTERM),
            ("trap '' TERM;", signal.SIGKILL),
        ):
            server = self.start(
                self.keeper, f'{trap} : > {ready}; exec sleep 600'
            )
            ready.read_bytes()
            self.keeper.stop(server)
            self.assertEqual(-status, self.keeper.join(server))

    def test_keeper_is_killed(self) -> None:
        server = self.start(self.keeper, 'sleep 600')
        os.kill(self.keeper.pid, signal.SIGKILL)
        processes.wait_gone(server.pid)

    @functional.swift_only('is no Python')
    def test_nothing_is_inherited(self) -> None:
        """A nursery and its forks have pipes, Swift has not."""
        servers = processes.servers(Path(self.root), 'swift-')
        self.assertEqual(4, len(servers))
        for pid in servers:
            self.assertEqual(pid, os.getsid(pid))
            links = []
            for file in Path(f'/proc/{pid}/fd').iterdir():
                # A connection may be closed by now: other tests use it.
                with contextlib.suppress(FileNotFoundError):
                    links.append(os.readlink(file))
            self.assertEqual(
                [], [link for link in links if link.startswith('pipe:')]
            )


class TestNurseryIsKilled(Case):
    """A keeper has its own."""

    def test_killed(self) -> None:
        keeper = self.keep()
        server = self.start(keeper, 'sleep 600')
        nursery = processes.parent(processes.parent(server.pid))
        os.kill(nursery, signal.SIGKILL)
        processes.wait_gone(server.pid)
        beside = self.keep(str(keeper.root))
        for ask in (
            lambda: keeper.join(server),
            lambda: self.start(keeper, 'true'),
            lambda: self.start(beside, 'true'),
        ):
            error = self.assertRaises(process.ServerError, ask)
            self.assertIn('the nursery of program is gone', str(error))
