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

#: Seconds before it expires at which a token is replaced
#: (keystoneauth1.identity.base, MIN_TOKEN_LIFE_SECONDS).
EXPIRY_MARGIN = 120.0


class Login:
    """A user's session with Keystone, which threads may share.

    keystoneauth compares a token's expiry with this host's clock. If that is
    ahead of Keystone's by a token's lifetime, each request would get a new
    token. Here a token's age counts from the request for it, and its lifetime
    is the time between the two dates that Keystone put into it.

    :param session: a keystoneauth session
    :param renew: called when Keystone refuses the credentials; returns a
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
        """A token that stays valid for a while, unless it is revoked.

        :raises keystoneauth1.exceptions.ClientException: Keystone failed
        """
        return str(self.get_access().auth_token)

    def get_access(self) -> Any:
        """What Keystone has sent with the token."""
        with self._lock:
            if self._access is None or self._clock() >= self._end:
                self._access = self._sign_in()
            return self._access

    def get_project_id(self) -> str | None:
        """The project that the token is for."""
        project: str | None = self.get_access().project_id
        return project

    def get_endpoint(self, **wanted: Any) -> str | None:
        """The endpoint in the catalog; see keystoneauth's Session."""
        with self._lock:
            self.get_access()
            url: str | None = self._session.get_endpoint(**wanted)
            return url

    def forget(self, token: str | None) -> None:
        """Stop giving out a token that was refused.

        Connections find out one after the other. Only the first one causes a
        request to Keystone for another token; sites were rate-limited for
        asking once for each segment (restic issue 3739).
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
        self._end = asked + life - min(EXPIRY_MARGIN, life / 2)
        return access

    def _ask(self) -> Any:
        """Ask Keystone for a new token, whatever the session has.

        Refused credentials are not tried again: Keystone may lock the user
        out, and a failing upload has many requests left.
        """
        if self._refused is not None:
            raise ksa.Unauthorized(self._refused.message)
        auth = self._session.auth
        auth.invalidate()
        # Otherwise the session replaces it by this host's clock.
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
        """None: swiftclient has the storage URL already."""

    def get_token(self) -> str | None:
        """A token that the login considers valid."""
        self._given = self._login.get_token()
        return self._given

    def invalidate(self) -> bool:
        """Called by swiftclient after a 401: False = don't try again."""
        return False

    def renew(self) -> None:
        """Use another token from now on: this one was refused."""
        self._login.forget(self._given)
