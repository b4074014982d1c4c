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

"""Which of the sections that can hold an option counts for a store."""

from typing import Any

from oslo_config import cfg

#: Our own group, for all stores of this type on a host.
GROUP = 'swift_buffered'

#: glance_store's group of values shared by all stores
#: (``glance_store.driver.SHARED_CONF_GROUP``).
SHARED_GROUP = 'backend_defaults'


def groups(backend: str | None) -> list[str]:
    """The sections that count for a store, the one that wins first."""
    return [backend or 'glance_store', SHARED_GROUP, GROUP]


def lookup(conf: cfg.ConfigOpts, backend: str | None, name: str) -> Any:
    """The value of an option by precedence.

    The store's own section wins, then ``[backend_defaults]``, then
    ``[swift_buffered]``, then the default. glance_store's own look-up only
    tests whether a value is None, and so takes the default of
    ``[backend_defaults]`` for a value that is set. Here a group counts only if
    the option is set in it.
    """
    having = [
        group
        for group in groups(backend)
        if group in conf and name in conf[group]
    ]
    for group in having:
        if _is_set(conf, group, name):
            return conf[group][name]
    # glance_store's BackendGroupConfiguration may have reset the default in
    # the store's section to None, but never those in the shared groups.
    return conf[having[-1]][name]


def resolve(conf: cfg.ConfigOpts, backend: str, names: list[str]) -> None:
    """Write the values by precedence into a store's own section.

    Upstream reads some options from the section alone, where glance_store
    resets the default to None (the class of bug 2146432), so that a value in
    ``[backend_defaults]``, and even the default, is ignored.
    """
    for name in names:
        value = lookup(conf, backend, name)
        if value is not None and not _is_set(conf, backend, name):
            conf.set_override(name, value, group=backend)


def is_given(conf: cfg.ConfigOpts, backend: str | None, name: str) -> bool:
    """Whether an option is set for a store."""
    return any(
        group in conf and name in conf[group] and _is_set(conf, group, name)
        for group in groups(backend)
    )


def _is_set(conf: cfg.ConfigOpts, group: str, name: str) -> bool:
    where = conf.get_location(name, group)
    return where is not None and where.location not in (
        cfg.Locations.opt_default,
        cfg.Locations.set_default,
    )
