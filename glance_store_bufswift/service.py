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

Glance hands a store images; an operator looks at the account that they are
in, as the user that the configuration names.
"""

from collections.abc import Iterator
import contextlib
import dataclasses
import tempfile
from typing import Any
from typing import BinaryIO
import uuid

from glance_store import exceptions
from glance_store import location
from keystoneauth1 import exceptions as ksa

from glance_store_bufswift import driver
from glance_store_bufswift import errors
from glance_store_bufswift import opts
from glance_store_bufswift.swift import account as swift
from glance_store_bufswift.swift import retry


class _Store(driver.SingleTenantStore):
    """The store of the user's own account, be it multi-tenant or not."""

    def settings(self) -> opts.Settings:
        """As the driver uses them."""
        return self._settings()

    def account(self, location: Any
                ) -> contextlib.AbstractContextManager[swift.Account]:
        """As the driver opens it."""
        return self._account(location, None)


class Service:
    """The user that the section of a store names.

    :param conf: Glance's configuration
    :param backend: the store's id
    :param overrides: settings in place of the store's own
    :raises ConfigError: the section names none, or can't be used
    """

    def __init__(self, conf: Any, backend: str, **overrides: Any) -> None:
        self._conf = conf
        self._backend = backend
        self._overrides = overrides
        try:
            driver.prepare(conf, backend)
            self._store = _Store(conf, backend=backend)
            self._store.overrides = overrides
            self._store.configure(re_raise_bsc=True)
            self._location = self._store.create_location(str(uuid.uuid4()))
        except exceptions.BadStoreConfiguration as exc:
            raise errors.ConfigError(
                f'Store {backend}: {_reason(exc)}') from exc
        user = self._location.user
        if user and ':' not in user:
            raise errors.ConfigError(
                f'Store {backend}: the user {user} has no project; write '
                f'project:{user} (swift_store_user, or user in the file of '
                'swift_store_config_file)')
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
    def wanted(self) -> str:
        """Names the endpoint that Keystone is asked for."""
        store = self._store
        return (f'{store.endpoint_type} endpoint of type '
                f'{store.service_type} in region {store.region or "(any)"}')

    def sign_in(self) -> None:
        """Get a token.

        :raises ConfigError: the user's name has not the form project:user
        :raises RequestFailed: Keystone gives none
        """
        settings = self.settings
        try:
            self._keystone = self._store.init_client(self._location)
        except exceptions.BadStoreUri as exc:
            raise errors.ConfigError(
                f'Store {self._backend}: {exc}') from exc
        retry.repeat(
            retry.Policy(settings.retries, settings.max_backoff),
            'Authentication for Swift', self._keystone.session.get_token)

    def endpoint(self) -> str | None:
        """The storage URL, None if Keystone has none; after sign_in()."""
        store = self._store
        try:
            url = store.conf_endpoint or self._keystone.session.get_endpoint(
                service_type=store.service_type,
                interface=store.endpoint_type, region_name=store.region)
        except ksa.EndpointNotFound:
            return None
        return str(url).rstrip('/') if url else None

    @contextlib.contextmanager
    def account(self, project: str | None = None) -> Iterator[swift.Account]:
        """The user's own account, or that of another project.

        :raises ConfigError: the user's name has not the form project:user,
            or where the project's account is can't be told
        :raises RequestFailed: Keystone failed, or knows no endpoint
        """
        try:
            with self._store.account(self._location) as account:
                if project is None:
                    yield account
                    return
                with contextlib.closing(account.of_project(project)) as other:
                    yield other
        except exceptions.BadStoreUri as exc:
            raise errors.ConfigError(
                f'Store {self._backend}: {exc}') from exc

    @contextlib.contextmanager
    def round_trip(self, segment_size: int) -> Iterator['RoundTrip']:
        """The store, for small images of several segments.

        Its buffers are in a directory of their own: a quota file made by
        another user than glance-api's would turn buffering off.

        :param segment_size: bytes
        """
        with contextlib.ExitStack() as held:
            directory = self.settings.directory
            try:
                own = held.enter_context(tempfile.TemporaryDirectory(
                    dir=directory, prefix='.bufswift-check-'))
            except OSError:  # the upload goes unbuffered then
                own = directory
            store = driver.Store(self._conf, self._backend)
            store.overrides = {**self._overrides, 'directory': own}
            store.configure(re_raise_bsc=True)
            store.large_object_chunk_size = segment_size
            store.large_object_size = segment_size
            yield RoundTrip(store, self._context())

    def _context(self) -> 'Context':
        """What Glance would hand a multi-tenant store for this user."""
        session = self._keystone.session
        access = session.auth.get_access(session)
        return Context(
            access.auth_token, access.user_id, access.project_id,
            [old_style(each) for each in access.service_catalog.catalog])


class RoundTrip:
    """A store as Glance uses it.

    :param context: of the requests
    """

    def __init__(self, store: Any, context: 'Context') -> None:
        self._store = store
        self._context = context

    def add(self, image: str, stream: BinaryIO, size: int) -> str:
        """Store an image; gives its URI."""
        return str(self._store.add(
            image, stream, size, 'sha512', context=self._context)[0])

    def get(self, uri: str, offset: int = 0,
            length: int | None = None) -> bytes:
        """The bytes of an image, or of a part of it.

        :param offset: the first byte
        :param length: bytes, None = to the end
        """
        chunks, _ = self._store.get(
            self._location(uri), offset=offset, chunk_size=length,
            context=self._context)
        return b''.join(chunks)

    def delete(self, uri: str) -> None:
        """Delete an image."""
        self._store.delete(self._location(uri), context=self._context)

    def _location(self, uri: str) -> location.Location:
        return location.Location(
            driver.NAME, driver.StoreLocation, self._store.conf, uri=uri,
            backend=self._store.backend_group)


@dataclasses.dataclass(frozen=True)
class Context:
    """What a multi-tenant store takes of Glance's request context."""

    auth_token: str = dataclasses.field(repr=False)
    user_id: str
    project_id: str
    service_catalog: list[dict[str, Any]]


def _reason(exc: Exception) -> str:
    """Why glance_store can't use a configuration, in a sentence."""
    text = str(exc)
    if 'swift_store_auth_address is required' in text:
        return 'swift_store_auth_address is not set: add it'
    # What comes before names the driver, not the store.
    return text.rpartition('Reason: ')[2]


def old_style(service: dict[str, Any]) -> dict[str, Any]:
    """A service of the catalog in the form of the Identity API 2.

    That is what keystonemiddleware hands to Glance, and Glance to a store.
    """
    regions: dict[str, dict[str, Any]] = {}
    for endpoint in service['endpoints']:
        region = endpoint['region']
        entry = regions.setdefault(region, {'region': region})
        entry[f'{endpoint["interface"]}URL'] = endpoint['url']
    return {'type': service['type'], 'name': service.get('name'),
            'endpoints': list(regions.values())}
