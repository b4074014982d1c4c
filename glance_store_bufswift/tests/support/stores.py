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

"""glance_store with a configuration of its own, as Glance sets it up."""

from collections.abc import Mapping
import functools
from pathlib import Path
from typing import Any

import fixtures
import glance_store
from glance_store._drivers.swift import utils
from glance_store import location
from glance_store import multi_backend
from oslo_config import cfg

Sections = Mapping[str, Mapping[str, Any]]

# It loads every driver there is, some of which can't be, each time.
_all_drivers_opts = functools.cache(multi_backend._list_driver_opts)

# What nearly all tests have: the others need imports as long as all of ours.
_SWIFT = frozenset(['swift', 'swift+buffered'])

#: Where glance_store keeps the configuration it was imported with.
_GLOBALS = (
    'glance_store.multi_backend.CONF',
    'glance_store.driver.CONF',
    'glance_store._drivers.swift.buffered.CONF',
)


class Stores(fixtures.Fixture):
    """The stores of a glance-api.conf, through glance_store's public API.

    :param sections: the file's sections, ``DEFAULT`` with enabled_backends
    """

    def __init__(self, sections: Sections) -> None:
        super().__init__()
        self.sections = sections

    def _setUp(self) -> None:
        path = Path(self.useFixture(fixtures.TempDir()).path, 'glance.conf')
        path.write_text(render(self.sections))
        self.conf = cfg.ConfigOpts()
        for name in _GLOBALS:
            self.useFixture(fixtures.MonkeyPatch(name, self.conf))
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store.location.SCHEME_TO_CLS_BACKEND_MAP', {}
            )
        )
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store.multi_backend._list_driver_opts',
                self._driver_opts,
            )
        )
        self.useFixture(
            fixtures.MonkeyPatch('oslo_config.cfg.Opt.__ne__', _differ)
        )
        # One parser for all swift_store_config_files of a process.
        utils.CONFIG.clear()
        self.conf.register_opts([cfg.DictOpt('enabled_backends')])
        self.conf([], project='glance', default_config_files=[str(path)])
        glance_store.register_store_opts(self.conf)
        glance_store.create_multi_stores(self.conf)

    def _driver_opts(self) -> dict[str, Any]:
        enabled = str(self.sections['DEFAULT']['enabled_backends'])
        kinds = {each.partition(':')[2] for each in enabled.split(',')}
        return _swift_opts() if kinds <= _SWIFT else _all_drivers_opts()

    def store(self, name: str) -> Any:
        """The store that glance_store gives for an id."""
        return multi_backend.get_store_from_store_identifier(name)

    def add(
        self,
        image: str,
        data: Any,
        size: int = 0,
        store: str = 'fast',
        **more: Any,
    ) -> Any:
        """Store an image; gives glance_store's five-tuple."""
        return multi_backend.add_with_multihash(
            self.conf, image, data, size, store, 'sha512', **more
        )

    def get(self, uri: str, store: str = 'fast', **more: Any) -> bytes:
        """The bytes of an image."""
        chunks, _ = multi_backend.get(uri, store, **more)
        return b''.join(chunks)

    def delete(self, uri: str, store: str = 'fast', **more: Any) -> None:
        """Delete an image."""
        multi_backend.delete(uri, store, **more)


_compare = cfg.Opt.__ne__


def _differ(ours: cfg.Opt, other: object) -> bool:
    """Whether two options are not alike.

    Drivers register the same ones for each operation, and oslo.config compares
    each with itself, field by field.
    """
    return ours is not other and _compare(ours, other)


@functools.cache
def _swift_opts() -> dict[str, Any]:
    """What glance_store lists of these drivers."""
    return {
        kind: multi_backend._load_multi_store(None, kind, False).OPTIONS
        for kind in sorted(_SWIFT)
    }


def render(sections: Sections) -> str:
    """A configuration file's text."""
    lines = []
    for name, options in sections.items():
        lines.append(f'[{name}]')
        lines += [f'{key} = {value}' for key, value in options.items()]
    return '\n'.join(lines) + '\n'


def location_of(uri: str, store: str, conf: Any) -> Any:
    """The location that a URI stands for."""
    return location.get_location_from_uri_and_backend(uri, store, conf=conf)
