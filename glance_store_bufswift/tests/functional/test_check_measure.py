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

"""``glance-bufswift check --measure``: what it tells, and what it leaves."""

from concurrent import futures
import os
import pty
import signal
import subprocess
import sys
import threading
from typing import Any

import fixtures
import swiftclient

from glance_store_bufswift.check import load
from glance_store_bufswift.cmd import status
from glance_store_bufswift.tests.functional import commands
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support import signals

#: Bytes in an object at most, so that a test takes a moment.
LARGEST = 128 << 10

#: What is smaller here than an operator has it, in the package of the check.
SMALLER: dict[str, Any] = {
    'host.DIGEST_SECONDS': 0.01,
    'host.MAX_WRITTEN': 1,
    'load.MAX_SIZE': LARGEST,
}

#: The command in a process of its own, with that.
PROGRAM = '; '.join(
    [
        'import sys',
        'from glance_store_bufswift.check import host, load',
        'from glance_store_bufswift.cmd import main',
        *(f'{name} = {value!r}' for name, value in SMALLER.items()),
        'sys.exit(main.main(sys.argv[1:]))',
    ]
)

#: Seconds after which a command that hangs is a failed test.
GENEROUS = 120


class Case(commands.Case):
    options: dict[str, Any] = {
        'swift_store_large_object_size': None,
        'swift_store_large_object_chunk_size': 200,
    }

    def setUp(self) -> None:
        super().setUp()
        pauses = {'temporary.DELETE_PAUSES': (0, 0.1)}
        for name, value in (SMALLER | pauses).items():
            self.useFixture(
                fixtures.MonkeyPatch(
                    f'glance_store_bufswift.check.{name}', value
                )
            )

    def measure(
        self, *words: str, **options: Any
    ) -> dict[str, list[dict[str, Any]]]:
        """What is told, by subject, and nothing is left."""
        self.code, rows = self.rows(
            self.config(fast=options),
            'check',
            '--measure',
            '--no-round-trip',
            *words,
        )
        self.assert_nothing_left()
        found: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            found.setdefault(row['subject'], []).append(row)
        return found

    def assert_nothing_left(self) -> None:
        self.assertEqual([], self.listing())
        self.assertEqual([], os.listdir(self.buffers))

    def sent(self) -> list[str]:
        """The objects that were put."""
        return [
            each.path
            for each in self.proxy.log
            if each.method == 'PUT' and '/0000' in each.path
        ]


class TestFigures(Case):
    def test_all(self) -> None:
        self.cloud.connection().put_container(self.container)
        found = self.measure('--uploads', '3')
        self.assertEqual(0, self.code)
        self.assertEqual(
            [1, 2, 4, 8],
            [row['figures']['connections'] for row in found['speed']],
        )
        for subject in ('speed', 'requests', 'disk', 'digest'):
            for row in found[subject]:
                self.assertTrue(row['figures'], row)
                self.assertLess(0, min(row['figures'].values()), row)
        told = {
            name: value
            for row in found['proposal']
            for name, value in row['figures'].items()
        }
        self.assertEqual(
            {
                'hashing_algorithm',
                'swift_buffered_threads',
                'swift_buffered_read_threads',
                'swift_buffered_disk_quota',
                'swift_store_large_object_chunk_size',
            },
            set(told),
        )
        # Sizes to find out, one that makes the connection, and the load.
        most = (
            1
            + load.PUT_COUNT
            + len(load.PROBE_SIZES)
            + 4 * load.OBJECTS_PER_PHASE
        )
        self.assertLessEqual(len(self.sent()), most)
        self.assertTrue(self.cloud.connection().head_container(self.container))

    def test_text(self) -> None:
        code, out, err = self.command(
            self.config(), 'check', '--measure', '--no-round-trip'
        )
        self.assertEqual((0, ''), (code, err))
        self.assertRegex(out, r'\n  to Swift   1 connection +[\d.]+  #+')
        self.assertRegex(out, r'\n\[DEFAULT\]\n(# .*\n)+hashing_algorithm = s')
        self.assertRegex(
            out, r'\n\[fast\]\n(# .*\n)+swift_buffered_threads = \d\n'
        )
        self.assertNotIn('ok       proposal', out)
        self.assert_nothing_left()

    def test_quiet(self) -> None:
        code, out, _ = self.command(
            self.config(), 'check', '--measure', '--no-round-trip', '-q'
        )
        self.assertEqual(0, code)
        self.assertNotIn('connection', out)

    def test_a_container_that_was_not_there(self) -> None:
        self.assertIn('speed', self.measure())
        exc = self.assertRaises(
            swiftclient.ClientException,
            self.cloud.connection().head_container,
            self.container,
        )
        self.assertEqual(404, exc.http_status)

    def test_multi_tenant(self) -> None:
        found = self.measure(
            swift_store_multi_tenant=True, swift_store_config_file=None
        )
        self.assertIn('speed', found, str(found))
        _, listed = self.cloud.connection().get_account(prefix=self.container)
        self.assertEqual([], listed)


