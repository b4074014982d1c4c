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

"""What the file system of the buffer directory is: pure reading."""

import os
import re

#: File systems over a network: slow, and locks may not work between hosts, or
#: at all.
NETWORK_TYPES = frozenset(
    (
        '9p',
        'afs',
        'ceph',
        'cifs',
        'fuse.ceph',
        'fuse.glusterfs',
        'fuse.s3fs',
        'fuse.sshfs',
        'gfs2',
        'glusterfs',
        'gpfs',
        'lustre',
        'nfs',
        'nfs4',
        'ocfs2',
        'smb3',
        'smbfs',
        'virtiofs',
    )
)

#: File systems in memory.
MEMORY_TYPES = frozenset(('ramfs', 'tmpfs'))

#: What is mounted where, as this process sees it.
MOUNT_TABLE = '/proc/self/mountinfo'


def kind(path: str, mounts: str) -> str | None:
    """The type of the file system that a path is on, None if unknown.

    :param path: absolute, without symbolic links
    :param mounts: what is in MOUNT_TABLE, see proc_pid_mountinfo(5)
    """
    longest, found = '', None
    for line in mounts.splitlines():
        fields, _, rest = line.partition(' - ')
        words = fields.split()
        if len(words) < 5 or not rest:
            continue
        point = re.sub(
            r'\\([0-7]{3})', lambda code: chr(int(code[1], 8)), words[4]
        )
        # A later mount hides an earlier one.
        if _inside(path, point) and len(point) >= len(longest):
            longest, found = point, rest.split()[0]
    return found


def _inside(path: str, directory: str) -> bool:
    return os.path.commonpath((path, directory)) == directory
