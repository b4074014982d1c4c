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

"""What both kinds of store do with images.

They are glance_store's Swift stores with another way to move bytes.
Credentials, containers and the names of images stay upstream's.
"""

import contextlib
import functools
from typing import Any

from glance_store import capabilities
from glance_store import driver
from glance_store import exceptions

from glance_store_bufswift import access
from glance_store_bufswift import account_file
from glance_store_bufswift import digests
from glance_store_bufswift import download
from glance_store_bufswift import errors
from glance_store_bufswift import hashes
from glance_store_bufswift import layout
from glance_store_bufswift import provisioning
from glance_store_bufswift.reader import lookup
from glance_store_bufswift import recent
from glance_store_bufswift import removal
from glance_store_bufswift import source
from glance_store_bufswift.stores import configured
from glance_store_bufswift.stores import locations
from glance_store_bufswift.swift import accounts
from glance_store_bufswift import translation
from glance_store_bufswift import upload


class BufferedStore(configured.ConfiguredStore):
    """What both stores have in common."""

    _CAPABILITIES = (
        capabilities.BitMasks.RW_ACCESS | capabilities.BitMasks.READ_RANDOM
    )

    #: Whether each image has a container of its own.
    container_per_image = False

    def create_location(
        self, image_id: str, context: Any = None
    ) -> locations.StoreLocation:
        """Where a new image goes."""
        with account_file.LOCK:
            made = super().create_location(image_id, context=context)
        return locations.StoreLocation(
            made.specs, made.conf, backend_group=made.backend_group
        )

    def init_client(self, location: Any, context: Any = None) -> Any:
        """Upstream's Keystone client, with a timeout."""
        return access.with_timeout(
            super().init_client(location, context=context),
            self.settings().timeout,
        )

    @driver.back_compat_add  # type: ignore[untyped-decorator]
    @capabilities.check  # type: ignore[untyped-decorator]
    def add(
        self,
        image_id: str,
        image_file: source.Readable,
        image_size: int | None,
        hashing_algo: str,
        context: Any = None,
        verifier: hashes.Digest | None = None,
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
            StorageWriteDenied, StorageFull, TimeoutError, BackendException;
            UnknownHashingAlgo, before anything is read or stored
        """
        image_digests = _digests(hashing_algo, verifier)
        location = self.create_location(image_id, context=context)
        try:
            with self.account(location, context) as account:
                stored = self._upload(
                    account,
                    layout.Layout(location.container, location.obj),
                    image_file,
                    image_size or 0,
                    image_digests,
                )
        except errors.BufswiftError as exc:
            translation.reraise_adding(exc)
        uri = location.get_uri(
            credentials_included=not self._account_in_file()
        )
        metadata = {'store': self.backend_group} if self.backend_group else {}
        return uri, stored.size, stored.checksum, stored.multihash, metadata

    def _upload(
        self,
        account: accounts.Account,
        dest: layout.Layout,
        image_file: source.Readable,
        image_size: int,
        image_digests: digests.Digests,
    ) -> upload.StoredImage:
        settings = self.settings()
        # Without a retry, a PUT that finds no container is the end.
        ensure = (
            recent.SHARED.ensure if settings.retries else provisioning.ensure
        )
        created = ensure(
            account,
            dest.container,
            self._options().swift_store_create_container_on_put,
        )
        try:
            stored = upload.Upload(
                account,
                dest,
                settings,
                image_file,
                image_size,
                image_digests,
            ).run()
        except BaseException:
            recent.SHARED.remove(account, dest.container)
            if created and self.container_per_image:
                provisioning.remove_created(account.fresh(), dest.container)
            raise
        if not self.container_per_image:
            recent.SHARED.add(account, dest.container)
        return stored

    @capabilities.check  # type: ignore[untyped-decorator]
    def get(
        self,
        location: Any,
        connection: Any = None,
        offset: int = 0,
        chunk_size: int | None = None,
        context: Any = None,
    ) -> tuple[download.Download, int]:
        """Read an image, or a part of it.

        :param location: the image's
        :param connection: not used
        :param offset: the first byte
        :param chunk_size: bytes to read, fewer if the image ends; None = all
        :param context: the user's request, for multi-tenant stores
        :returns: an iterable of bytes with a length, and that length; its
            iterator raises the same errors, once reading can't be resumed
        :raises: NotFound, RemoteServiceUnavailable, BackendException
        """
        place = location.store_location
        # A trust costs several requests to Keystone. For a download upstream
        # makes one only if the download may be retried.
        count = self._options().swift_store_retry_get_count
        try:
            with contextlib.ExitStack() as stack:
                account = stack.enter_context(
                    self.account(place, context, trust=bool(count))
                )
                image = download.start(
                    account,
                    place.container,
                    place.obj,
                    offset,
                    chunk_size or None,
                    self.settings(),
                )
                image.hold(stack.pop_all())
        except errors.BufswiftError as exc:
            translation.reraise_reading(exc)
        return image, len(image)

    def get_size(
        self, location: Any, connection: Any = None, context: Any = None
    ) -> int:
        """The bytes in an image.

        :param location: the image's
        :param connection: not used
        :param context: the user's request, for multi-tenant stores
        :raises: NotFound if there is no image; RemoteServiceUnavailable or
            BackendException if the size is not known. Upstream returns 0
            then, which Glance takes for the size
        """
        place = location.store_location
        try:
            with self.account(place, context, trust=False) as account:
                return lookup.size_of(account, place.container, place.obj)
        except errors.BufswiftError as exc:
            translation.reraise_reading(exc)

    # No capabilities.check: it would ask for WRITE_ACCESS, which a store loses
    # when nothing can be added. Glance would then take the image for deleted,
    # and its data would stay.
    def delete(
        self, location: Any, connection: Any = None, context: Any = None
    ) -> None:
        """Delete an image with all its segments, or keep its manifest.

        :param location: the image's
        :param connection: not used
        :param context: the user's request, for multi-tenant stores
        :raises: NotFound, Forbidden, TimeoutError, BackendException
        """
        place = location.store_location
        try:
            with self.account(place, context, trust=False) as account:
                self._delete(account, place)
        except errors.BufswiftError as exc:
            translation.reraise_deleting(exc)

    def _delete(self, account: accounts.Account, place: Any) -> None:
        try:
            removal.remove(account, place.container, place.obj)
        except errors.NoImage:
            # A delete may have ended between the image and its container.
            self._remove_container(account, place)
            raise
        self._remove_container(account, place)

    def _remove_container(self, account: accounts.Account, place: Any) -> None:
        if self.container_per_image:
            provisioning.remove(account, place.container, place.obj)

    def account(
        self, location: Any, context: Any, trust: bool = True
    ) -> contextlib.AbstractContextManager[accounts.Account]:
        """The account that a location is in, for one operation.

        :param trust: whether a multi-tenant store may make a trust for it
        """
        return access.account(
            self._client_config(),
            functools.partial(self._sign_in, location, context, trust),
        )

    def _client_config(self) -> access.ClientConfig:
        return access.ClientConfig(self.settings(), self.cacert, self.insecure)

    def _sign_in(
        self, location: Any, context: Any, trust: bool
    ) -> access.SignIn:
        """Sign in at Keystone for an operation."""
        raise NotImplementedError


def _digests(
    hashing_algo: str, verifier: hashes.Digest | None
) -> digests.Digests:
    try:
        return digests.Digests(hashing_algo, verifier)
    except errors.ConfigError as exc:
        # glance_store itself raises this for some of them.
        raise exceptions.UnknownHashingAlgo(message=str(exc)) from exc
