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

"""swift_store_multi_tenant: each image in its project's account."""

import logging
from typing import Any
from unittest import mock

import fixtures
from glance_store import exceptions
from glance_store import multi_backend
import keystoneauth1.exceptions
from keystoneauth1 import session as ks_session
import requests

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import tenants
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = tenants.SEGMENT


class TestTenants(tenants.TestCase):
    def check(self, size: int, declared: int = 0, **options: Any) -> None:
        """Upload, read and delete in the user's account."""
        data = streams.image(size)
        made = self.stores(fast=options)
        uri = self.add(made, data, declared)
        self.assertTrue(
            uri.endswith(
                f'/AUTH_{self.context.project_id}/{self.container}/{self.image}'
            ),
            uri,
        )
        self.assertNotIn('@', uri)
        self.assertEqual(data, made.get(uri, context=self.context))
        made.delete(uri, context=self.context)
        self.assertFalse(self.has_container())

    def test_with_trusts(self) -> None:
        self.check(3 * SEGMENT + 5)
        self.assertLess(0, self.trusts('POST'))

    def test_no_request_to_keystone_waits_for_ever(self) -> None:
        timeouts: list[float | None] = []
        true_request = ks_session.Session.request

        def request(self: Any, *args: Any, **kwargs: Any) -> Any:
            timeouts.append(self.timeout)
            return true_request(self, *args, **kwargs)

        made = self.stores()
        with mock.patch.object(ks_session.Session, 'request', request):
            made.add(
                self.image, streams.Stream(b'image'), context=self.context
            )
        self.assertLess(2, len(timeouts))
        self.assertNotIn(None, timeouts)

    def test_without_trusts(self) -> None:
        self.check(3 * SEGMENT + 5, swift_store_use_trusts=False)
        self.assertEqual(0, self.trusts('POST'))

    def test_known_size(self) -> None:
        self.check(3 * SEGMENT + 5, 3 * SEGMENT + 5)

    def test_one_object(self) -> None:
        for size in (0, 5):
            self.check(size)

    def test_trusts_in_backend_defaults(self) -> None:
        made = self.stores(backend_defaults={'swift_store_use_trusts': False})
        self.add(made, streams.image(5))
        self.assertEqual(0, self.trusts('POST'))

    def test_multi_tenant_in_backend_defaults(self) -> None:
        made = self.stores(
            fast={'swift_store_multi_tenant': None},
            backend_defaults={'swift_store_multi_tenant': True},
        )
        self.add(made, streams.image(5))

    def test_one_trust_an_upload(self) -> None:
        self.add(self.stores(), streams.image(6 * SEGMENT))
        self.assertEqual((1, 1), (self.trusts('POST'), self.trusts('DELETE')))

    def test_trust_that_stays(self) -> None:
        """It costs a warning, not the image."""

        def delete(*_: Any) -> None:
            raise keystoneauth1.exceptions.Forbidden

        self.useFixture(
            fixtures.MonkeyPatch(
                'keystoneclient.v3.contrib.trusts.TrustManager.delete', delete
            )
        )
        self.add(self.stores(), streams.image(2 * SEGMENT))
        [warning] = self.records.of(logging.WARNING)
        self.assertIn('trust', warning)

    def test_needs_a_context(self) -> None:
        for kind in ('swift', 'swift+buffered'):
            self.assertRaises(
                exceptions.BadStoreConfiguration,
                self.stores(f'fast:{kind}').add,
                self.image,
                streams.Stream(b'x'),
                1,
            )
        self.assertEqual([], self.proxy.log)

    def test_the_stock_driver(self) -> None:
        """It reads and deletes what we wrote, and the reverse."""
        data = streams.image(2 * SEGMENT + 5)
        for writer, reader in (
            ('swift', 'swift+buffered'),
            ('swift+buffered', 'swift'),
        ):
            uri = self.add(self.stores(f'fast:{writer}'), data)
            other = self.stores(f'fast:{reader}')
            self.assertEqual(data, other.get(uri, context=self.context))
            other.delete(uri, context=self.context)
            self.assertFalse(self.has_container())


