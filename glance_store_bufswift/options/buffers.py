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

"""Options of the buffers on disk."""

from oslo_config import cfg

OPTIONS = [
    cfg.StrOpt(
        'swift_buffered_dir',
        help="""
Directory in which the segments of running uploads are buffered.

Each segment of more than 4 MiB lies in a file without a name and of mode 0600
while it is sent, so that a broken request can be repeated; a shorter one lies
in memory. All glance-api workers of a host may share the directory. It should
be on a local file system that is fast at writing and reading in sequence.

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
]
