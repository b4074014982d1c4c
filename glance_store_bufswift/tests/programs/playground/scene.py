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

"""The cloud that is played with, and how a client finds it."""

from pathlib import Path
import shlex
import sys
from typing import Any
import uuid

from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import glance
from glance_store_bufswift.tests.support.cloud import keystone

#: MB of 1,024,000 bytes in a segment.
SEGMENT = 8

#: The file of variables, beside glance-api.conf.
OPENRC = 'openrc'


def config(cloud: clouds.Cloud, container: str) -> dict[str, dict[str, Any]]:
    """The stores: ours is the default one, a directory the other one."""
    return {
        'DEFAULT': {'enabled_backends': 'fast:swift+buffered, cheap:file'},
        'glance_store': {'default_backend': 'fast'},
        'fast': {
            **cloud.glance_store_options(container),
            'swift_store_large_object_size': SEGMENT,
            'swift_store_large_object_chunk_size': SEGMENT,
            'swift_buffered_dir': '{root}/buffers',
            'swift_buffered_max_backoff': 2,
        },
        'cheap': {'filesystem_store_datadir': '{root}/cheap'},
    }


def player(cloud: clouds.Cloud) -> keystone.User:
    """Create who plays: an administrator, who also sees the objects."""
    admin = keystone.Admin(cloud.direct_auth_url, cloud.site.admin)
    user = keystone.new_user(
        f'player-{uuid.uuid4().hex[:6]}', cloud.site.glance.project
    )
    admin.create_user(
        user, admin.find('project', name=user.project), 'admin', 'member'
    )
    return user


def write_openrc(cloud: clouds.Cloud, server: glance.Glance) -> Path:
    """Write the variables of the `openstack` command; gives their file."""
    user = player(cloud)
    variables = {
        'OS_AUTH_URL': cloud.direct_auth_url,
        'OS_IDENTITY_API_VERSION': '3',
        'OS_USERNAME': user.name,
        'OS_PASSWORD': user.password,
        'OS_PROJECT_NAME': user.project,
        'OS_USER_DOMAIN_ID': keystone.DOMAIN,
        'OS_PROJECT_DOMAIN_ID': keystone.DOMAIN,
        'OS_REGION_NAME': cloud.region,
    }
    lines = [
        f'export {name}={shlex.quote(value)}'
        for name, value in variables.items()
    ]
    # Where the client is that was installed with this environment.
    lines.append(f'PATH=$PATH:{shlex.quote(str(Path(sys.executable).parent))}')
    path = server.directory / OPENRC
    path.write_text('\n'.join(lines) + '\n')
    return path
