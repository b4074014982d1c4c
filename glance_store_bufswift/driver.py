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

"""The stores ``swift+buffered``: glance_store's Swift stores with another way
to move bytes.

The only module that knows glance_store's driver API. Authentication,
locations, containers, trusts and ACLs stay upstream's.
"""

from collections.abc import Iterable
import contextlib
import functools
import os
from typing import Any

from glance_store._drivers.swift import store as upstream
from glance_store._drivers.swift import utils
from glance_store import capabilities
from glance_store import driver
from glance_store import exceptions
from oslo_log import log as logging

from glance_store_bufswift import access
from glance_store_bufswift import containers
from glance_store_bufswift import digests
from glance_store_bufswift import download
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift import once
from glance_store_bufswift import opts
from glance_store_bufswift import precedence
from glance_store_bufswift import removal
from glance_store_bufswift import source
from glance_store_bufswift.swift import account as swift
from glance_store_bufswift.swift import tokens
from glance_store_bufswift import trusts
from glance_store_bufswift import upload

LOG = logging.getLogger(__name__)

#: The driver's name in ``enabled_backends``.
NAME = 'swift+buffered'

#: glance_store looks for this name in the module of the store's class.
StoreLocation = upstream.StoreLocation

#: What upstream reads from a store's own section alone.
_READ_RAW = ['default_swift_reference', 'swift_store_config_file',
             'swift_store_container', 'swift_store_create_container_on_put',
             'swift_store_multi_tenant', 'swift_store_use_trusts']


def Store(conf: Any, backend: str | None = None) -> upstream.BaseStore:  # noqa: N802
    """Make the store that a section describes; glance_store's entry point.

    :param conf: the configuration
    :param backend: the store's section, None for ``[glance_store]``
    :raises BadStoreConfiguration: multi-tenant with a file of accounts
    """
    prepare(conf, backend)
    if not conf[backend or 'glance_store'].swift_store_multi_tenant:
        return SingleTenantStore(conf, backend=backend)
    if utils.is_multiple_swift_store_accounts_enabled(conf, backend=backend):
        raise exceptions.BadStoreConfiguration(
            store_name=NAME,
            reason='swift_store_multi_tenant and swift_store_config_file '
                   'exclude each other; unset one of them')
    return MultiTenantStore(conf, backend=backend)


def prepare(conf: Any, backend: str | None = None) -> None:
    """Make the options known in every group where they may stand.

    :param backend: the store's section, None for ``[glance_store]``
    """
    for group in (backend or 'glance_store', precedence.SHARED_GROUP):
        conf.register_opts(upstream.Store.OPTIONS, group=group)
    opts.register(conf, backend)
    if backend:
        precedence.settle(conf, backend, _READ_RAW)


# Where glance_store looks for them: on the callable of the entry point.
Store.OPTIONS = upstream.Store.OPTIONS + opts.OPTIONS  # type: ignore[attr-defined]


