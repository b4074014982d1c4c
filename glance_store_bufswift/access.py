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

"""Opening the account that an image is in, for one operation."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
from typing import Any

from glance_store_bufswift import errors
from glance_store_bufswift import opts
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import pool
from glance_store_bufswift.swift import retry
from glance_store_bufswift.swift import tokens


@dataclasses.dataclass(frozen=True)
class ClientConfig:
    """How the requests of a store are made.

    :ivar settings: tries and timeouts
    :ivar cacert: CA bundle, None for the system's
    :ivar insecure: whether certificates go unverified
    """

    settings: opts.Settings
    cacert: str | None
    insecure: bool

    @property
    def policy(self) -> retry.Policy:
        """How often requests are tried; a new one for each operation."""
        return retry.Policy(self.settings.retries, self.settings.max_backoff)


@dataclasses.dataclass(frozen=True)
class SignIn:
    """What a user has to get at an account.

    :ivar url: the account's storage URL
    :ivar login: gives tokens, None if ``token`` is all there is
    :ivar token: used when there is no login; can't be renewed
    :ivar sign_out: called at the end, with whether all succeeded
    """

    url: str
    login: tokens.Login | None = None
    token: str | None = dataclasses.field(default=None, repr=False)
    sign_out: Callable[[bool], object] = lambda succeeded: None


@contextlib.contextmanager
def account(
    config: ClientConfig, sign_in: Callable[[], SignIn]
) -> Iterator[accounts.Account]:
    """Open an account; close all that was opened for it at the end.

    :param sign_in: signs in at Keystone
    :raises RequestFailed: Keystone failed, or knows no endpoint
    """
    policy = config.policy
    user = retry.repeat(policy, 'Authentication for Swift', sign_in)
    endpoint = pool.Endpoint(
        # Swift takes the path account//container for an object's.
        user.url.rstrip('/'),
        login=user.login,
        token=user.token,
        timeout=config.settings.timeout,
        cacert=config.cacert,
        insecure=config.insecure,
    )
    succeeded = False
    try:
        opened = accounts.Account(client.Client(endpoint, policy))
        with contextlib.closing(opened):
            yield opened
        succeeded = True
    finally:
        user.sign_out(succeeded)


def is_refused(
    config: ClientConfig, url: str, token: str, container: str
) -> bool:
    """Whether Swift refuses a user's token.

    :param url: the storage URL of an account that the user had access to
    :param container: one that exists
    """
    try:
        with account(config, lambda: SignIn(url, token=token)) as opened:
            opened.containers.head(container)
    except errors.RequestFailed as exc:
        # Ceph RGW answers 403 to a token that Keystone does not know.
        return exc.status in (401, 403)
    return False


def with_timeout(keystone: Any, timeout: float) -> Any:
    """Give a Keystone client a timeout, in seconds.

    It keeps no connection open either: nothing closes a client that fails to
    sign in.
    """
    keystone.session.timeout = float(timeout)
    keystone.session.session.headers['Connection'] = 'close'
    return keystone
