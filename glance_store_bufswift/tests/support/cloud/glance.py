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

"""Glance of a test cloud: its configuration, its start, its processes.

It is not started with the cloud, as few tests need it; see Cloud.glance().
"""

from collections.abc import Mapping
import dataclasses
import importlib.metadata
import os
from pathlib import Path
from typing import Any

from glance_store_bufswift.tests.support.cloud import certificates
from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support.cloud import process

#: Sections of a glance-api.conf and their options.
Sections = Mapping[str, Mapping[str, Any]]

#: Worker processes of a server, and threads of each.
PROCESSES, THREADS = 2, 4

_STAGING, _TASKS = 'os_glance_staging_store', 'os_glance_tasks_store'


@dataclasses.dataclass(frozen=True)
class Glance:
    """A running Glance.

    :ivar keeper: of its processes
    :ivar server: the process above its workers, and the log of them all
    :ivar directory: where glance-api.conf is
    :ivar root: what it keeps on disk: database, staging area, cache
    """

    keeper: process.Keeper
    server: process.Server
    directory: Path
    port: int
    root: Path

    @property
    def url(self) -> str:
        """Its endpoint, without a version."""
        return f'http://{process.HOST}:{self.port}'

    @property
    def workers(self) -> list[int]:
        """The process ids of its workers."""
        pid = self.server.pid
        children = Path(f'/proc/{pid}/task/{pid}/children')
        return [int(pid) for pid in children.read_text().split()]


def _installed(name: str) -> str:
    """Return the path of a file in /etc/glance that Glance's package brings.

    :raises ServerError: it was installed without
    """
    for path in importlib.metadata.files('glance') or ():
        if path.name == name:
            return os.path.realpath(str(path.locate()))
    raise process.ServerError(f'glance is installed without {name}')


def _definitions() -> str:
    """Return the directory of the metadata definitions."""
    return os.path.dirname(
        _installed('cim-storage-allocation-setting-data.json')
    )


def sections(
    root: Path, port: int, auth_url: str, user: keystone.User, region: str
) -> dict[str, dict[str, Any]]:
    """Return what every Glance here has in its configuration.

    :param root: a directory for its database, staging area and cache
    :param auth_url: the Keystone where it validates tokens, as `user`
    :param region: whose Keystone that is
    """
    return {
        'DEFAULT': {
            'debug': True,
            'use_stderr': True,
            'enabled_import_methods': '[glance-direct,copy-image]',
            'worker_self_reference_url': f'http://{process.HOST}:{port}',
            'image_cache_dir': root / 'cache',
        },
        'database': {
            # Seconds to wait for another writer, as in Keystone's.
            'connection': f'sqlite:///{root}/glance.db?timeout=60',
            'sqlite_synchronous': False,
        },
        'keystone_authtoken': {
            'www_authenticate_uri': auth_url,
            'auth_url': auth_url,
            'auth_type': 'password',
            'username': user.name,
            'password': user.password,
            'project_name': user.project,
            'user_domain_id': keystone.DOMAIN,
            'project_domain_id': keystone.DOMAIN,
            'region_name': region,
        },
        'key_manager': {'backend': f'{certificates.__name__}.KeyManager'},
        'oslo_policy': {'policy_dirs': root / 'no-policies'},
        'oslo_concurrency': {'lock_path': root / 'locks'},
        'paste_deploy': {
            'flavor': 'keystone',
            'config_file': _installed('glance-api-paste.ini'),
        },
        _STAGING: {'filesystem_store_datadir': root / 'staging'},
        _TASKS: {'filesystem_store_datadir': root / 'tasks'},
    }


def merge(base: Sections, more: Sections) -> dict[str, dict[str, Any]]:
    """Return both; the options of `more` win."""
    return {
        name: {**base.get(name, {}), **more.get(name, {})}
        for name in {**base, **more}
    }


def render(config: Sections, root: Path) -> str:
    """Return the text of a configuration file.

    :param root: what `{root}` in a value stands for
    """
    lines = []
    for name, options in config.items():
        lines.append(f'[{name}]')
        lines += [
            f'{key} = {value}'.replace('{root}', str(root))
            for key, value in options.items()
        ]
    return '\n'.join(lines) + '\n'


def start(
    keeper: process.Keeper,
    directory: Path,
    port: int,
    root: Path,
    definitions: bool = False,
    server: str = 'uwsgi',
) -> Glance:
    """Start a Glance, on a new database if `root` has none; don't wait.

    :param directory: of its glance-api.conf
    :param root: what the configuration says of database and staging area
    :param definitions: load Glance's own metadata definitions
    :param server: of its workers: 'uwsgi' or 'gunicorn'
    """
    for name in ('staging', 'tasks', 'cache', 'locks', 'buffers'):
        (root / name).mkdir(parents=True, exist_ok=True)
    master = keeper.start(
        f'glance-{port}',
        'glance',
        server,
        str(directory),
        str(port),
        str(PROCESSES),
        str(THREADS),
        *([_definitions()] if definitions else []),
    )
    return Glance(keeper, master, directory, port, root)
