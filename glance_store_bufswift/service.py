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

"""The service user of a store, for the operator's commands.

Glance hands images to a store; these commands look at the images' account, as
the user in the configuration.
"""

from collections.abc import Iterator
import contextlib
from typing import Any
import uuid

from glance_store import exceptions
from keystoneauth1 import exceptions as ksa

from glance_store_bufswift import driver
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift import opts
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import retry


class ServiceUser:
    """The service user, whom the section of a store names.

    :param conf: Glance's configuration
    :param backend: the store's id
    :param overrides: settings in place of the store's own
    :raises ConfigError: the section names no user, or can't be used
    """

    def __init__(self, conf: Any, backend: str, **overrides: Any) -> None:
        self._conf = conf
        self._backend = backend
        self._overrides = overrides
        try:
            driver.prepare(conf, backend)
            self._store = driver.SingleTenantStore(conf, backend=backend)
            self._store.override(**overrides)
            self._store.configure(re_raise_bsc=True)
            self._location = self._store.create_location(str(uuid.uuid4()))
        except exceptions.BadStoreConfiguration as exc:
            raise errors.ConfigError(
                f'Store {backend}: {_reason(exc)}'
            ) from exc
        user = self._location.user
        if user and ':' not in user:
            raise errors.ConfigError(
                f'Store {backend}: the user {user} has no project; write '
                f'project:{user} (swift_store_user, or user in the file of '
                'swift_store_config_file)'
            )
        self._keystone: Any = None

    @property
    def settings(self) -> opts.Settings:
        """The settings of the store."""
        return self._store.settings()

    @property
    def auth_url(self) -> str:
        """Where Keystone is."""
        return str(self._store.auth_address)

    @property
    def wanted_endpoint(self) -> str:
        """The endpoint that Keystone is asked for, in words."""
        store = self._store
        return (
            f'{store.endpoint_type} endpoint of type '
            f'{store.service_type} in region {store.region or "(any)"}'
        )

    def sign_in(self) -> None:
        """Get a token.

        :raises ConfigError: the user's name is not of the form project:user
        :raises RequestFailed: Keystone gives none
        """
        settings = self.settings
        try:
            self._keystone = self._store.init_client(self._location)
        except exceptions.BadStoreUri as exc:
            raise errors.ConfigError(f'Store {self._backend}: {exc}') from exc
        retry.repeat(
            retry.Policy(settings.retries, settings.max_backoff),
            'Authentication for Swift',
            self._keystone.session.get_token,
        )

    def endpoint(self) -> str | None:
        """The storage URL, None if Keystone has none; after sign_in()."""
        try:
            url = self._store.storage_url(self._keystone.session)
        except ksa.EndpointNotFound:
            return None
        return url.rstrip('/') if url else None

    @contextlib.contextmanager
    def account(
        self, project: str | None = None
    ) -> Iterator[accounts.Account]:
        """The user's own account, or that of another project.

        :raises ConfigError: the user's name is not of the form project:user,
            or the URL of the project's account is not known
        :raises RequestFailed: Keystone failed, or knows no endpoint
        """
        try:
            with self._store.account(self._location, None) as account:
                if project is None:
                    yield account
                    return
                other = accounts.Account(account.client.of_project(project))
                with contextlib.closing(other):
                    yield other
        except exceptions.BadStoreUri as exc:
            raise errors.ConfigError(f'Store {self._backend}: {exc}') from exc

    def dest(self) -> layout.Layout:
        """Where the store would put a new image."""
        return layout.Layout(self._location.container, self._location.obj)

    def store(self, **overrides: Any) -> Any:
        """The store as Glance has it.

        :param overrides: settings in place of the store's own
        """
        store = driver.Store(self._conf, self._backend)
        store.override(**{**self._overrides, **overrides})
        store.configure(re_raise_bsc=True)
        return store

    def access(self) -> Any:
        """What Keystone gave to the user; after sign_in()."""
        session = self._keystone.session
        return session.auth.get_access(session)


def _reason(exc: Exception) -> str:
    """Why glance_store can't use a configuration, in a sentence."""
    text = str(exc)
    if 'swift_store_auth_address is required' in text:
        return 'swift_store_auth_address is not set: add it'
    # The text before that names the driver, not the store.
    return text.rpartition('Reason: ')[2]
