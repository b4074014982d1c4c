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

from typing import Any

import fixtures
from keystoneauth1 import access as ks_access
from keystoneauth1 import fixture as ks_fixture
from keystoneauth1 import identity as ks_identity
from keystoneauth1 import session as ks_session
from oslotest import base

from glance_store_bufswift import access


def before_5_4(url: str) -> tuple[list[str], str, Any]:
    """As upstream's init_client() read the roles before glance_store 5.4."""
    auth = ks_identity.V3Token(auth_url=url, token='token')  # noqa: S106
    session: Any = ks_session.Session(auth=auth)
    told = session.auth.get_auth_ref(session)
    return ([role['name'] for role in told['roles']],
            session.get_user_id(), session.timeout)


def since_5_4(url: str) -> tuple[list[str], str, Any]:
    """As it reads them now."""
    auth = ks_identity.V3Token(auth_url=url, token='token')  # noqa: S106
    session: Any = ks_session.Session(auth=auth)
    told = session.auth.get_auth_ref(session)
    return told.role_names, session.get_user_id(), session.timeout


class TestMended(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        token = ks_fixture.V3Token(user_id='user')
        token.add_role(name='member')
        token.add_role(name='reader')

        def get_auth_ref(auth: Any, session: Any) -> Any:
            return ks_access.create(body=token, auth_token='t')  # noqa: S106
        self.useFixture(fixtures.MonkeyPatch(
            'keystoneauth1.identity.v3.base.Auth.get_auth_ref', get_auth_ref))

    def test_as_upstream_is(self) -> None:
        self.assertRaises(TypeError, before_5_4, 'http://keystone/v3')

    def test_roles_are_read_and_waits_are_bounded(self) -> None:
        both: tuple[Any, ...] = (before_5_4, since_5_4)
        for init_client in both:
            self.assertEqual(
                (['member', 'reader'], 'user', 7.0),
                access.mended(init_client, 7)('http://keystone/v3'))
