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

"""Options of downloads."""

from oslo_config import cfg

OPTIONS = [
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
1 MiB for each download besides.

Possible values:
    * 0: nothing is read ahead
    * a positive number of MiB

Related options:
    * swift_buffered_read_threads
""",
    ),
]
