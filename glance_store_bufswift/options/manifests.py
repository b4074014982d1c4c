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

"""Options of what holds an image's segments together."""

from oslo_config import cfg

#: The kinds of manifest.
DLO, SLO = 'dlo', 'slo'

OPTIONS = [
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
]
