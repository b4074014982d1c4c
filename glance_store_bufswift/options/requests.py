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

"""Options of the requests to Swift and Keystone."""

from oslo_config import cfg

OPTIONS = [
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
]
