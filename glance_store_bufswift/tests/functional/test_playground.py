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

"""The cloud to play with: used as a person does, and ended."""

import os
from pathlib import Path
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from urllib import parse

import fixtures
from keystoneauth1 import adapter
from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session
from oslotest import base

from glance_store_bufswift.tests.programs.playground import scene
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support import streams

_COMMAND = [
    sys.executable,
    '-m',
    'glance_store_bufswift.tests.programs.playground',
]

#: Seconds until something must have been printed.
_TIMEOUT = 180.0


class Terminal:
    """A terminal of its own, with the command in it."""

    def __init__(self) -> None:
        self._fd, slave = os.openpty()
        self.text = ''
        # A session's leader gets the first terminal that it opens.
        self.command = subprocess.Popen(
            [
                'sh',
                '-c',
                'exec "$@" <>"$0" >&0 2>&0',
                os.ttyname(slave),
                *_COMMAND,
            ],
            start_new_session=True,
            env=process.child_environment(clouds.Cloud.attach().site.root),
        )
        # With nobody on the other side reading fails: first it has to come.
        select.select([self._fd], [], [], _TIMEOUT)
        os.close(slave)

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self._fd, text.encode())

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until the screen shows it; what is before is forgotten."""
        deadline = time.monotonic() + _TIMEOUT
        while True:
            found = re.search(pattern, self.text)
            if found:
                self.text = self.text[found.end() :]
                return found
            left = deadline - time.monotonic()
            if not select.select([self._fd], [], [], max(0, left))[0]:
                raise AssertionError(f'no {pattern!r} in: {self.text}')
            self.text += os.read(self._fd, 65536).decode()

    def close(self) -> None:
        """Take the terminal away."""
        self.command.kill()
        self.command.wait()
        os.close(self._fd)


def client(openrc: Path) -> adapter.Adapter:
    """Glance's API, as the printed variables say."""
    words = [
        word
        for line in openrc.read_text().splitlines()
        for word in shlex.split(line)
    ]
    found = dict(word.split('=', 1) for word in words if '=' in word)
    auth = v3.Password(
        auth_url=found['OS_AUTH_URL'],
        username=found['OS_USERNAME'],
        password=found['OS_PASSWORD'],
        project_name=found['OS_PROJECT_NAME'],
        user_domain_id=found['OS_USER_DOMAIN_ID'],
        project_domain_id=found['OS_PROJECT_DOMAIN_ID'],
    )
    return adapter.Adapter(
        ks_session.Session(auth),
        service_type='image',
        interface='public',
        region_name=found['OS_REGION_NAME'],
    )


class TestPlayground(base.BaseTestCase):
    def test_a_visit(self) -> None:
        terminal = Terminal()
        self.addCleanup(terminal.close)
        openrc = Path(terminal.wait_for(r'\. (\S+/openrc)')[1])
        terminal.wait_for('Ctrl-C')
        terminal.type('nonsense\n')
        terminal.wait_for("unknown: 'nonsense'")
        for name in ('reset', 'revoke'):
            terminal.type(f'{name}\n')
            terminal.wait_for('will re')
        glance = client(openrc)
        data = streams.image(2 * scene.SEGMENT * 1024 * 1000 + 5)
        image = glance.post(
            '/v2/images',
            json={
                'name': 'mine',
                'disk_format': 'raw',
                'container_format': 'bare',
            },
        ).json()['id']
        glance.put(
            f'/v2/images/{image}/file',
            data=data,
            headers={'Content-Type': 'application/octet-stream'},
        )
        terminal.wait_for(
            f'Image {image} stored: {len(data)} bytes in '
            r'3 segments, [1-9] retries'
        )
        self.assertEqual(data, glance.get(f'/v2/images/{image}/file').content)
        urls = [
            glance.get_endpoint(),
            glance.get_endpoint(service_type='identity'),
        ]
        terminal.type('\x03')
        terminal.wait_for('nothing is left')
        self.assertEqual(0, terminal.command.wait(_TIMEOUT))
        self.assertFalse(openrc.parent.exists())
        for url in urls:
            port = parse.urlsplit(url).port
            self.assertRaises(
                ConnectionRefusedError,
                socket.create_connection,
                (process.HOST, port),
            )

    def test_terminated_while_it_starts(self) -> None:
        directory = self.useFixture(fixtures.TempDir()).path
        command = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**process.child_environment(), 'TMPDIR': directory},
            text=True,
        )
        assert command.stdout
        with command:
            self.assertIn('starting', command.stdout.read(40))
            command.send_signal(signal.SIGTERM)
            self.assertIn('nothing is left', command.stdout.read())
        self.assertEqual(128 + signal.SIGTERM, command.returncode)
        self.assertEqual([], os.listdir(directory))
