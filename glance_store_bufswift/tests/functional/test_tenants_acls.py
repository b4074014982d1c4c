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

"""Who may read an image's container, also when the user's token is dead."""

import gc
from typing import Any

from glance_store import exceptions
from glance_store import multi_backend

from glance_store_bufswift.tests.functional import expiry
from glance_store_bufswift.tests.functional import tenants
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift import trusts

SEGMENT = tenants.SEGMENT


class TestCase(tenants.TrustsTestCase):
    options = {
        **tenants.TrustsTestCase.options,
        'swift_buffered_threads': 1,
        'swift_buffered_retries': 2,
    }

    def setUp(self) -> None:
        super().setUp()
        self.data = streams.image(3 * SEGMENT)

    def share(self, uri: str, **who: Any) -> None:
        """What Glance does with each save of an image."""
        multi_backend.set_acls_for_multi_store(
            uri, 'fast', context=self.context, **who
        )

    def acls(self) -> tuple[str | None, str | None]:
        """Who may read, and who may write the container."""
        headers = self.cloud.connection(self.demo).head_container(
            self.container
        )
        return (
            headers.get('x-container-read'),
            headers.get('x-container-write'),
        )

    def assert_shared(self, uri: str) -> None:
        """All that Glance may ask for comes to pass."""
        for who, acl in (
            (dict(public=True), '*:*'),
            (dict(read_tenants=['a', 'b']), 'a:*,b:*'),
            (dict(read_tenants=[]), None),
        ):
            self.share(uri, **who)
            self.assertEqual((acl, None), self.acls())


class Dead(TestCase):
    """The user's token ends while the second segment is sent."""

    def kill(self) -> None:
        """Have the token end."""
        raise NotImplementedError

    def upload(self, **options: Any) -> str:
        self.proxy.add(
            faults.Rule(
                faults.Hook(lambda _: self.kill()), 'PUT', '/00000002$'
            )
        )
        self.made_store = self.stores(fast=options)
        return self.add(self.made_store, self.data)

    def end_request(self) -> None:
        """Glance is done with the user's request."""
        del self.context
        gc.collect()

    def check_shares(self) -> None:
        uri = self.upload()
        self.assert_shared(uri)
        self.assertEqual(1, len(self.standing()))
        self.end_request()
        self.assertEqual([], self.standing())

    def check_deletes(self) -> None:
        """Glance does so when the image does not match its signature."""
        uri = self.upload()
        self.made_store.delete(uri, context=self.context)
        self.assertFalse(self.has_container())
        self.end_request()
        self.assertEqual([], self.standing())


class TestRevoked(Dead):
    def kill(self) -> None:
        self.cloud.revoke(self.context.auth_token)

    def test_shares(self) -> None:
        self.check_shares()

    def test_deletes(self) -> None:
        self.check_deletes()

    def test_a_second_upload_of_the_request(self) -> None:
        """It takes the trust that is kept: no other can be made."""
        self.add(self.stores(), self.data[:5])
        self.upload()
        self.add(self.made_store, self.data)
        self.assertEqual(2, len(self.made))
        self.assertEqual(1, len(self.standing()))
        self.end_request()
        self.assertEqual([], self.standing())

    def test_in_several_uploads_at_once(self) -> None:
        """One trust is enough for the rest of the request."""
        for _ in range(2):
            trusts.keep(self.context, self.make())
        self.assertEqual(1, len(self.standing()))

    def test_upload_that_fails_keeps_none(self) -> None:
        self.proxy.add(
            faults.Rule(faults.Status(code=403), 'PUT', '/00000003$')
        )
        self.assertRaises(exceptions.StorageWriteDenied, self.upload)
        self.assertEqual([], self.standing())
        self.assertFalse(self.has_container())

    def test_without_a_trust(self) -> None:
        """Nobody can set the ACLs then; the error says what would help."""
        uri = self.add(
            self.stores(fast={'swift_store_use_trusts': False}), self.data
        )
        self.kill()
        exc = self.assertRaises(
            exceptions.BackendException, self.share, uri, public=True
        )
        self.assertIn('401', str(exc))
        self.assertIn('swift_store_use_trusts', str(exc))
        self.assertEqual((None, None), self.acls())


class TestExpired(expiry.TestCase, Dead):
    def setUp(self) -> None:
        super().setUp()
        self.let_clocks_differ()

    def kill(self) -> None:
        self.wait_for_the_end_of(self.context.auth_token)

    def test_shares(self) -> None:
        self.context = self.cloud.tenant_context()
        self.check_shares()

    def test_deletes(self) -> None:
        self.context = self.cloud.tenant_context()
        self.check_deletes()


class TestAlive(TestCase):
    """The user's token does; a trust would cost each save of an image."""

    def setUp(self) -> None:
        super().setUp()
        self.store = self.stores()
        self.uri = self.add(self.store, self.data)
        self.cloud.clear()

    def test_shares(self) -> None:
        self.assertEqual([], self.standing())
        self.assert_shared(self.uri)
        self.assertEqual([], self.cloud.keystone_proxy.log)

    def test_admin_tenants_may_write(self) -> None:
        self.stores(fast={'swift_store_admin_tenants': 'x,y'})
        writers: list[str] = []
        self.share(self.uri, read_tenants=['a'], write_tenants=writers)
        self.assertEqual(('a:*', 'x:*,y:*'), self.acls())
        self.assertEqual([], writers)

    def test_tried_again(self) -> None:
        for fault in (
            faults.Reset(),
            faults.Status(code=503),
            faults.LostAnswer(),
        ):
            self.proxy.add(faults.Rule(fault, 'POST', times=2))
            self.assert_shared(self.uri)

    def test_given_up(self) -> None:
        self.proxy.add(
            faults.Rule(faults.Status(code=503), 'POST', times=None)
        )
        exc = self.assertRaises(
            exceptions.BackendException, self.share, self.uri, public=True
        )
        self.assertRegex(str(exc), 'POST of .* failed, tried 3 times: 503')

    def test_refused(self) -> None:
        self.proxy.add(faults.Rule(faults.Status(code=403), 'POST'))
        self.assertRaises(
            exceptions.Forbidden, self.share, self.uri, public=True
        )

    def test_no_such_image(self) -> None:
        self.store.delete(self.uri, context=self.context)
        self.assertRaises(
            exceptions.NotFound, self.share, self.uri, public=True
        )

    def test_a_container_that_is_not_found_yet(self) -> None:
        """NotFound would have Glance delete the image."""
        self.proxy.add(faults.Rule(faults.Status(code=404), 'POST'))
        exc = self.assertRaises(
            exceptions.BackendException, self.share, self.uri, public=True
        )
        self.assertIn(self.container, str(exc))

    def test_needs_a_context(self) -> None:
        self.context = None  # type: ignore[assignment]
        self.assertRaises(
            exceptions.BadStoreConfiguration, self.share, self.uri, public=True
        )

    def test_one_account_has_no_acls(self) -> None:
        """As the stock driver, which Glance has skip it."""
        made = stores.Stores(
            self.sections(fast={'swift_store_multi_tenant': False})
        )
        self.useFixture(made)
        self.assertRaises(
            NotImplementedError, made.store('fast').set_acls, None
        )
