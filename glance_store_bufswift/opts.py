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

"""The options of the driver, and the settings that a store gets of them.

Of the driver, only this module, :mod:`.options` and :mod:`.precedence` use
oslo.config. All others get a frozen :class:`Settings`.
"""

import dataclasses
import tempfile
from typing import Any

from oslo_config import cfg

from glance_store_bufswift.options import buffers
from glance_store_bufswift.options import downloads
from glance_store_bufswift.options import manifests
from glance_store_bufswift.options import requests
from glance_store_bufswift import precedence
from glance_store_bufswift import units


#: What upstream calls a MB (glance_store._drivers.swift.store.ONE_MB).
UPSTREAM_MB = 1024 * 1000

#: The kinds of manifest that hold an image's segments together.
DLO, SLO = manifests.DLO, manifests.SLO

OPTIONS = [
    *buffers.OPTIONS,
    *requests.OPTIONS,
    *manifests.OPTIONS,
    *downloads.OPTIONS,
]


@dataclasses.dataclass(frozen=True)
class Settings:
    """The configuration of one store.

    :ivar directory: where segments are buffered
    :ivar disk_quota: bytes that all buffers of the host may take; 0 = no quota
    :ivar min_free_percent: share of the file system to leave free
    :ivar threads: segments of one upload that are sent at a time
    :ivar retries: further tries of a request
    :ivar max_backoff: seconds between two tries at most
    :ivar timeout: seconds that a socket operation may take
    :ivar confirm_timeout: seconds to wait until an image reads back
    :ivar manifest: DLO or SLO
    :ivar read_threads: connections of one download
    :ivar read_memory: bytes that all downloads of the process may hold
    :ivar segment_size: bytes in a segment
    :ivar plain_limit: bytes above which an image is stored in segments
    """

    directory: str = dataclasses.field(default_factory=tempfile.gettempdir)
    disk_quota: int = 0
    min_free_percent: int = 10
    threads: int = 4
    retries: int = 5
    max_backoff: float = 30
    timeout: float = 60
    confirm_timeout: float = 15
    manifest: str = DLO
    read_threads: int = 4
    read_memory: int = 192 * units.MIB
    segment_size: int = 200 * UPSTREAM_MB
    plain_limit: int = 200 * UPSTREAM_MB

    @property
    def most_in_flight(self) -> int:
        """Segments of one upload that may be under way at a time.

        It is one more than are sent: Swift takes time to commit a segment, but
        no bandwidth.
        """
        return self.threads + 1 if self.threads > 1 else 1


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """What oslo-config-generator shows."""
    return [(precedence.GROUP, OPTIONS)]


def register(conf: cfg.ConfigOpts, backend: str | None) -> None:
    """Register our options in every group that can hold them."""
    for group in precedence.groups(backend):
        conf.register_opts(OPTIONS, group=group)


def settings(
    conf: cfg.ConfigOpts,
    backend: str | None,
    segment_size: int,
    large_object_size: int,
) -> Settings:
    """The settings of a store.

    :param conf: the configuration, after :func:`register`
    :param backend: the store's section, None for ``[glance_store]``
    :param segment_size: upstream's large_object_chunk_size, bytes
    :param large_object_size: upstream's large_object_size, bytes
    """

    def value(name: str) -> Any:
        return precedence.lookup(conf, backend, 'swift_buffered_' + name)

    directory = (
        value('dir')
        or precedence.lookup(conf, backend, 'swift_upload_buffer_dir')
        or tempfile.gettempdir()
    )
    return Settings(
        directory=directory,
        disk_quota=value('disk_quota') * units.MIB,
        min_free_percent=value('min_free_percent'),
        threads=value('threads'),
        retries=value('retries'),
        max_backoff=value('max_backoff'),
        timeout=value('timeout'),
        confirm_timeout=value('confirm_timeout'),
        manifest=value('manifest'),
        read_threads=value('read_threads'),
        read_memory=value('read_memory') * units.MIB,
        segment_size=segment_size,
        plain_limit=min(segment_size, large_object_size),
    )


def settings_of(conf: cfg.ConfigOpts, backend: str | None) -> Settings:
    """The settings of a store that is not made yet.

    :param conf: the configuration, with upstream's options registered too
    :param backend: the store's section, None for ``[glance_store]``
    """
    chunk, largest = (
        precedence.lookup(conf, backend, f'swift_store_large_object_{name}')
        * UPSTREAM_MB
        for name in ('chunk_size', 'size')
    )
    return settings(conf, backend, chunk, largest)
