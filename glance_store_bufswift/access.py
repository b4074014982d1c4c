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

"""Opening the account that an image is in, for one operation.

Who signs in, and with what, is decided by upstream's connection managers.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import dataclasses
import functools
import types
from typing import Any

from keystoneauth1 import identity
from keystoneauth1 import session as ks_session
from oslo_log import log as logging

from glance_store_bufswift import errors
from glance_store_bufswift import opts
from glance_store_bufswift.swift import account as swift
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import retry

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Site:
    """How a store gets to its Swift.

    :ivar settings: tries and timeouts
    :ivar cacert: CA bundle, None for the system's
    :ivar insecure: whether certificates go unverified
    :ivar wanted: names the endpoint that Keystone is asked for
    """

    settings: opts.Settings
    cacert: str | None
    insecure: bool
    wanted: str


@contextlib.contextmanager
def account(site: Site, sign_in: Callable[[], Any],
            token: str | None) -> Iterator[swift.Account]:
    """An account, and everything that was opened for it closed at the end.

    :param sign_in: gives one of upstream's connection managers
    :param token: the user's, for a manager that can't renew its own
    :raises RequestFailed: Keystone failed, or knows no endpoint
    """
    settings = site.settings
    policy = retry.Policy(settings.retries, settings.max_backoff)
    manager = retry.repeat(policy, 'Authentication for Swift', sign_in)
    try:
        opened = swift.Account(_endpoint(site, manager, token), policy)
        with contextlib.closing(opened):
            yield opened
    finally:
        _leave(manager)


def _endpoint(site: Site, manager: Any,
              token: str | None) -> client.Endpoint:
    if not manager.storage_url:
        raise errors.RequestFailed(f'Keystone has no {site.wanted}')
    renewable = manager.allow_reauth
    return client.Endpoint(
        manager.storage_url,
        session=manager.client.session if renewable else None,
        token=None if renewable else token,
        timeout=site.settings.timeout, cacert=site.cacert,
        insecure=site.insecure)


def _leave(manager: Any) -> None:
    """Give a trust back; what was done with it stands all the same."""
    keystone = manager._client
    if keystone is not None:
        # Upstream deletes the trust that this names, but keystoneclient
        # does not set it for a client that has a session.
        keystone.trust_id = getattr(keystone.session.auth, 'trust_id', None)
    try:
        manager.__exit__(None, None, None)
    except Exception as exc:
        LOG.warning('Keystone did not delete the trust of this '
                    'operation: %s', exc)
    if keystone is not None:
        keystone.session.session.close()


def limit_waits(keystone: Any, timeout: float) -> Any:
    """Give a Keystone client a timeout, in seconds.

    It keeps no connection open either: when it can't sign in, upstream gives
    nothing back that could be closed.
    """
    keystone.session.timeout = float(timeout)
    keystone.session.session.headers['Connection'] = 'close'
    return keystone


def mended(init_client: types.FunctionType,
           timeout: float) -> types.FunctionType:
    """Upstream's maker of a client with a trust, as it should be.

    It asks Keystone on sessions of its own, without a timeout, and before
    glance_store 5.4 it fails to read the user's roles, so that there never is
    a trust. The function runs here with other classes of keystoneauth.

    :param timeout: seconds
    """
    session = functools.partial(ks_session.Session, timeout=float(timeout))
    return types.FunctionType(init_client.__code__, {
        **init_client.__globals__,
        'ks_identity': types.SimpleNamespace(
            **vars(identity) | {'V3Token': _Token}),
        'ks_session': types.SimpleNamespace(Session=session)})


class _Token(identity.V3Token):
    def get_auth_ref(self, session: ks_session.Session) -> Any:
        return _Access(super().get_auth_ref(session))


class _Access:
    """What Keystone told, also for those who ask it for ['roles']."""

    def __init__(self, told: Any) -> None:
        self._told = told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._told, name)

    def __getitem__(self, name: str) -> list[dict[str, str]]:
        return {'roles': [{'name': role} for role in self.role_names]}[name]


def trusted(settings: opts.Settings, make: Callable[[], Any]) -> Any:
    """A client that has a trust, or a warning that there is none.

    Upstream goes on with the user's own token then, and tells it in its
    debug log alone (MultiTenantConnectionManager._init_connection).
    """
    policy = retry.Policy(settings.retries, settings.max_backoff)
    try:
        return retry.repeat(policy, 'Making a trust', make)
    except Exception as exc:
        LOG.warning('Keystone made no trust for this operation, which goes '
                    "on with the user's token: when that expires, it fails. "
                    '%s', exc)
        raise