class _BufferedStore(upstream.BaseStore):
    """What both stores have in common."""

    _CAPABILITIES = (capabilities.BitMasks.RW_ACCESS
                     | capabilities.BitMasks.READ_RANDOM)
    OPTIONS = upstream.Store.OPTIONS + opts.OPTIONS

    #: Whether each image has a container of its own.
    container_per_image = False

    def get_schemes(self) -> tuple[str, ...]:
        """Upstream's schemes, and the driver's name.

        glance_store looks a store up by its type, as if that were a scheme
        (multi_backend.get_store_from_store_identifier). URIs never have it.
        """
        return (*super().get_schemes(), NAME)

    def configure(self, re_raise_bsc: bool = False) -> None:
        """Read the options, also with a buffer directory out of order.

        Upstream raises when swift_buffer_on_upload, an option that this
        driver ignores, meets an unusable directory; downloads and deletes
        would fail with it.
        """
        try:
            super().configure(re_raise_bsc=re_raise_bsc)
        except exceptions.BadStoreConfiguration:
            if not self._options().swift_buffer_on_upload:
                raise
            driver.Store.configure(self, re_raise_bsc=re_raise_bsc)

    def _options(self) -> Any:
        """The store's own options; glance_store 4.9 has no store_conf."""
        group = self.backend_group or 'glance_store'
        return getattr(self, 'store_conf', self.conf[group])

    def configure_add(self) -> None:
        """Upstream's checks, and a look at the buffer directory."""
        super().configure_add()
        _check_directory(self._settings().directory)

    def init_client(self, location: Any, context: Any = None) -> Any:
        """Upstream's Keystone client, with a timeout."""
        return access.limit_waits(
            super().init_client(location, context=context),
            self._settings().timeout)

    @driver.back_compat_add  # type: ignore[untyped-decorator]
    @capabilities.check  # type: ignore[untyped-decorator]
    def add(self, image_id: str, image_file: source.Readable,
            image_size: int | None, hashing_algo: str, context: Any = None,
            verifier: digests.Digest | None = None
            ) -> tuple[str, int, str, str, dict[str, str]]:
        """Store an image, or leave nothing behind.

        :param image_id: names the image and its objects
        :param image_file: read once, in order, in this thread
        :param image_size: bytes in the image; 0 = unknown
        :param hashing_algo: hashlib's name of the multihash
        :param context: the user's request, for multi-tenant stores
        :param verifier: fed with the image, None for none
        :returns: URL, size in bytes, MD5 and multihash in hex, metadata
        :raises: what ``image_file`` raised, the same object; Invalid,
            StorageWriteDenied, StorageFull, TimeoutError, BackendException
        """
        location = self.create_location(image_id, context=context)
        try:
            with self._account(location, context) as account:
                stored = self._upload(account, location, image_file,
                                      image_size or 0, hashing_algo, verifier)
        except errors.BufswiftError as exc:
            errors.reraise(exc)
        in_file = utils.is_multiple_swift_store_accounts_enabled(
            self.conf, backend=self.backend_group)
        uri = location.get_uri(credentials_included=not in_file)
        metadata = {'store': self.backend_group} if self.backend_group else {}
        return uri, stored.size, stored.checksum, stored.multihash, metadata

    def _upload(self, account: swift.Account, location: Any,
                image_file: source.Readable, image_size: int,
                hashing_algo: str,
                verifier: digests.Digest | None) -> upload.Stored:
        where = layout.Layout(location.container, location.obj)
        created = containers.make(
            account, where.container,
            self._options().swift_store_create_container_on_put)
        try:
            return upload.Upload(
                account, where, self._settings(), image_file, image_size,
                digests.Digests(hashing_algo, verifier)).run()
        except BaseException:
            if created and self.container_per_image:
                containers.take_back(account.fresh(), where.container)
            raise

    def _settings(self) -> opts.Settings:
        return opts.settings(
            self.conf, self.backend_group, self.large_object_chunk_size,
            self.large_object_size)

    @capabilities.check  # type: ignore[untyped-decorator]
    def get(self, location: Any, connection: Any = None, offset: int = 0,
            chunk_size: int | None = None,
            context: Any = None) -> tuple[download.Download, int]:
        """Read an image, or a part of it.

        :param location: the image's
        :param connection: not used
        :param offset: the first byte
        :param chunk_size: bytes to read, fewer if the image ends; None = all
        :param context: the user's request, for multi-tenant stores
        :returns: an iterable of bytes with a length, and that length; its
            iterator raises as this does, once reading can't be resumed
        :raises: NotFound, RemoteServiceUnavailable, BackendException
        """
        where = location.store_location
        # A trust costs Keystone several requests: for a download upstream
        # makes one only if the download may be tried again.
        count = self._options().swift_store_retry_get_count
        try:
            with contextlib.ExitStack() as stack:
                account = stack.enter_context(
                    self._account(where, context, trust=bool(count)))
                image = download.start(
                    account, where.container, where.obj, offset,
                    chunk_size or None)
                image.hold(stack.pop_all())
        except errors.BufswiftError as exc:
            errors.reraise_reading(exc)
        return image, len(image)

    def get_size(self, location: Any, connection: Any = None,
                 context: Any = None) -> int:
        """The bytes in an image.

        :param location: the image's
        :param connection: not used
        :param context: the user's request, for multi-tenant stores
        :raises: NotFound if there is no image; RemoteServiceUnavailable or
            BackendException if it can't be told, where upstream says 0:
            Glance would take the image for too small to count
        """
        where = location.store_location
        try:
            with self._account(where, context, trust=False) as account:
                return download.size_of(account, where.container, where.obj)
        except errors.BufswiftError as exc:
            errors.reraise_reading(exc)

    @capabilities.check  # type: ignore[untyped-decorator]
    def delete(self, location: Any, connection: Any = None,
               context: Any = None) -> None:
        """Delete an image with all its segments, or keep its manifest.

        :param location: the image's
        :param connection: not used
        :param context: the user's request, for multi-tenant stores
        :raises: NotFound, Forbidden, TimeoutError, BackendException
        """
        where = location.store_location
        try:
            with self._account(where, context, trust=False) as account:
                self._delete(account, where)
        except errors.BufswiftError as exc:
            errors.reraise_deleting(exc)

    def _delete(self, account: swift.Account, where: Any) -> None:
        try:
            removal.remove(account, where.container, where.obj)
        except errors.NoImage:
            # A delete may have ended between the image and its container.
            self._remove_container(account, where)
            raise
        self._remove_container(account, where)

    def _remove_container(self, account: swift.Account, where: Any) -> None:
        if self.container_per_image:
            containers.remove(account, where.container, where.obj)

    def _account(self, location: Any, context: Any, trust: bool = True
                 ) -> contextlib.AbstractContextManager[swift.Account]:
        """The account that a location is in, for one operation.

        :param trust: whether a multi-tenant store may make a trust for it
        """
        return access.account(
            self._site(),
            functools.partial(self._enter, location, context, trust))

    def _site(self) -> access.Site:
        return access.Site(self._settings(), self.cacert, self.insecure)

    def _enter(self, location: Any, context: Any,
               trust: bool) -> access.Entrance:
        """Sign in at Keystone for an operation."""
        raise NotImplementedError


