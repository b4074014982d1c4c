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

"""Glance's configuration files, read as glance-api reads them."""

from collections.abc import Sequence
import difflib
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

from glance_store_bufswift.cmd import files
from glance_store_bufswift import driver
from glance_store_bufswift import errors
from glance_store_bufswift import naming
from glance_store_bufswift import notices
from glance_store_bufswift import precedence

#: The type of the stock driver's stores.
STOCK = 'swift'


def read(named: Sequence[str], directories: Sequence[str]) -> Any:
    """Read the configuration of glance-api.

    :param named: files instead of those that glance-api reads by default
    :param directories: instead of those that it reads by default
    :raises ConfigError: there is none, or it can't be read
    """
    conf = cfg.ConfigOpts()
    # As Glance does (glance/common/config.py).
    conf.register_opts(
        [
            cfg.DictOpt('enabled_backends'),
            cfg.StrOpt('hashing_algorithm', default='sha512'),
        ]
    )
    conf.register_opts([cfg.StrOpt('default_backend')], group='glance_store')
    arguments = [f'--config-file={path}' for path in named]
    arguments += [f'--config-dir={path}' for path in directories]
    try:
        conf(
            arguments,
            project='glance',
            prog='glance-api',
            default_config_files=files.default(),
        )
    except (cfg.Error, ValueError) as exc:
        raise errors.ConfigError(
            f'The configuration can not be read: {exc}'
        ) from exc
    if not files.names(conf):
        raise errors.ConfigError(
            'There is no glance-api.conf where glance-api looks for it; '
            'name one with --config-file'
        )
    _verify(conf, 'DEFAULT', ['enabled_backends', 'hashing_algorithm'])
    _verify_default(conf)
    return conf


def _verify_default(conf: Any) -> None:
    """Make sure that Glance's default store is one of its stores."""
    if not conf.enabled_backends:
        raise errors.ConfigError(
            f'enabled_backends is not set in {_names(conf)}; this command '
            'knows stores that are named there'
        )
    default = conf.glance_store.default_backend
    if default and default not in conf.enabled_backends:
        raise errors.ConfigError(
            f'default_backend = {default} in [glance_store] of '
            f'{_names(conf)} names no store of enabled_backends: set it to '
            f'one of {", ".join(sorted(conf.enabled_backends))}'
        )


def verify(conf: Any, backend: str) -> None:
    """Make sure that all options of a store can be read.

    After driver.prepare().

    :raises ConfigError: one can't, or the store has no section
    """
    said = files.written(conf)
    having = [group for group in precedence.groups(backend) if group in conf]
    for group in having:
        _verify(conf, group, list(conf[group]))
    if not any(
        name.startswith('swift_store_')
        for group in having
        for name in said.get(group, ())
    ):
        near = difflib.get_close_matches(backend, said, 1)
        raise errors.ConfigError(
            f'Store {backend} of enabled_backends has no section [{backend}] '
            f'in {_names(conf)}: '
            + (f'rename [{near[0]}], or ' if near else '')
            + 'add one with swift_store_auth_address, swift_store_user and '
            'swift_store_key'
        )


def _verify(conf: Any, section: str, options: Sequence[str]) -> None:
    """Make sure that the values of these options can be read."""
    group = conf if section == 'DEFAULT' else conf[section]
    for name in options:
        try:
            group[name]
        except (cfg.Error, ValueError) as exc:
            places = files.written(conf).get(section, {}).get(name)
            file, value = places[-1] if places else (_names(conf), '?')
            why = str(exc).rpartition(' is not valid: ')[2]
            raise errors.ConfigError(
                f'{file}: {name} = {value} in [{section}] can not be used '
                f'({why}): correct it'
            ) from None


def backends(
    conf: Any, wanted: Sequence[str], kinds: Sequence[str]
) -> list[str]:
    """The ids of the stores to work on, in the order of the configuration.

    :param wanted: what ``--backend`` names; empty = all of these kinds
    :param kinds: types of stores that are taken by default
    :raises ConfigError: one does not exist or is not in Swift, or there is
        none
    """
    enabled = conf.enabled_backends
    for name in wanted:
        if enabled.get(name) not in (driver.NAME, STOCK):
            raise errors.ConfigError(
                f'--backend {name}: enabled_backends in {_names(conf)} has '
                f'no store of this name and of type {driver.NAME} or {STOCK}'
            )
    found = [
        name
        for name, kind in enabled.items()
        if name in wanted or (not wanted and kind in kinds)
    ]
    if not found:
        stock = ', '.join(
            name for name, kind in enabled.items() if kind == STOCK
        )
        raise errors.ConfigError(
            f'enabled_backends in {_names(conf)} has no store of type '
            f'{" or ".join(kinds)}'
            + (
                f'; --backend {stock} shows what would be if the type of '
                'that store were changed'
                if stock
                else ''
            )
        )
    return found


def containers(conf: Any, backend: str) -> naming.StoreContainers:
    """Which containers a store uses; after driver.prepare()."""

    def value(name: str) -> Any:
        return precedence.lookup(conf, backend, f'swift_store_{name}')

    return naming.StoreContainers(
        value('container'),
        value('multiple_containers_seed'),
        value('multi_tenant'),
    )


def account_reference(conf: Any, backend: str) -> tuple[str | None, str]:
    """The file of accounts, if there is one, and the reference in it.

    After driver.prepare().
    """
    path = precedence.lookup(conf, backend, 'swift_store_config_file')
    return (
        path and (conf.find_file(path) or path),
        precedence.lookup(conf, backend, 'default_swift_reference'),
    )


def _names(conf: Any) -> str:
    return ', '.join(files.names(conf))


def set_logging_up(debug: bool) -> None:
    """Log to standard error, whatever glance-api.conf says about log files.

    :param debug: whether to log each step; only of our own code, because the
        clients below it put tokens into their messages
    """
    conf = cfg.ConfigOpts()
    logging.register_options(conf)
    conf(
        [],
        project='glance-bufswift',
        default_config_files=[],
        default_config_dirs=[],
    )
    plain = '%(levelname)s: %(message)s'
    conf.set_override('use_stderr', True)
    conf.set_override('logging_default_format_string', plain)
    conf.set_override('logging_context_format_string', plain)
    conf.set_override(
        'default_log_levels',
        [
            f'{__package__.partition(".")[0]}='
            f'{"DEBUG" if debug else "WARNING"}',
            # It warns of a buffer directory that these commands do not use.
            f'{notices.__name__}=ERROR',
            'glance_store=CRITICAL',
        ],
    )
    logging.setup(conf, 'glance-bufswift')
    root = logging.getLogger(None).logger
    root.setLevel('ERROR')
