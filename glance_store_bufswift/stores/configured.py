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

"""What a store has from its sections: options, checks of them, settings."""

from collections.abc import Mapping
import dataclasses
import os
from typing import Any
from typing import NoReturn

from glance_store._drivers.swift import store as upstream
from glance_store._drivers.swift import utils
from glance_store import driver
from glance_store import exceptions

from glance_store_bufswift import notices
from glance_store_bufswift import opts

#: The type of the stores in ``enabled_backends``.
NAME = 'swift+buffered'


class ConfiguredStore(upstream.BaseStore):
    """A store as its sections describe it."""

    OPTIONS = upstream.Store.OPTIONS + opts.OPTIONS

    _overrides: Mapping[str, Any] = {}
    _settings: opts.Settings | None = None

    def get_schemes(self) -> tuple[str, ...]:
        """Upstream's schemes, and the driver's name.

        glance_store looks a store up by its type, as if that were a scheme
        (multi_backend.get_store_from_store_identifier). URIs never have it.
        """
        return (*super().get_schemes(), NAME)

    def configure(self, re_raise_bsc: bool = False) -> None:
        """Read the options, even if the buffer directory is unusable.

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
        _check_directory(self.settings().directory)

    def _account_in_file(self) -> bool:
        """Whether the account is in a file, and not in the locations."""
        return bool(
            utils.is_multiple_swift_store_accounts_enabled(
                self.conf, backend=self.backend_group
            )
        )

    def override(self, **settings: Any) -> None:
        """Have settings in place of the configuration's, for the commands."""
        self._overrides = settings

    def settings(self) -> opts.Settings:
        """The store's settings, with what the commands override.

        They are looked up once: glance_store makes a store anew for each
        operation.
        """
        if self._settings is None:
            self._settings = opts.settings(
                self.conf,
                self.backend_group,
                self.large_object_chunk_size,
                self.large_object_size,
            )
        return dataclasses.replace(self._settings, **self._overrides)


def _check_directory(directory: str) -> None:
    """Warn of an unusable buffer directory."""
    if not os.path.isdir(directory) or not os.access(
        directory, os.W_OK | os.X_OK
    ):
        notices.warn_once(
            'The buffer directory %s is missing or not writable: '
            'images are uploaded without a buffer until this is '
            'corrected (swift_buffered_dir)',
            directory,
        )


def refuse(reason: str) -> NoReturn:
    """Raise what glance_store takes for a wrong configuration.

    :param reason: what is wrong, and what to change
    """
    raise exceptions.BadStoreConfiguration(
        store_name=NAME, reason=reason
    ) from None
