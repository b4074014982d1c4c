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

"""The options of the driver: where they can be set and what they mean.

Only this module and :mod:`.precedence` use oslo.config. All others get a
frozen :class:`Settings`.
"""

import dataclasses
import tempfile
from typing import Any

from oslo_config import cfg

from glance_store_bufswift import precedence
from glance_store_bufswift import units


#: What upstream calls a MB (glance_store._drivers.swift.store.ONE_MB).
UPSTREAM_MB = 1024 * 1000

#: The kinds of manifest that hold an image's segments together.
DLO, SLO = 'dlo', 'slo'

# The names start with swift_buffered_, because glance_store registers a
# driver's options in the section of every store whose type is contained in the
# driver's name: 'swift' is contained in 'swift+buffered'. An option with a
# name of upstream's but another default would keep glance-api from starting.
OPTIONS = [
    cfg.StrOpt(
        'swift_buffered_dir',
        help="""
Directory in which the segments of running uploads are buffered.

Each segment lies in a file without a name and of mode 0600 while it is sent,
so that a broken request can be repeated. All glance-api workers of a host
may share the directory. It should be on a local file system that is fast at
writing and reading in sequence.

At most ``swift_buffered_threads`` + 1 segments of one upload are buffered at a
time, so U uploads at once take at most U * (``swift_buffered_threads`` + 1) *
``swift_store_large_object_chunk_size`` there, and never more than
``swift_buffered_disk_quota`` allows. A segment that finds no room is sent
without a buffer, as the ``swift`` driver does it: a broken request then fails
the upload.

If not set, ``swift_upload_buffer_dir`` is taken, else the system's directory
for temporary files.

Related options:
    * swift_buffered_disk_quota
    * swift_buffered_min_free_percent
    * swift_upload_buffer_dir
""",
    ),
    cfg.IntOpt(
        'swift_buffered_disk_quota',
        default=0,
        min=0,
        help="""
What the buffers of this host may take in ``swift_buffered_dir``, in MiB.

The bound holds over all uploads and all worker processes together, and over
all stores that use the directory: give them the same value. Room is reserved
by whole segments: a quota below one segment's size
(``swift_store_large_object_chunk_size``) turns buffering off. For U uploads at
once (U * (``swift_buffered_threads`` + 1) + 1) segments are enough. With less,
some uploads wait for room, or begin without a buffer.

Possible values:
    * 0: only ``swift_buffered_min_free_percent`` bounds the buffers
    * a positive number of MiB

Related options:
    * swift_buffered_min_free_percent
""",
    ),
    cfg.IntOpt(
        'swift_buffered_min_free_percent',
        default=10,
        min=0,
        max=100,
        help="""
Share of the file system of ``swift_buffered_dir``, in percent of its size,
that buffers leave free for others, the image cache for example.

If less would remain, no further segment is buffered. A segment that is being
written goes on without a buffer if others have taken the space meanwhile.

Related options:
    * swift_buffered_disk_quota
""",
    ),
    cfg.IntOpt(
        'swift_buffered_threads',
        default=4,
        min=1,
        max=64,
        help="""
How many segments of one upload may be sent at a time, each on a connection of
its own.

With 1, each segment is sent once Swift has committed the one before.
Each further one adds the bandwidth of a connection, at the price of one more
thread, one more connection, up to 5 MiB of memory and the disk space of one
more segment. With 2 or more, another segment is begun while Swift commits one,
on one more thread and connection.
""",
    ),
    cfg.IntOpt(
        'swift_buffered_retries',
        default=5,
        min=0,
        help="""
How many times a request to Swift or Keystone is retried when it fails for a
reason that can pass: a broken connection, a timeout, 401, 408, 422, 429, 498,
499, 5xx, or an answer that does not confirm what was sent.
""",
    ),
    cfg.IntOpt(
        'swift_buffered_max_backoff',
        default=30,
        min=0,
        help="""
The longest wait between two tries of a request, in seconds.

The wait starts near one second and doubles with each try. Swift's Retry-After
is honoured up to this bound. With all retries used, a request that keeps
failing takes at most ``swift_buffered_retries`` *
(``swift_buffered_max_backoff`` + ``swift_buffered_timeout``) seconds longer.
""",
    ),
    cfg.IntOpt(
        'swift_buffered_timeout',
        default=60,
        min=1,
        help="""
How long one operation on a socket to Swift or Keystone may take, in seconds:
to connect, to send a block, to wait for the next bytes of an answer.

It has to be longer than Swift takes to commit a segment.
""",
    ),
    cfg.IntOpt(
        'swift_buffered_confirm_timeout',
        default=15,
        min=0,
        help="""
How long to wait until an image stored in segments reads back whole, in
seconds.

This driver can read its own images at once. Clients and the ``swift`` driver
depend on Swift's container listing, which can lag behind the segments. When
the time is over, each segment is checked by a HEAD. If all exist, a warning is
logged and the upload succeeds: the listing will follow.
If one is gone, or can't be checked, the upload fails.

Possible values:
    * 0: look once, do not wait
    * a positive number of seconds
""",
    ),
    cfg.StrOpt(
        'swift_buffered_manifest',
        default=DLO,
        choices=[
            (DLO, 'a Dynamic Large Object: what the listing shows'),
            (SLO, 'a Static Large Object: what its manifest names'),
        ],
        help="""
What holds the segments of a new image together.

A Dynamic Large Object is what the listing of the container shows under a
prefix. Clients and the ``swift`` driver can read it as soon as the listing
shows all segments; Swift serves them one segment a second after the first ten.

A Static Large Object has a manifest that names each segment with its size and
MD5. Swift checks them when the manifest is stored; readers need no listing,
and are not slowed down. It can have no more segments than the site allows,
1000 by default: segments of larger images become larger.

Both drivers read and delete both, so that a store may have images of both.
This driver reads both alike. If the site has no Static Large Objects, or an
image does not fit into one, it becomes a Dynamic one, with a warning.

Related options:
    * swift_store_large_object_chunk_size
""",
    ),
    cfg.IntOpt(
        'swift_buffered_read_threads',
        default=4,
        min=1,
        max=64,
        help="""
How many connections one download may have at a time.

Each asks for pieces of up to 12 MiB and holds them in memory until it is
their turn: a download takes at most ``swift_buffered_read_threads`` * 12 MiB
there, and 1 to 2 MiB for each connection. Images of up to 12 MiB, and single
objects of up to 48 MiB, are read over one connection. If Swift answers 429 or
498, the download goes on with fewer connections.

Related options:
    * swift_buffered_read_memory
""",
    ),
    cfg.IntOpt(
        'swift_buffered_read_memory',
        default=192,
        min=0,
        help="""
What all downloads of a glance-api process may together hold in memory, in
MiB.

Downloads read ahead into this memory. One that finds no room reads over one
connection, as the ``swift`` driver does, until there is some. With W worker
processes a host needs up to W * ``swift_buffered_read_memory`` MiB, and about
1 MiB for each download beside that.

Possible values:
    * 0: nothing is read ahead
    * a positive number of MiB

Related options:
    * swift_buffered_read_threads
""",
    ),
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
    segment_size: int = 200 * 1024 * 1000
    plain_limit: int = 200 * 1024 * 1000

    @property
    def held(self) -> int:
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
