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

"""The test cloud itself: real services, isolated views, nothing left."""

import io
import os
from pathlib import Path
import signal
import subprocess
import sys
import types

import fixtures
from oslotest import base
import requests
import swiftclient

from glance_store_bufswift.tests.functional import base as functional
from glance_store_bufswift.tests.functional import clouds
from glance_store_bufswift.tests.functional import processes
from glance_store_bufswift.tests.support.cloud import cloud
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support.cloud import site

_PACKAGE = 'glance_store_bufswift.tests.support.cloud'

# A command that says where its cloud is, and waits to be told its exit status.
_SAY_AND_WAIT = (
    'import json, os, sys; '
    f'site = json.loads(os.environ[{site.VARIABLE!r}]); '
    'print(site["root"], os.getpid(), flush=True); '
    'sys.exit(int(input()))'
)

# The cloud's program, but what it starts is a matter of moments.
_SMALL_CLOUD = f"""
import sys
from {_PACKAGE} import __main__ as program
from {_PACKAGE} import keystone
from {_PACKAGE} import site

def start(keeper, **how):
    for name in ('one', 'another'):
        keeper.start(name, 'program', 'sleep', '600')
    root, user = str(keeper.root), keystone.User('', '', '')
    return site.Site(root, 0, 0, user, user, user, user, root)

site.start = start
sys.exit(program.main(sys.argv[1:]))
"""


class TestCloud(clouds.CloudTestCase):
    """What tests rely on."""

    def test_large_object_through_the_proxy(self) -> None:
        client = self.client()
        for number in range(3):
            client.put_object(self.container, f'big/{number}', b'x' * 1000)
        client.put_object(
            self.container,
            'big',
            b'',
            headers={'X-Object-Manifest': f'{self.container}/big/'},
        )
        self.assertEqual(
            b'x' * 3000, self.cloud.object_bytes(self.container, 'big')
        )
        self.assertEqual(
            ['big/0', 'big/1', 'big/2'],
            self.cloud.listing(self.container, 'big/'),
        )
        self.assertEqual(
            4, sum(e.method == 'PUT' for e in self.cloud.swift_proxy.log)
        )
        self.assertTrue(self.cloud.keystone_proxy.log)

    def test_views_are_isolated(self) -> None:
        with cloud.Cloud(self.cloud.site) as other:
            other.swift_proxy.add(
                faults.Rule(faults.Status(code=500), times=None)
            )
            self.client().put_object(self.container, 'a', b'a')
            self.assertRaises(
                swiftclient.ClientException,
                self.client(other).put_object,
                self.container,
                'a',
                b'b',
            )
            self.assertEqual(1, len(other.swift_proxy.log))
        self.assertEqual(1, len(self.cloud.swift_proxy.log))
        self.assertEqual(b'a', self.cloud.object_bytes(self.container, 'a'))

    def test_revoked_token(self) -> None:
        client = self.client()
        client.head_container(self.container)
        url, token = client.url, client.token
        swiftclient.head_container(url, token, self.container)
        self.cloud.revoke(token)
        error = self.assertRaises(
            swiftclient.ClientException,
            swiftclient.head_container,
            url,
            token,
            self.container,
        )
        self.assertEqual(401, error.http_status)

    def test_token_revoked_under_a_put(self) -> None:
        hook = faults.Hook(
            lambda exchange: self.cloud.revoke(
                exchange.headers['x-auth-token']
            )
        )
        self.cloud.swift_proxy.add(faults.Rule(hook, method='PUT'))
        self.client(retries=1).put_object(
            self.container, 'a', io.BytesIO(b'a')
        )
        self.assertEqual(
            [401, 201], [e.status for e in self.cloud.swift_proxy.log]
        )
        self.assertEqual(b'a', self.cloud.object_bytes(self.container, 'a'))

    def test_broken_put_stores_nothing(self) -> None:
        for after in (0, 1000, -1, faults.WHOLE):
            self.cloud.swift_proxy.add(
                faults.Rule(faults.Reset(after), method='PUT')
            )
            self.assertRaises(
                requests.ConnectionError,
                self.client().put_object,
                self.container,
                'a',
                b'x' * 100000,
            )
        self.cloud.swift_proxy.clear()
        self.assertEqual([], self.cloud.listing(self.container))

    def test_late_landing(self) -> None:
        rule = self.cloud.swift_proxy.add(
            faults.Rule(faults.LateLanding(reset=True), method='PUT')
        )
        self.assertRaises(
            requests.ConnectionError,
            self.client().put_object,
            self.container,
            'a',
            b'late',
        )
        self.assertEqual([], self.cloud.listing(self.container))
        self.assertEqual([201], rule.release())
        self.assertEqual(b'late', self.cloud.object_bytes(self.container, 'a'))

    @functional.swift_only('has it in memory')
    def test_release_container(self) -> None:
        for free, left in ((9 << 30, ['a']), (7 << 30, [])):
            usage = types.SimpleNamespace(free=free)
            self.useFixture(
                fixtures.MonkeyPatch(
                    'shutil.disk_usage', lambda _, usage=usage: usage
                )
            )
            self.client().put_object(self.container, 'a', b'a')
            self.cloud.release_container(self.container)
            self.assertEqual(left, self.cloud.listing(self.container))

    def test_tenant(self) -> None:
        context = self.cloud.tenant_context()
        [store] = [
            s for s in context.service_catalog if s['type'] == 'object-store'
        ]
        [url] = [
            e['publicURL']
            for e in store['endpoints']
            if e['region'] == self.cloud.region
        ]
        self.assertEqual(
            self.cloud.site.account_url(self.cloud.front_port)
            % {'project_id': context.project_id},
            url,
        )
        swiftclient.put_container(url, context.auth_token, self.container)
        demo = self.cloud.site.demo
        self.addCleanup(self.cloud.delete_container, self.container, demo)
        self.assertEqual([], self.cloud.listing(self.container, user=demo))

    @functional.swift_only('hangs up on a silent client without an answer')
    def test_variant(self) -> None:
        view = self.cloud.variant(
            client_timeout=1.0, token_seconds=100, validate_through_proxy=True
        )

        class Stalling(io.BytesIO):
            """Give nothing more until Swift has lost its patience."""

            def read(self, size: int | None = -1) -> bytes:
                if self.tell():
                    view.swift_proxy.wait_for(
                        lambda log: log and log[-1].status
                    )
                return super().read(1)

        error = self.assertRaises(
            swiftclient.ClientException,
            self.client(view).put_object,
            self.container,
            'a',
            Stalling(b'ab'),
            content_length=2,
        )
        # Swift's own timeout and that of its WSGI server are the same: which
        # of them is first decides the answer.
        self.assertIn(error.http_status, (408, 499))
        self.assertIn('GET', [e.method for e in view.keystone_proxy.log])


