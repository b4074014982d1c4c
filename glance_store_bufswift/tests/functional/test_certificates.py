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

"""Certificates that are not trusted, and CA bundles that are none."""

from collections.abc import Callable
import logging
from pathlib import Path
from typing import Any

from glance_store import exceptions

from glance_store_bufswift.tests.functional import commands
from glance_store_bufswift.tests.functional import tenants
from glance_store_bufswift.tests.functional import tls
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.support import streams

SEGMENT = tenants.SEGMENT


class TestCase(commands.Case):
    def setUp(self) -> None:
        super().setUp()
        self.keystone = self.useFixture(
            tls.Front(self.cloud.keystone_proxy.port)
        )
        self.swift = self.useFixture(tls.Front(self.proxy.port))

    def bundles(self) -> list[tuple[str | None, str]]:
        """CA bundles that do not do, and what is said of them."""
        garbage = Path(self.buffers, 'garbage.quota')
        garbage.write_text('no certificate')
        return [
            (None, 'certificate verify failed'),
            ('/nowhere/ca.pem', '/nowhere/ca.pem'),
            (str(garbage), 'X509'),
        ]

    def at_keystone(self, bundle: str | None) -> dict[str, Any]:
        """Options of a store whose Keystone speaks TLS."""
        return {
            'swift_store_auth_address': f'{self.keystone.url}/v3',
            'swift_store_cacert': bundle,
        }

    def at_swift(self, bundle: str | None) -> dict[str, Any]:
        """Options of a store whose Swift speaks TLS."""
        project = self.cloud.session(direct=True).get_project_id()
        return {
            'swift_store_endpoint': self.cloud.site.account_of(
                project, self.swift.url
            ),
            'swift_store_cacert': bundle,
        }


class TestOneAccount(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.data = streams.image(2 * SEGMENT + 5)
        self.name = (
            self.stores()
            .add(self.image, streams.Stream(self.data), 0)[0]
            .partition('@')[2]
        )

    def uri(self, options: dict[str, Any]) -> str:
        """The image's, in a store with these options."""
        user = self.cloud.site.glance
        keystone = self.cloud.auth_url.partition('/v3')[0]
        url = options.get('swift_store_auth_address', keystone)
        scheme, _, host = url.removesuffix('/v3').partition('://')
        return (
            f'swift+{scheme}://{user.project}%3A{user.name}:'
            f'{user.password}@{host}/v3/{self.container}/{self.image}'
        )

    def calls(self, options: dict[str, Any]) -> list[Callable[[], object]]:
        """All that Glance does with a store."""
        made = self.stores(fast=options)
        uri = self.uri(options)
        return [
            lambda: made.add(self.image, streams.Stream(b'x'), 1),
            lambda: made.get(uri),
            lambda: made.delete(uri),
            lambda: made.store('fast').get_size(
                stores.location_of(uri, 'fast', made.conf)
            ),
        ]

    def check(self, options: Callable[[str | None], dict[str, Any]]) -> None:
        """Each call fails at once, and says what is wrong."""
        for bundle, says in self.bundles():
            for call in self.calls(options(bundle)):
                try:
                    call()
                except (
                    exceptions.BackendException,
                    exceptions.RemoteServiceUnavailable,
                ) as exc:
                    told = str(exc)
                self.assertIn(says, told)
                self.assertIn('tried once', told)
                self.assertIn('swift_store_cacert', told)
        self.assertEqual(3, len(self.listing(f'{self.image}/')))

    def test_of_keystone(self) -> None:
        self.check(self.at_keystone)

    def test_of_swift(self) -> None:
        self.check(self.at_swift)

    def test_trusted(self) -> None:
        for options in (
            self.at_keystone(self.keystone.bundle),
            self.at_swift(self.swift.bundle),
        ):
            made = self.stores(fast=options)
            self.assertEqual(self.data, made.get(self.uri(options)))

    def test_bundle_that_nothing_needs(self) -> None:
        """Where all is plain HTTP, none is looked for."""
        made = self.stores(fast={'swift_store_cacert': '/nowhere/ca.pem'})
        self.assertEqual(self.data, made.get(self.uri({})))

    def test_checked(self) -> None:
        for subject, options in (
            ('keystone', self.at_keystone),
            ('container', self.at_swift),
        ):
            for bundle, says in self.bundles():
                code, rows = self.rows(
                    self.config(fast=options(bundle)),
                    'check',
                    '--no-round-trip',
                    '--uploads',
                    '1',
                )
                [bad] = [row for row in rows if row['result'] == 'error']
                self.assertEqual((1, subject), (code, bad['subject']))
                self.assertIn(says, bad['found'])
                self.assertIn('swift_store_cacert', bad['advice'])


class TestTenants(tenants.TestCase, TestCase):
    def test_no_trust(self) -> None:
        """It is not tried again, and the user's token does."""
        made = self.stores(fast=self.at_keystone(None))
        self.add(made, streams.image(2 * SEGMENT))
        [warning] = self.records.of(logging.WARNING)
        self.assertIn('certificate verify failed', warning)
        self.assertIn('tried once', warning)
