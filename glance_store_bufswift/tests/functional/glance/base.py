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

"""What tests through Glance have in common."""

from collections.abc import Callable
from collections.abc import Iterator
import hashlib
from importlib import metadata
from pathlib import Path
import time
from typing import Any
import unittest

from keystoneauth1 import adapter
from keystoneauth1 import session as ks_session
import requests

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional.glance import servers
from glance_store_bufswift.tests.support.cloud import glance
from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support import leaks
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT

#: Seconds until something that Glance does in the background must be done.
TIMEOUT = 60.0

#: Three segments, the last one not full.
IMAGE = streams.image(2 * SEGMENT + 5)

#: Bytes in a chunk of a body that comes in chunks. Glance 30 hands one on as
#: it is, however much its reader asked for (bug 2127521).
CHUNK = 64 << 10

#: For tests of a size that the client announces beside a body in chunks.
SIZE_ANNOUNCED = unittest.skipIf(
    int(metadata.version('glance').partition('.')[0]) < 31,
    'Glance 30 does not know X-OpenStack-Image-Size',
)

_sessions: dict[keystone.User, ks_session.Session] = {}


def chunks(data: bytes) -> Iterator[bytes]:
    """A body that is sent in chunks."""
    return (
        data[start : start + CHUNK] for start in range(0, len(data), CHUNK)
    )


class TestCase(base.TestCase):
    """A test with the Glance whose store `fast` is ours."""

    def setUp(self) -> None:
        super().setUp()
        self.glance = self.start()
        self.container = servers.CONTAINER
        self.buffers = str(self.glance.root / 'buffers')
        self.log_start = self.glance.server.log.stat().st_size
        self.addCleanup(self.assert_log_keeps_secrets)
        self.image = self.create()
        self.addCleanup(self.assert_nothing_left)
        self.addCleanup(self.delete)
        self.cloud.clear()

    def start(self) -> glance.Glance:
        """The Glance that this test is for."""
        return servers.ours()

    def session(self, user: keystone.User | None = None) -> ks_session.Session:
        """A session of a user, by default the ordinary one; kept.

        All tests have its token: don't revoke it.
        """
        user = user or self.cloud.site.demo
        if user not in _sessions:
            _sessions[user] = self.cloud.session(direct=True, user=user)
        return _sessions[user]

    def api(
        self,
        user: keystone.User | None = None,
        server: glance.Glance | None = None,
    ) -> adapter.Adapter:
        """Glance's API for a user."""
        return adapter.Adapter(
            self.session(user),
            raise_exc=False,
            endpoint_override=f'{(server or self.glance).url}/v2',
        )

    def token(self) -> str:
        """A token of the ordinary user."""
        return str(self.session().get_token())

    # Requests

    def create(self, **properties: Any) -> str:
        """Create an image record; return its id."""
        answer = self.api().post(
            '/images',
            json={
                'name': self.id()[-80:],
                'disk_format': 'raw',
                'container_format': 'bare',
                **properties,
            },
        )
        self.assertEqual(201, answer.status_code, answer.text)
        return str(answer.json()['id'])

    def upload(
        self,
        data: Any,
        server: glance.Glance | None = None,
        to: str = 'file',
        **headers: str,
    ) -> requests.Response:
        """Upload the image.

        :param data: bytes go with their length, an iterator goes in chunks
        :param to: 'stage' for the staging area
        :param headers: further ones; underscores become dashes
        """
        return self.api(server=server).put(
            f'/images/{self.image}/{to}',
            data=data,
            headers={
                'Content-Type': 'application/octet-stream',
                **{
                    name.replace('_', '-'): value
                    for name, value in headers.items()
                },
            },
        )

    def show(self) -> dict[str, Any]:
        """The image's record."""
        answer = self.api().get(f'/images/{self.image}')
        self.assertEqual(200, answer.status_code, answer.text)
        record: dict[str, Any] = answer.json()
        return record

    def download(
        self, server: glance.Glance | None = None, **headers: str
    ) -> requests.Response:
        """The image's bytes."""
        return self.api(server=server).get(
            f'/images/{self.image}/file', headers=headers
        )

    def delete(self) -> None:
        """Delete the image if it is still there."""
        answer = self.api().delete(f'/images/{self.image}')
        self.assertIn(answer.status_code, (204, 404), answer.text)

    def wait_for(self, **wanted: Any) -> None:
        """Wait until the image's record has these values."""
        self.wait_until(lambda: wanted.items() <= self.show().items())

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Ask again and again until it is so."""
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            if time.monotonic() > deadline:
                self.fail(f'still not after {TIMEOUT} s: {self.show()}')
            time.sleep(0.05)

    # Checks

    def assert_active(
        self, data: bytes, stores: str = 'fast', segments: int | None = None
    ) -> None:
        """The image is whole: what the record says, and what is read."""
        self.assert_nothing_runs()
        record = self.show()
        self.assertEqual(
            ('active', len(data), *streams.hashes(data), 'sha512', stores),
            (
                record['status'],
                record['size'],
                record['checksum'],
                record['os_hash_value'],
                record['os_hash_algo'],
                record['stores'],
            ),
        )
        answer = self.download()
        self.assertEqual(200, answer.status_code)
        self.assertEqual(
            record['os_hash_value'], hashlib.sha512(answer.content).hexdigest()
        )
        if segments is not None:
            self.assertEqual(segments, len(self.listing(f'{self.image}/')))

    def assert_queued(self) -> None:
        """Nothing is left of an upload, and the image awaits another one."""
        self.wait_for(status='queued')
        record = self.show()
        self.assertEqual(
            (None, None, None),
            (record['size'], record['checksum'], record['os_hash_value']),
        )
        self.assert_nothing_left()

    def assert_nothing_left(self) -> None:
        """Nothing is in the store, on the disk, or on its way."""
        self.assertEqual([], self.listing())
        self.assert_nothing_runs()

    def assert_nothing_runs(self) -> None:
        """Glance's workers hold no buffer."""
        workers = self.glance.workers
        self.assertEqual(glance.PROCESSES, len(workers))
        for pid in workers:
            self.assertEqual([], leaks.files(self.buffers, pid))
        self.assertEqual(
            [],
            [
                path
                for path in Path(self.buffers).iterdir()
                if not path.name.endswith('.quota')
            ],
        )

    def log(self) -> str:
        """What Glance has logged in this test."""
        with self.glance.server.log.open('rb') as log:
            log.seek(self.log_start)
            return log.read().decode()

    def assert_log_keeps_secrets(self) -> None:
        """Neither tokens nor passwords are in what our code has logged."""
        site = self.cloud.site
        tokens = {each.headers.get('x-auth-token') for each in self.proxy.log}
        secrets = {site.glance.password, servers.customer().password, *tokens}
        for line in self.log().splitlines():
            if 'glance_store_bufswift' in line:
                self.assertEqual(
                    [],
                    [
                        secret
                        for secret in secrets
                        if secret and secret in line
                    ],
                    line,
                )
