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

"""Trusts, at a real Keystone."""

import logging

from keystoneauth1 import exceptions as ksa

from glance_store_bufswift.tests.functional import tenants
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = tenants.SEGMENT


class TestTrust(tenants.TrustsTestCase):
    def test_gives_tokens_in_the_users_name(self) -> None:
        access = self.make().login.get_access()
        self.assertEqual(
            (self.context.user_id, self.context.project_id),
            (access.user_id, access.project_id),
        )
        self.assertIn('member', access.role_names)
        self.assertIn(access.trust_id, self.standing())

    def test_outlives_the_users_token(self) -> None:
        made = self.make()
        token = made.login.get_token()
        self.cloud.revoke(self.context.auth_token)
        made.login.forget(token)
        self.assertEqual(self.context.user_id, made.login.get_access().user_id)
        made.remove()
        self.assertEqual([], self.standing())

    def test_removed(self) -> None:
        made = self.make()
        token = made.login.get_token()
        made.remove()
        self.assertEqual([], self.standing())
        made.login.forget(token)
        self.assertRaises(ksa.ClientException, made.login.get_token)
        self.assertNotEqual('', token)

    def test_removed_after_its_token_was_revoked(self) -> None:
        made = self.make()
        self.cloud.revoke(made.login.get_token())
        made.remove()
        self.assertEqual([], self.standing())

    def test_that_gives_no_token_does_not_stay(self) -> None:
        self.cloud.keystone_proxy.add(
            faults.Rule(
                faults.Status(code=403), 'POST', '/auth/tokens$', skip=2
            )
        )
        self.assertRaises(ksa.Forbidden, self.make)
        self.assertEqual([], self.standing())

    def test_needs_a_token_that_is_good(self) -> None:
        self.cloud.revoke(self.context.auth_token)
        self.assertRaises(ksa.NotFound, self.make)

    def test_the_password_is_not_shown(self) -> None:
        self.assertNotIn(self.trustee.password, repr(self.trustee))


class TestUploads(tenants.TrustsTestCase):
    def requests(self) -> list[tuple[str, str]]:
        """Method and end of the path of what Keystone was asked."""
        return [
            (each.method, each.path.rpartition('/')[2])
            for each in self.cloud.keystone_proxy.log
        ]

    def test_what_it_costs(self) -> None:
        """Keystone is asked at the store's address for all of it."""
        self.add(self.stores(), streams.image(5 * SEGMENT))
        *made, removed = self.requests()
        self.assertEqual(
            [
                ('POST', 'tokens'),
                ('POST', 'tokens'),
                ('POST', 'trusts'),
                ('POST', 'tokens'),
            ],
            made,
        )
        self.assertEqual('DELETE', removed[0])
        self.assertEqual([], self.standing())

    def test_clock_ahead_of_keystones(self) -> None:
        self.set_clock_ahead()
        self.test_what_it_costs()

    def test_keystone_answers_late(self) -> None:
        """It is asked again for what it did not give, and leaves none."""
        self.cloud.keystone_proxy.add(
            faults.Rule(faults.Status(code=503), 'POST', '/trusts$')
        )
        self.add(self.stores(), streams.image(2 * SEGMENT))
        self.assertEqual(2, self.requests().count(('POST', 'trusts')))
        self.assertEqual([], self.standing())

    def test_an_application_credential_gets_none(self) -> None:
        """The upload goes on with the user's token; it is said why."""
        made = self.stores(fast={'swift_store_user': None})
        self.add(made, streams.image(2 * SEGMENT))
        self.assertEqual([], self.requests())
        [warning] = self.records.of(logging.WARNING)
        self.assertIn('swift_store_user', warning)
