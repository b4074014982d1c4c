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

"""All images in the account of one service user."""

import functools
from typing import Any

from glance_store._drivers.swift import store as upstream
from glance_store._drivers.swift import utils
from glance_store import exceptions
from oslo_log import log as logging

from glance_store_bufswift import access
from glance_store_bufswift import account_file
from glance_store_bufswift import errors
from glance_store_bufswift.stores import base
from glance_store_bufswift.stores import configured
from glance_store_bufswift.stores import locations
from glance_store_bufswift.swift import tokens

LOG = logging.getLogger(__name__)

#: glance_store looks for this name in the module of a store's class.
StoreLocation = locations.StoreLocation


class SingleTenantStore(
    base.BufferedStore, locations.Quoting, upstream.SingleTenantStore
):
    """All images in the account of one service user."""

    def __init__(self, conf: Any, backend: str | None = None) -> None:
        path = conf[backend or 'glance_store'].swift_store_config_file
        with account_file.LOCK:
            if path:
                _verify(conf, path)
            super().__init__(conf, backend=backend)

    def configure_add(self) -> None:
        """Check what upstream checks, and what would fail the first upload.

        :raises BadStoreConfiguration: nothing can be added
        """
        options = self._options()
        reference = options.default_swift_reference
        if self._account_in_file() and reference not in self.ref_params:
            configured.refuse(
                f'{options.swift_store_config_file} has no account '
                f'[{reference}] with auth_address, user and key: add it, or '
                'set default_swift_reference to one that is there'
            )
        super().configure_add()
        if (
            not self._account_in_file()
            and not options.swift_store_multi_tenant
            and ':' in (self.key or '')
        ):
            configured.refuse(
                'swift_store_key has a ":", so that the swift driver could '
                'not read the images stored with it: put user and key into a '
                'file that swift_store_config_file names, or take another key'
            )

    def create_location(
        self, image_id: str, context: Any = None
    ) -> locations.StoreLocation:
        """Where a new image goes."""
        made = super().create_location(image_id, context=context)
        if self._account_in_file():
            made.reference = self._options().default_swift_reference
        return made

    def _sign_in(
        self, location: Any, context: Any, trust: bool
    ) -> access.SignIn:
        try:
            login = tokens.Login(
                self.init_client(location).session,
                functools.partial(self._renew, location),
            )
        except exceptions.BadStoreUri as exc:
            raise errors.ConfigError(str(exc)) from exc
        login.get_token()
        url = self.storage_url(login)
        if not url:
            raise errors.RequestFailed(
                f'Keystone has no {self.endpoint_type} endpoint of type '
                f'{self.service_type} in region {self.region}'
            )
        return access.SignIn(
            url, login, sign_out=lambda succeeded: login.close()
        )

    def storage_url(self, session: Any) -> str | None:
        """The account's URL: as configured, else as in Keystone's catalog.

        :param session: a session of keystoneauth, or a Login
        """
        url: str | None = self.conf_endpoint or session.get_endpoint(
            service_type=self.service_type,
            interface=self.endpoint_type,
            region_name=self.region,
        )
        return url

    def _renew(self, location: locations.StoreLocation) -> Any:
        """A session with the credentials now in the file of accounts.

        None if they are those that the location was opened with.
        """
        if location.reference is None:
            return None
        before = location.credentials()
        try:
            with account_file.LOCK:
                _verify(self.conf, self._options().swift_store_config_file)
                location.take(
                    utils.SwiftParams(
                        self.conf, backend=self.backend_group
                    ).params[location.reference]
                )
        except (exceptions.BadStoreConfiguration, KeyError) as exc:
            LOG.warning(
                'The account %s can not be read again: %s',
                location.reference,
                exc,
            )
            return None
        if location.credentials() == before:
            return None
        LOG.info(
            'Keystone refused the credentials of %s; its file has '
            'others by now',
            location.reference,
        )
        return self.init_client(location).session


def _verify(conf: Any, path: str) -> None:
    """Refuse a file of accounts that glance_store can't read.

    :raises BadStoreConfiguration: it can't
    """
    try:
        account_file.verify(
            conf.find_file(path) or path, utils.SwiftConfigParser()
        )
    except account_file.UnreadableAccountFile as exc:
        configured.refuse(str(exc))