class TestNothingIsLeft(base.BaseTestCase):
    """Whatever ends the run, its servers and its directory go."""

    def start(self, *how: str) -> tuple[subprocess.Popen[str], Path, int]:
        """Start a run; return it, its directory, its command's id.

        :param how: what runs the cloud's program
        """
        run = subprocess.Popen(
            [
                sys.executable,
                *how,
                'exec',
                '--',
                sys.executable,
                '-c',
                _SAY_AND_WAIT,
            ],
            env=process.child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        assert run.stdin and run.stdout
        self.addCleanup(run.stdin.close)
        self.addCleanup(run.stdout.close)
        root, command = run.stdout.readline().split()
        return run, Path(root), int(command)

    def assert_gone(self, root: Path, command: int, others: list[int]) -> None:
        for pid in [command, *others]:
            processes.wait_gone(pid)
        self.assertFalse(root.exists())

    def test_killed(self) -> None:
        run, root, command = self.start('-m', _PACKAGE)
        self.assertEqual(5, len(processes.servers(root)))
        keeper = processes.keeper(root)
        below = processes.below(keeper)
        run.kill()
        self.assert_gone(root, command, [keeper, *below])

    def test_terminated(self) -> None:
        run, root, command = self.start('-c', _SMALL_CLOUD)
        below = processes.below(run.pid)
        run.terminate()
        self.assertEqual(128 + signal.SIGTERM, run.wait(60))
        self.assert_gone(root, command, below)

    def test_keeper_killed(self) -> None:
        own = process.Keeper()
        self.addCleanup(own.close)
        own.start('sleep', 'program', 'sleep', '600')
        keeper = processes.keeper(own.root)
        self.assertEqual(own.pid, keeper)
        below = processes.below(keeper)
        os.kill(keeper, signal.SIGKILL)
        for pid in below:
            processes.wait_gone(pid)
        own.close()
        self.assertFalse(own.root.exists())

    def test_nurseries_killed_then_the_command_ends(self) -> None:
        run, root, command = self.start('-c', _SMALL_CLOUD)
        keeper = processes.keeper(root)
        below = processes.below(keeper)
        for nursery in processes.children(keeper):
            os.kill(nursery, signal.SIGKILL)
        for pid in below:
            processes.wait_gone(pid)
        run.communicate('7')
        self.assertEqual(7, run.returncode)
        self.assert_gone(root, command, [keeper])
