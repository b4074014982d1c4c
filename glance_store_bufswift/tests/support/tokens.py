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

"""Tokens that the tests of a process share."""

from typing import Any
import weakref

import fixtures
from keystoneauth1.identity.v3 import base

# What Keystone has answered, by who signed in, and where.
_answers: dict[str | None, Any] = {}


class Shared(fixtures.Fixture):
    """A second sign-in like another one gets the answer that this one got.

    The driver signs in for each operation: a tenth of what a run of tests
    does, as a new token is one that Swift validates, too. For tests that are
    not about that. A client that asks again, as its token was refused or gets
    too old, asks Keystone.

    :param url: the Keystone that this is for
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def _setUp(self) -> None:
        ask = base.Auth.get_auth_ref
        served: weakref.WeakSet[base.Auth] = weakref.WeakSet()

        def get_auth_ref(auth: base.Auth, *args: Any, **more: Any) -> Any:
            # Upstream ends it with a slash.
            ours = str(auth.auth_url).rstrip('/') == self._url
            if auth in served or not ours:
                return ask(auth, *args, **more)
            served.add(auth)
            who = auth.get_cache_id()
            if who not in _answers:
                _answers[who] = ask(auth, *args, **more)
            return _answers[who]

        self.useFixture(
            fixtures.MonkeyPatch(
                'keystoneauth1.identity.v3.base.Auth.get_auth_ref',
                get_auth_ref,
            )
        )


def forget() -> None:
    """Have each sign-in ask Keystone again: a token may not be good now."""
    _answers.clear()
