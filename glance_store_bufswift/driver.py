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

"""The driver ``swift+buffered``, as glance_store loads it."""

import configparser
from typing import Any

from glance_store._drivers.swift import store as upstream
from glance_store._drivers.swift import utils
from glance_store import exceptions
from oslo_log import log as logging

from glance_store_bufswift import opts
from glance_store_bufswift import precedence
from glance_store_bufswift.stores import configured
from glance_store_bufswift.stores import locations
from glance_store_bufswift.stores import multi
from glance_store_bufswift.stores import single

LOG = logging.getLogger(__name__)

#: The driver's name in ``enabled_backends``.
NAME = configured.NAME

StoreLocation = locations.StoreLocation
SingleTenantStore = single.SingleTenantStore
MultiTenantStore = multi.MultiTenantStore

#: Options that upstream reads from a store's own section only.
_OWN_SECTION_ONLY = [
    'default_swift_reference',
    'swift_store_config_file',
    'swift_store_container',
    'swift_store_create_container_on_put',
    'swift_store_multi_tenant',
    'swift_store_use_trusts',
]


def Store(conf: Any, backend: str | None = None) -> upstream.BaseStore:  # noqa: N802
    """Make the store that a section describes; glance_store's entry point.

    :param conf: the configuration
    :param backend: the store's section, None for ``[glance_store]``
    :raises BadStoreConfiguration: its account can't be read, or it is
        multi-tenant with a file of accounts
    """
    prepare(conf, backend)
    try:
        return _store(conf, backend)
    except exceptions.BadStoreConfiguration as exc:
        # glance_store leaves the store out without a word.
        LOG.error('Store %s can not be used: %s', backend or '', exc)
        raise


def _store(conf: Any, backend: str | None) -> upstream.BaseStore:
    if not conf[backend or 'glance_store'].swift_store_multi_tenant:
        return SingleTenantStore(conf, backend=backend)
    if utils.is_multiple_swift_store_accounts_enabled(conf, backend=backend):
        configured.refuse(
            'swift_store_multi_tenant and swift_store_config_file '
            'exclude each other; unset one of them'
        )
    return MultiTenantStore(conf, backend=backend)


def prepare(conf: Any, backend: str | None = None) -> None:
    """Register the options in every group that can hold them.

    :param backend: the store's section, None for ``[glance_store]``
    """
    for group in (backend or 'glance_store', precedence.SHARED_GROUP):
        conf.register_opts(upstream.Store.OPTIONS, group=group)
    opts.register(conf, backend)
    if backend:
        precedence.resolve(conf, backend, _OWN_SECTION_ONLY)


# glance_store looks for them on the callable of the entry point.
Store.OPTIONS = upstream.Store.OPTIONS + opts.OPTIONS  # type: ignore[attr-defined]


def parser() -> configparser.ConfigParser:
    """The parser that glance_store reads a file of accounts with."""
    made: configparser.ConfigParser = utils.SwiftConfigParser()
    return made
