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

"""Tokens for swiftclient."""

from collections.abc import Callable
import datetime
import threading
from typing import Any

from keystoneauth1 import access as ks_access
from keystoneauth1 import exceptions as ksa
from keystoneauth1 import fixture as ks_fixture
from keystoneauth1 import identity
from keystoneauth1 import session as ks_session
from oslotest import base

from glance_store_bufswift.swift import pool
from glance_store_bufswift.swift import tokens


class Session:
    """A login: gives token 1 until it is told to forget it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._valid = False
        self.issued = 0

    def get_token(self) -> str:
        with self._lock:
            if not self._valid:
                self.issued += 1
                self._valid = True
            return f'token {self.issued}'

    def forget(self, token: str | None) -> None:
        with self._lock:
            if token == f'token {self.issued}':
                self._valid = False


class TestTokens(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.session = Session()

    def _connections(self, count: int) -> list[tokens.Tokens]:
        """What as many connections of one account have as their session."""
        where = pool.Pool(pool.Endpoint('http://swift', login=self.session))
        return [where._connect().session for _ in range(count)]

    def test_token_comes_from_the_session(self) -> None:
        (given,) = self._connections(1)
        self.assertEqual('token 1', given.get_token())
        self.assertEqual('token 1', given.get_token())

    def test_endpoint_is_left_to_swiftclient(self) -> None:
        (given,) = self._connections(1)
        given.get_endpoint(service_type='object-store')
        self.assertEqual(0, self.session.issued)

    def test_refused_token_is_replaced(self) -> None:
        (given,) = self._connections(1)
        given.get_token()
        given.renew()
        self.assertEqual('token 2', given.get_token())

    def test_swiftclient_is_not_to_try_again(self) -> None:
        (given,) = self._connections(1)
        given.get_token()
        self.assertFalse(given.invalidate())
        self.assertEqual('token 1', given.get_token())

    def test_replaced_token_may_be_refused_too(self) -> None:
        (given,) = self._connections(1)
        for number in range(1, 4):
            self.assertEqual(f'token {number}', given.get_token())
            given.renew()

    def test_only_the_first_asks_for_a_new_token(self) -> None:
        connections = self._connections(8)
        for each in connections:
            each.get_token()
        for each in connections:
            each.renew()
            self.assertEqual('token 2', each.get_token())
        self.assertEqual(2, self.session.issued)

    def test_refused_while_keystone_fails(self) -> None:
        """It is asked for the next try, which takes its failure."""
        (given,) = self._connections(1)
        given.get_token()
        given.renew()
        self.session.get_token = (  # type: ignore[method-assign]
            lambda: self.fail('Keystone is asked')
        )
        given.renew()


class Keystone(identity.V3Password):
    """A plugin that gives tokens without asking a Keystone.

    :param ahead: seconds that this host's clock is ahead of Keystone's
    :param life: seconds that a token lives
    """

    def __init__(self, ahead: float, life: float) -> None:
        super().__init__('http://keystone/v3', password='')
        self._ahead = ahead
        self._life = life
        self.refused = False
        self.issued = self.asked = 0

    def get_auth_ref(self, session: Any, **_: Any) -> ks_access.AccessInfoV3:
        self.asked += 1
        if self.refused:
            raise ksa.Unauthorized('wrong')
        self.issued += 1
        now = datetime.datetime.now(
            datetime.timezone.utc
        ) - datetime.timedelta(seconds=self._ahead)
        token = ks_fixture.V3Token(
            issued=now, expires=now + datetime.timedelta(seconds=self._life)
        )
        token.add_service('identity').add_standard_endpoints('http://ks/v3')
        return ks_access.AccessInfoV3(token, f'token {self.issued}')


class TestLogin(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 1000.0

    def login(
        self,
        ahead: float = 0,
        life: float = 3600,
        renew: Callable[[], Any] = lambda: None,
    ) -> tokens.Login:
        self.keystone = Keystone(ahead, life)
        return tokens.Login(
            ks_session.Session(auth=self.keystone),
            renew,
            clock=lambda: self.now,
        )

    def test_clocks_that_differ(self) -> None:
        """A token is replaced by its age, shortly before its end."""
        for ahead in (-7200, -3600, 0, 3600, 7200):
            login = self.login(ahead)
            for age, token in (
                (0, 1),
                (3479, 1),
                (3480, 2),
                (3481, 2),
                (2 * 3480 - 1, 2),
                (2 * 3480, 3),
            ):
                self.now = 1000 + age
                self.assertEqual(f'token {token}', login.get_token())
                self.assertEqual(token, self.keystone.issued)
            self.now = 1000

    def test_nothing_else_asks_for_one(self) -> None:
        login = self.login(7200)
        for _ in range(3):
            login.get_project_id()
            login.get_endpoint(service_type='identity')
            login.get_token()
        self.assertEqual(1, self.keystone.issued)

    def test_tokens_of_a_short_life(self) -> None:
        """Half of it is used, be it shorter than the margin."""
        login = self.login(life=10)
        for age, token in ((0, 1), (4, 1), (5, 2)):
            self.now = 1000 + age
            self.assertEqual(f'token {token}', login.get_token())

    def test_refused(self) -> None:
        login = self.login()
        login.forget(login.get_token())
        self.assertEqual('token 2', login.get_token())
        self.assertEqual('token 2', login.get_token())

    def test_credentials_that_are_refused(self) -> None:
        login = self.login()
        login.forget(login.get_token())
        self.keystone.refused = True
        self.keystone.asked = 0
        for _ in range(3):
            self.assertRaises(ksa.Unauthorized, login.get_token)
        self.assertEqual((1, 1), (self.keystone.issued, self.keystone.asked))

    def test_others_are_taken(self) -> None:
        other = Keystone(0, 3600)
        login = self.login(renew=lambda: ks_session.Session(auth=other))
        login.forget(login.get_token())
        self.keystone.refused = True
        for _ in range(2):
            self.assertEqual('token 1', login.get_token())
        self.now += 3480
        self.assertEqual('token 2', login.get_token())
        self.assertEqual((1, 2), (self.keystone.issued, other.issued))

    def test_others_may_come_later(self) -> None:
        """After the first that asked in vain."""
        others: list[Any] = []
        login = self.login(renew=lambda: others.pop() if others else None)
        self.keystone.refused = True
        self.assertRaises(ksa.Unauthorized, login.get_token)
        others.append(ks_session.Session(auth=Keystone(0, 3600)))
        self.assertEqual('token 1', login.get_token())
        self.assertEqual(1, self.keystone.asked)

    def test_others_may_be_refused_too(self) -> None:
        other = Keystone(0, 3600)
        other.refused = True
        others: list[Any] = [ks_session.Session(auth=other)]
        login = self.login(renew=lambda: others.pop() if others else None)
        self.keystone.refused = True
        for _ in range(2):
            self.assertRaises(ksa.Unauthorized, login.get_token)
        self.assertEqual((1, 1), (self.keystone.asked, other.asked))
