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

"""What functional tests have in common: a real cloud, stores in it."""

from collections.abc import Callable
from pathlib import Path
import re
import threading
from typing import Any
from typing import TypeVar
import unittest
import uuid

import fixtures

from glance_store_bufswift import cleanup
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support.cloud import site as sites
from glance_store_bufswift.tests.support import logs
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.support import tokens

T = TypeVar('T', bound=Callable[..., Any])

#: Upstream's smallest segment: "1 MB" is 1,024,000 bytes there.
SEGMENT = 1024 * 1000

# To make one takes as much as to store five objects.
_SHARED = f'images-{uuid.uuid4().hex}'


def swift_only(why: str) -> Callable[[T], T]:
    """Skip a test, or a class of them, where Ceph RGW stands for Swift.

    :param why: what is different there
    """
    return unittest.skipIf(sites.on_rgw(), f'Ceph RGW {why}')


class TestCase(logs.TestCase):
    """Tests of stores, each in a container of its own unless it says so."""

    #: What the store under test has set in its section.
    options: dict[str, Any] = {}

    #: Whether it is enough when one of these tests signs in. Not for those of
    #: tokens, credentials, and what is asked of Keystone.
    shares_tokens = False

    #: Whether they store in a container that is there from others of the kind.
    #: Not for tests of containers, and of all that one lists.
    shares_container = False

    def setUp(self) -> None:
        super().setUp()
        # Settling is waited for in the tests that are about it.
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.cleanup.SETTLE_SECONDS', 0.1
            )
        )
        # All is written to the file and sent from it, though these segments
        # are small: see test_window.
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.buffer.segment.BUFFERED_WINDOW', 0
            )
        )
        self.cloud = self.attach()
        self.cloud.clear()
        self.addCleanup(self.cloud.clear)
        if self.shares_tokens:
            self.useFixture(tokens.Shared(self.cloud.auth_url))
        self.proxy = self.cloud.swift_proxy
        shares = self.shares_container and self.cloud.keeps_containers
        self.container = _SHARED if shares else f'images-{uuid.uuid4().hex}'
        self.addCleanup(self.cloud.release_container, self.container)
        self.buffers = self.useFixture(fixtures.TempDir()).path
        self.image = str(uuid.uuid4())
        self.records = self.useFixture(logs.Records())
        self.addCleanup(self.assert_no_secrets)

    def attach(self) -> clouds.Cloud:
        """The cloud to test with."""
        return clouds.Cloud.attach()

    def stores(
        self, enabled: str = 'fast:swift+buffered', **sections: Any
    ) -> stores.Stores:
        """Set glance_store up; see sections() for the parameters."""
        return self.useFixture(
            stores.Stores(self.sections(enabled, **sections))
        )

    def sections(
        self, enabled: str = 'fast:swift+buffered', **sections: Any
    ) -> dict[str, dict[str, Any]]:
        """The sections of a glance-api.conf.

        :param enabled: enabled_backends
        :param sections: what to add to the section of each store, and other
            sections; an option of None is left out
        """
        names = [entry.partition(':')[0] for entry in enabled.split(',')]
        config: dict[str, dict[str, Any]] = {
            'DEFAULT': {'enabled_backends': enabled},
            'glance_store': {'default_backend': names[0]},
        }
        for entry in enabled.split(','):
            name, _, kind = entry.partition(':')
            config[name] = self._section(kind) | sections.pop(name, {})
        config |= sections
        for name, options in config.items():
            config[name] = {
                key: value
                for key, value in options.items()
                if value is not None
            }
        return config

    def _section(self, kind: str) -> dict[str, Any]:
        if kind == 'file':
            return {
                'filesystem_store_datadir': self.useFixture(
                    fixtures.TempDir()
                ).path
            }
        common = self.cloud.glance_store_options(self.container) | {
            'swift_store_large_object_size': 1,
            'swift_store_large_object_chunk_size': 1,
        }
        if kind == 'swift':
            return common
        return (
            common
            | {
                'swift_buffered_dir': self.buffers,
                'swift_buffered_min_free_percent': 0,
                'swift_buffered_max_backoff': 0,
            }
            | self.options
        )

    def listing(self, prefix: str = '') -> list[str]:
        """The names that are really in the container."""
        return self.cloud.listing(self.container, prefix)

    def puts(self, path: str = '') -> list[journal.Exchange]:
        """The PUTs of objects that the proxy saw, oldest first.

        :param path: a regex that is found in the object's path
        """
        return [
            each
            for each in self.proxy.log
            if each.method == 'PUT'
            and f'/{self.container}/' in each.path
            and re.search(path, each.path)
        ]

    def set_clock_ahead(self) -> None:
        """Have this host's clock be ahead of Keystone's by a token's life."""
        self.useFixture(
            fixtures.MonkeyPatch(
                'keystoneauth1.access.access.AccessInfo.will_expire_soon',
                lambda info, stale_duration=30: True,
            )
        )

    def tokens_asked_for(self) -> int:
        """How often Keystone was asked for a token, by its address."""
        return len(
            [
                each
                for each in self.cloud.keystone_proxy.log
                if each.path.endswith('/auth/tokens') and each.method == 'POST'
            ]
        )

    def new_container(self) -> str:
        """The name of another container, for this test alone."""
        name = f'images-{uuid.uuid4().hex}'
        self.addCleanup(self.cloud.release_container, name)
        return name

    def assert_no_secrets(self) -> None:
        """No token and no password is in what was logged."""
        tokens = {
            each.headers.get('x-auth-token')
            for each in self.proxy.log + self.cloud.keystone_proxy.log
        }
        site = self.cloud.site
        secrets = {site.glance.password, site.demo.password} | tokens
        for record in self.records.all:
            text = logs.text_of(record)
            self.assertEqual(
                [],
                [secret for secret in secrets if secret and secret in text],
                text,
            )

    def assert_stored(
        self,
        data: bytes,
        answer: Any,
        segments: int | None = None,
        store: str = 'fast',
    ) -> None:
        """add() told the truth, and Swift has the bytes."""
        uri, size, checksum, multihash, metadata = answer
        self.assertEqual(
            (len(data), *streams.hashes(data)), (size, checksum, multihash)
        )
        self.assertEqual({'store': store}, metadata)
        self.assertTrue(uri.endswith(f'/{self.container}/{self.image}'), uri)
        self.assertEqual(
            data, self.cloud.object_bytes(self.container, self.image)
        )
        if segments is not None:
            self.assertEqual(segments, len(self.listing(f'{self.image}/')))
        self.assert_nothing_runs()

    def assert_nothing_left(self) -> None:
        """No object of the image is in Swift, and nothing runs on."""
        self.assertEqual([], self.listing(self.image))
        self.assert_nothing_runs()

    def assert_nothing_runs(self) -> None:
        """No thread of ours is alive, no buffer is held."""
        ours = [
            thread
            for thread in threading.enumerate()
            if thread.name.startswith('bufswift')
        ]
        self.assertEqual([], ours)
        self.assertEqual(
            [],
            [
                path
                for path in Path(self.buffers).iterdir()
                if not path.name.endswith('.quota')
            ],
        )


assert cleanup.SETTLE_SECONDS  # noqa: S101  # the name that setUp() patches
