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

from typing import Any

from glance_store._drivers.swift import store as upstream
from glance_store import exceptions

from glance_store_bufswift import access
from glance_store_bufswift import errors
from glance_store_bufswift.stores import base
from glance_store_bufswift.swift import tokens

#: glance_store looks for this name in the module of a store's class.
StoreLocation = upstream.StoreLocation


class SingleTenantStore(base.BufferedStore, upstream.SingleTenantStore):
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