def _check_directory(directory: str) -> None:
    """Warn of a buffer directory out of order."""
    if not os.path.isdir(directory) or not os.access(
            directory, os.W_OK | os.X_OK):
        once.warn('The buffer directory %s is missing or not writable: '
                  'images are uploaded without a buffer until it is '
                  '(swift_buffered_dir)', directory)


class SingleTenantStore(_BufferedStore, upstream.SingleTenantStore):
    """All images in the account of one service user."""

    def _enter(self, location: Any, context: Any,
               trust: bool) -> access.Entrance:
        try:
            login = tokens.Login(self.init_client(location).session)
        except exceptions.BadStoreUri as exc:
            raise errors.ConfigError(str(exc)) from exc
        login.get_token()
        url = self.conf_endpoint or login.get_endpoint(
            service_type=self.service_type, interface=self.endpoint_type,
            region_name=self.region)
        if not url:
            raise errors.RequestFailed(
                f'Keystone has no {self.endpoint_type} endpoint of type '
                f'{self.service_type} in region {self.region}')
        return access.Entrance(url, login, leave=lambda well: login.close())


class MultiTenantStore(_BufferedStore, upstream.MultiTenantStore):
    """Each image in a container of its own, in its project's account."""

    container_per_image = True

    def _enter(self, location: Any, context: Any,
               trust: bool) -> access.Entrance:
        if context is None:
            raise exceptions.BadStoreConfiguration(
                store_name=NAME,
                reason='swift_store_multi_tenant needs the context of a '
                       'user\'s request')
        url = location.swift_url
        kept = trusts.kept(context)
        if kept is not None:
            return access.Entrance(url, kept.login)
        made = None
        if trust and self._options().swift_store_use_trusts:
            made = trusts.try_to_make(
                self._site().policy, lambda: trusts.make(
                    self._trustee(), context.auth_token, context.project_id))
        if made is None:
            return access.Entrance(url, token=context.auth_token)
        return access.Entrance(url, made.login, leave=functools.partial(
            self._leave, made, location, context))

    def _leave(self, trust: trusts.Trust, location: Any, context: Any,
               well: bool) -> None:
        """Give a trust back, or keep it where the user has nothing else.

        After an upload Glance goes on with the user's token, dead or not: it
        sets the ACLs with each save of the image, or deletes what does not
        match the signature. A trust can't be made any more by then.
        """
        if well and access.is_refused(
                self._site(), location.swift_url, context.auth_token,
                location.container):
            LOG.info("Swift refuses the user's token by now; the trust is "
                     'kept until the request of %s ends',
                     location.container)
            trusts.keep(context, trust)
        else:
            trust.remove()

    def _trustee(self) -> trusts.Trustee:
        """The user whom the users trust.

        :raises ConfigError: there is none
        """
        options = self._options()
        if not (options.swift_store_auth_address and options.swift_store_user
                and options.swift_store_key):
            raise errors.ConfigError(
                'A trust needs swift_store_auth_address, swift_store_user and '
                'swift_store_key: Keystone gives none to an application '
                'credential')
        project, _, name = options.swift_store_user.partition(':')
        return trusts.Trustee(
            options.swift_store_auth_address, name, options.swift_store_key,
            project, verify=self.ks_verify, timeout=self._settings().timeout)

    def set_acls(self, location: Any, public: bool = False,
                 read_tenants: Iterable[str] | None = None,
                 write_tenants: Iterable[str] | None = None,
                 connection: Any = None, context: Any = None) -> None:
        """Say which projects may read and write an image's container.

        :param location: the image's
        :param public: whether all may read it
        :param read_tenants: ids of those that may read it
        :param write_tenants: ids of those that may write it, beside the
            swift_store_admin_tenants
        :param connection: not used
        :param context: of the user's request
        :raises: NotFound, Forbidden, TimeoutError, BackendException
        """
        where = location.store_location
        try:
            with self._account(where, context, trust=False) as account:
                containers.share(
                    account, where.container, where.obj, public,
                    read_tenants or (),
                    [*(write_tenants or ()), *self.admin_tenants])
        except errors.BufswiftError as exc:
            errors.reraise_deleting(exc)
