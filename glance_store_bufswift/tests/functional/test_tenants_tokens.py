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

"""Tokens that are refused in the middle of a tenant's upload."""

import gc
import logging
from typing import Any

import fixtures
from glance_store import exceptions
import keystoneauth1.exceptions
from keystoneclient.v3.contrib import trusts

from glance_store_bufswift.tests.functional import expiry
from glance_store_bufswift.tests.functional import tenants
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = tenants.SEGMENT


class TestRevoked(tenants.TestCase):
    """What becomes of a revoked token depends on the trust."""

    def revoke(self) -> None:
        self.proxy.add(
            faults.Rule(
                faults.Hook(
                    lambda exchange: self.cloud.revoke(
                        exchange.headers['x-auth-token']
                    )
                ),
                'PUT',
                '/00000002$',
            )
        )

    def test_of_a_trust(self) -> None:
        self.revoke()
        made = self.stores(fast={'swift_buffered_threads': 1})
        self.add(made, streams.image(3 * SEGMENT))
        self.assertEqual(
            [401, 201], [each.status for each in self.puts('/00000002$')]
        )

    def test_of_the_user(self) -> None:
        """Nobody can renew it, and so it is not tried again."""
        self.revoke()
        made = self.stores(
            fast={'swift_buffered_threads': 1, 'swift_store_use_trusts': False}
        )
        self.assertRaises(
            exceptions.BackendException,
            made.add,
            self.image,
            streams.Stream(streams.image(3 * SEGMENT)),
            0,
            context=self.context,
        )
        self.assertEqual(
            [401], [each.status for each in self.puts('/00000002$')]
        )
        self.assert_nothing_runs()

    def test_of_the_user_is_told(self) -> None:
        """Nobody may delete what it has stored: the log names it."""
        self.revoke()
        made = self.stores(
            fast={'swift_buffered_threads': 1, 'swift_store_use_trusts': False}
        )
        exc = self.assertRaises(
            exceptions.BackendException,
            made.add,
            self.image,
            streams.Stream(streams.image(3 * SEGMENT)),
            0,
            context=self.context,
        )
        self.assertIn('401', str(exc))
        self.assertIn('swift_store_use_trusts', str(exc))
        errors = ' '.join(self.records.of(logging.ERROR))
        for name in self.listing():
            self.assertIn(name, errors)

    def refuse_trusts(self, error: Exception, times: int) -> list[Exception]:
        """Have Keystone refuse to make trusts."""
        left = [error] * times
        true_create = trusts.TrustManager.create

        def create(*args: Any, **kwargs: Any) -> Any:
            if left:
                raise left.pop()
            return true_create(*args, **kwargs)

        self.useFixture(
            fixtures.MonkeyPatch(
                'keystoneclient.v3.contrib.trusts.TrustManager.create', create
            )
        )
        return left

    def test_no_trust(self) -> None:
        """The user's token does, as long as it is good; it is said."""
        self.refuse_trusts(keystoneauth1.exceptions.Forbidden(), 1)
        self.add(self.stores(), streams.image(2 * SEGMENT))
        [warning] = self.records.of(logging.WARNING)
        self.assertIn('no trust', warning)
        self.assertEqual(0, self.trusts('POST'))

    def test_trust_at_the_second_try(self) -> None:
        left = self.refuse_trusts(
            keystoneauth1.exceptions.ServiceUnavailable(), 1
        )
        self.revoke()
        self.add(
            self.stores(fast={'swift_buffered_threads': 1}),
            streams.image(3 * SEGMENT),
        )
        self.assertEqual([], left)
        self.assertEqual([], self.records.of(logging.WARNING))


class TestExpired(expiry.TestCase, tenants.TestCase):
    """The token's time is up while the second segment is sent."""

    options = {**tenants.TestCase.options, 'swift_buffered_threads': 1}

    def setUp(self) -> None:
        super().setUp()
        self.data = streams.image(3 * SEGMENT)
        self.let_clocks_differ()
        self.proxy.add(
            faults.Rule(faults.Hook(self.expire), 'PUT', '/00000002$')
        )

    def statuses(self) -> list[int | None]:
        return [each.status for each in self.puts('/00000002$')]

    def test_of_a_trust(self) -> None:
        """It is renewed, though by then the user's own has expired too."""
        made = self.stores()
        self.context = self.cloud.tenant_context()
        self.add(made, self.data)
        self.assertEqual([401, 201], self.statuses())
        # Glance has nothing else to set ACLs with.
        self.assertEqual((1, 0), (self.trusts('POST'), self.trusts('DELETE')))
        self.context = self.cloud.tenant_context()
        gc.collect()
        self.assertEqual((1, 1), (self.trusts('POST'), self.trusts('DELETE')))

    def test_of_the_user(self) -> None:
        """Nobody can renew it: the error says what would have helped."""
        made = self.stores(fast={'swift_store_use_trusts': False})
        self.context = self.cloud.tenant_context()
        exc = self.assertRaises(
            exceptions.BackendException,
            made.add,
            self.image,
            streams.Stream(self.data),
            0,
            context=self.context,
        )
        self.assertIn('swift_store_use_trusts', str(exc))
        self.assertEqual([401], self.statuses())
        self.assert_nothing_runs()
