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

"""Tokens for swiftclient, from the keystoneauth session of a store."""

from collections.abc import Callable
import threading
import time
from typing import Any

from keystoneauth1 import exceptions as ksa

#: Seconds before its end at which a token is replaced
#: (keystoneauth1.identity.base, MIN_TOKEN_LIFE_SECONDS).
MARGIN = 120.0


class Login:
    """A user's session with Keystone, which threads may share.

    keystoneauth compares the end of a token with this host's clock: where that
    is ahead of Keystone's by a token's life, each request would get a token of
    its own. Here a token is as old as the time that has passed since it was
    asked for, and lives as long as Keystone's two times in it are apart.

    :param session: a keystoneauth session
    :param renew: called when Keystone refuses the credentials; gives a
        session with others, None if there are none
    :param clock: gives seconds, and never goes back
    """

    def __init__(
        self,
        session: Any,
        renew: Callable[[], Any] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.RLock()
        self._session = session
        self._renew = renew
        self._clock = clock
        self._access: Any = None
        self._end = 0.0
        self._refused: ksa.Unauthorized | None = None

    def get_token(self) -> str:
        """A token that is good for a while, unless somebody revokes it.

        :raises keystoneauth1.exceptions.ClientException: Keystone failed
        """
        return str(self.get_access().auth_token)

    def get_access(self) -> Any:
        """What Keystone has told when it gave the token."""
        with self._lock:
            if self._access is None or self._clock() >= self._end:
                self._access = self._sign_in()
            return self._access

    def get_project_id(self) -> str | None:
        """The project that the token is for."""
        project: str | None = self.get_access().project_id
        return project

    def get_endpoint(self, **wanted: Any) -> str | None:
        """What the catalog has; see keystoneauth's Session."""
        with self._lock:
            self.get_access()
            url: str | None = self._session.get_endpoint(**wanted)
            return url

    def forget(self, token: str | None) -> None:
        """Give no more of a token that was refused.

        Connections find out one after the other. Only the first of them has
        Keystone asked for another one; sites were rate-limited for asking
        once for each segment (restic issue 3739).
        """
        with self._lock:
            if self._access is not None and self._access.auth_token == token:
                self._access = None

    def close(self) -> None:
        """Close the connections to Keystone."""
        self._session.session.close()

    def _sign_in(self) -> Any:
        asked = self._clock()
        while True:
            try:
                access = self._ask()
                break
            except ksa.Unauthorized as exc:
                self._refused = exc
                other = self._renew()
                if other is None:
                    raise
                self.close()
                self._session, self._refused = other, None
        life = (access.expires - access.issued).total_seconds()
        self._end = asked + life - min(MARGIN, life / 2)
        return access

    def _ask(self) -> Any:
        """Have Keystone give a token, whatever the session has.

        What it has refused is not tried again: Keystone may lock the user
        out, and an upload that fails has many requests left.
        """
        if self._refused is not None:
            raise ksa.Unauthorized(self._refused.message)
        auth = self._session.auth
        auth.invalidate()
        # Otherwise the session asks for another one by this host's clock.
        auth.reauthenticate = False
        return auth.get_access(self._session)


class Tokens:
    """What swiftclient needs of a login, for one connection.

    :param login: may be shared by threads
    """

    def __init__(self, login: Login) -> None:
        self._login = login
        self._given: str | None = None

    def get_endpoint(self, **_: Any) -> None:
        """The endpoint is known already; swiftclient takes its own."""

    def get_token(self) -> str | None:
        """A token that the login takes for valid."""
        self._given = self._login.get_token()
        return self._given

    def invalidate(self) -> bool:
        """What swiftclient calls after a 401: no, don't try again."""
        return False

    def renew(self) -> None:
        """The token was refused: use another one from now on."""
        self._login.forget(self._given)