class TestFailure(tenants.TestCase):
    """A failed upload leaves no container that it created."""

    def break_off(self, size: int, at: int) -> None:
        def fail() -> None:
            raise error

        error = ValueError('bad')
        stream = streams.Stream(streams.image(size, 2), at=at, then=fail)
        raised = self.assertRaises(
            ValueError,
            self.stores().add,
            self.image,
            stream,
            0,
            context=self.context,
        )
        self.assertIs(error, raised)
        self.assert_nothing_runs()
        self.assertEqual(self.trusts('POST'), self.trusts('DELETE'))

    def test_container_goes(self) -> None:
        for size, at in ((5, 0), (5, 5), (3 * SEGMENT, 2 * SEGMENT)):
            self.break_off(size, at)
            self.assertFalse(self.has_container())

    def test_container_that_was_there_stays(self) -> None:
        data = streams.image(2 * SEGMENT + 5)
        uri = self.add(self.stores(), data)
        before = self.listing()
        self.break_off(3 * SEGMENT, 2 * SEGMENT)
        self.assertEqual(before, self.listing())
        self.assertEqual(data, self.stores().get(uri, context=self.context))

    def test_empty_container_that_was_there_stays(self) -> None:
        self.cloud.connection(self.demo).put_container(self.container)
        self.break_off(3 * SEGMENT, 2 * SEGMENT)
        self.assertEqual([], self.listing())
        self.assertTrue(self.has_container())

    def test_refused(self) -> None:
        self.proxy.add(faults.Rule(faults.Status(code=403), 'PUT', '/0000000'))
        self.assertRaises(
            exceptions.StorageWriteDenied,
            self.stores().add,
            self.image,
            streams.Stream(streams.image(3 * SEGMENT)),
            0,
            context=self.context,
        )
        self.assertFalse(self.has_container())


class TestShares(tenants.TestCase):
    """set_acls, as Glance calls it when members or visibility change."""

    def share(self, uri: str, **who: Any) -> tuple[set[str], int]:
        """The container's read ACL after the call, and what another gets.

        Ceph RGW sorts the list.
        """
        multi_backend.set_acls_for_multi_store(
            uri, 'fast', context=self.context, **who
        )
        headers = self.cloud.connection(self.demo).head_container(
            self.container
        )
        other = self.cloud.session(direct=True, user=self.cloud.site.admin)
        answer = requests.get(
            uri.replace('swift+', '', 1),
            timeout=60,
            headers={'X-Auth-Token': str(other.get_token())},
        )
        readers = str(headers.get('x-container-read', '')).split(',')
        return {each for each in readers if each}, answer.status_code

    def test_members(self) -> None:
        made = self.stores()
        uri = self.add(made, streams.image(2 * SEGMENT + 5))
        other = self.cloud.session(direct=True, user=self.cloud.site.admin)
        member = str(other.get_project_id())
        self.assertEqual((set(), 403), self.share(uri))
        self.assertEqual(
            ({'a:*', f'{member}:*'}, 200),
            self.share(uri, read_tenants=['a', member]),
        )
        self.assertEqual(({'a:*'}, 403), self.share(uri, read_tenants=['a']))
        self.assertEqual((set(), 403), self.share(uri))
        made.delete(uri, context=self.context)
        self.assertFalse(self.has_container())

    @base.swift_only('knows no reader that stands for all projects')
    def test_the_public(self) -> None:
        made = self.stores()
        uri = self.add(made, streams.image(2 * SEGMENT + 5))
        self.assertEqual(({'*:*'}, 200), self.share(uri, public=True))
        self.assertEqual((set(), 403), self.share(uri))
        made.delete(uri, context=self.context)
        self.assertFalse(self.has_container())
