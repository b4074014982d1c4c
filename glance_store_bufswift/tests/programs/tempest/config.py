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

"""The configurations of Glance and of Tempest."""

from pathlib import Path
from typing import Any

from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import glance

OURS, STOCK = 'swift+buffered', 'swift'

#: The name of the domain whose id is `default`.
_DOMAIN = 'Default'


def stores(cloud: clouds.Cloud, driver: str) -> dict[str, dict[str, Any]]:
    """The part of a glance-api.conf that is about stores.

    :param driver: of the default store; the other one is a directory
    """
    fast = {
        **cloud.glance_store_options(f'tempest-{cloud.region}'),
        'swift_store_large_object_size': 1,
        'swift_store_large_object_chunk_size': 1,
    }
    if driver == OURS:
        fast['swift_buffered_dir'] = '{root}/buffers'
    return {
        'DEFAULT': {'enabled_backends': f'fast:{driver}, slow:file'},
        'glance_store': {'default_backend': 'fast'},
        'fast': fast,
        # Tempest waits for stores in alphabetical order, Glance has this one.
        'slow': {'filesystem_store_datadir': '{root}/slow'},
    }


def tempest(cloud: clouds.Cloud, directory: Path) -> str:
    """The text of a tempest.conf: Glance alone, users made as needed.

    :param cloud: the view that has the Glance under test in its catalog
    :param directory: where Tempest may write
    """
    admin = cloud.site.admin
    return glance.render(
        {
            'DEFAULT': {'log_dir': directory, 'log_file': 'tempest.log'},
            'oslo_concurrency': {'lock_path': directory / 'locks'},
            'auth': {
                'use_dynamic_credentials': True,
                'create_isolated_networks': False,
                'tempest_roles': 'member',
                'admin_username': admin.name,
                'admin_password': admin.password,
                'admin_project_name': admin.project,
                'admin_domain_name': _DOMAIN,
            },
            'identity': {
                'auth_version': 'v3',
                'uri_v3': cloud.direct_auth_url,
                'region': cloud.region,
            },
            'image': {'region': cloud.region},
            'image-feature-enabled': {'import_image': True},
            'service_available': {
                'glance': True,
                'cinder': False,
                'neutron': False,
                'nova': False,
                'swift': False,
            },
        },
        directory,
    )
