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

"""Each image in a container of its own, in its project's account."""

from collections.abc import Iterable
import functools
from typing import Any

from glance_store._drivers.swift import store as upstream
from oslo_log import log as logging

from glance_store_bufswift import access
from glance_store_bufswift import errors
from glance_store_bufswift import provisioning
from glance_store_bufswift.stores import base
from glance_store_bufswift.stores import configured
from glance_store_bufswift.stores import locations
from glance_store_bufswift import translation
from glance_store_bufswift import trusts

LOG = logging.getLogger(__name__)

#: glance_store looks for this name in the module of a store's class.
StoreLocation = locations.StoreLocation


class MultiTenantStore(base.BufferedStore, upstream.MultiTenantStore):
    """Each image in a container of its own, in its project's account."""

    container_per_image = True

    def _sign_in(
        self, location: Any, context: Any, trust: bool
    ) -> access.SignIn:
        if context is None:
            configured.refuse(
                'swift_store_multi_tenant needs the context of a '
                "user's request"
            )
        url = location.swift_url
        kept = trusts.kept(context)
        if kept is not None:
            return access.SignIn(url, kept.login)
        made = None
        if trust and self._options().swift_store_use_trusts:
            made = trusts.try_to_make(
                self._client_config().policy,
                lambda: trusts.make(
                    self._trustee(), context.auth_token, context.project_id
                ),
            )
        if made is None:
            return access.SignIn(url, token=context.auth_token)
        return access.SignIn(
            url,
            made.login,
            sign_out=functools.partial(
                self._sign_out, made, location, context
            ),
        )

    def _sign_out(
        self,
        trust: trusts.Trust,
        location: Any,
        context: Any,
        succeeded: bool,
    ) -> None:
        """Remove a trust, or keep it if the user's token has expired.

        After an upload Glance goes on with the user's token, expired or not:
        it sets the ACLs with each save of the image, or deletes an image that
        does not match its signature. By then no trust can be made any more.
        """
        if succeeded and access.is_refused(
            self._client_config(),
            location.swift_url,
            context.auth_token,
            location.container,
        ):
            LOG.info(
                "Swift refuses the user's token by now; the trust is "
                'kept until the request of %s ends',
                location.container,
            )
            trusts.keep(context, trust)
        else:
            trust.remove()

    def _trustee(self) -> trusts.Trustee:
        """The service user, whom the users trust.

        :raises ConfigError: the options do not name one
        """
        options = self._options()
        if not (
            options.swift_store_auth_address
            and options.swift_store_user
            and options.swift_store_key
        ):
            raise errors.ConfigError(
                'A trust needs swift_store_auth_address, swift_store_user and '
                'swift_store_key: Keystone gives none to an application '
                'credential'
            )
        project, _, name = options.swift_store_user.partition(':')
        return trusts.Trustee(
            options.swift_store_auth_address,
            name,
            options.swift_store_key,
            project,
            verify=self.ks_verify,
            timeout=self.settings().timeout,
        )

    def set_acls(
        self,
        location: Any,
        public: bool = False,
        read_tenants: Iterable[str] | None = None,
        write_tenants: Iterable[str] | None = None,
        connection: Any = None,
        context: Any = None,
    ) -> None:
        """Set which projects may read and write an image's container.

        :param location: the image's
        :param public: whether all may read it
        :param read_tenants: ids of those that may read it
        :param write_tenants: ids of those that may write it, besides the
            swift_store_admin_tenants
        :param connection: not used
        :param context: of the user's request
        :raises: NotFound, Forbidden, TimeoutError, BackendException
        """
        place = location.store_location
        try:
            with self.account(place, context, trust=False) as account:
                provisioning.share(
                    account,
                    place.container,
                    place.obj,
                    public,
                    read_tenants or (),
                    [*(write_tenants or ()), *self.admin_tenants],
                )
        except errors.BufswiftError as exc:
            translation.reraise_deleting(exc)