class TestNotMeasured(Case):
    def why(self, **options: Any) -> str:
        found = self.measure(**options)
        self.assertNotIn('speed', found)
        (row,) = found['measure']
        self.assertEqual('error', row['result'])
        return str(row['found'])

    def test_no_container(self) -> None:
        self.assertIn(
            'does not exist',
            self.why(swift_store_create_container_on_put=False),
        )

    def test_what_keeps_versions(self) -> None:
        self.cloud.connection().put_container(
            self.container, {'X-Versions-Enabled': 'true'}
        )
        self.addCleanup(
            self.cloud.connection().post_container,
            self.container,
            {'X-Versions-Enabled': 'false'},
        )
        self.assertIn('keeps what is deleted', self.why())
        self.assertEqual([], self.sent())

    def test_a_put_fails(self) -> None:
        """Those before it are deleted."""
        self.proxy.add(
            faults.Rule(
                faults.Status(code=503), 'PUT', '/0000', times=None, skip=9
            )
        )
        self.assertIn('503', self.why())
        self.assertLess(9, len(self.sent()))

    def test_an_answer_is_lost(self) -> None:
        """What was stored all the same is deleted."""
        self.proxy.add(
            faults.Rule(
                faults.LostAnswer(), 'PUT', '/0000', times=None, skip=9
            )
        )
        self.why()


class TestInterrupted(Case):
    def test_in_the_middle(self) -> None:
        """Ctrl-C while objects are under way, each way."""
        self.useFixture(signals.Interrupts())
        self.cloud.connection().put_container(self.container)
        for method, shown in (
            ('PUT', b'4 connections to Swift'),
            ('GET', b'2 connections from Swift'),
        ):
            told = self.interrupted_at(method, shown)
            self.assertIn(shown, told)
            self.assertIn(b'deleting', told)
            self.assertTrue(self.sent())
            self.assert_nothing_left()

    def interrupted_at(self, method: str, shown: bytes) -> bytes:
        """What a command shows that meets Ctrl-C in a request.

        :param shown: what it says before that request
        """
        self.proxy.clear()  # of a hook that reads another terminal
        main, terminal = pty.openpty()
        os.set_blocking(main, False)
        begun: futures.Future[subprocess.Popen[bytes]] = futures.Future()
        lock, told = threading.Lock(), bytearray()

        def interrupt(_: object) -> None:
            with lock:
                before = shown in told
                told.extend(available(main))
                if shown in told and not before:
                    begun.result().send_signal(signal.SIGINT)

        self.proxy.add(
            faults.Rule(faults.Hook(interrupt), method, '/0000', times=None)
        )
        command = ['check', '--measure', '--no-round-trip']
        with subprocess.Popen(
            [
                sys.executable,
                '-c',
                PROGRAM,
                *command,
                '--config-file',
                self.config(),
            ],
            stdout=subprocess.DEVNULL,
            stderr=terminal,
            env=process.child_environment(),
        ) as run:
            os.close(terminal)
            begun.set_result(run)
            code = run.wait(GENEROUS)
        told.extend(available(main))
        os.close(main)
        self.assertEqual(status.INTERRUPTED, code, str(bytes(told)))
        return bytes(told)


def available(main: int) -> bytes:
    """What a terminal has shown since the last time."""
    shown = b''
    while True:
        try:
            block = os.read(main, 4096)
        except OSError:  # nothing more yet; or, on Linux, the end
            return shown
        if not block:
            return shown
        shown += block
