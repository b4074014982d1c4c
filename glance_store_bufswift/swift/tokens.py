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

import threading
from typing import Any


class Tokens:
    """What swiftclient needs of a session, for one connection.

    When a token is refused, the connections of an upload find out one after
    the other. Only the first of them asks Keystone for a new token; sites
    were rate-limited for asking once for each segment (restic issue 3739).

    :param session: a keystoneauth session; may be shared by threads
    :param renewing: one for all connections that share the session
    """

    def __init__(self, session: Any, renewing: threading.Lock) -> None:
        self._session = session
        self._renewing = renewing
        self._given: str | None = None

    def get_endpoint(self, **_: Any) -> None:
        """The endpoint is known already; swiftclient takes its own."""

    def get_token(self) -> str | None:
        """A token that the session takes for valid."""
        self._given = self._session.get_token()
        return self._given

    def invalidate(self) -> bool:
        """What swiftclient calls after a 401: no, don't try again."""
        return False

    def renew(self) -> None:
        """The token was refused: forget it, unless another did so before."""
        with self._renewing:
            if self._session.get_token() == self._given:
                self._session.invalidate()
