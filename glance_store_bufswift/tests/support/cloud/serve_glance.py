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

"""What runs in the processes of a test cloud's Glance; see serve.py."""

import importlib
import os
import sys
from typing import Any

from glance_store_bufswift.tests.support.cloud import prepare
from glance_store_bufswift.tests.support.cloud import process

_APPLICATION = 'glance.wsgi.api:application'


def manage(*command: str) -> None:
    """Run a command of glance-manage."""
    import glance.cmd.manage

    sys.argv = [
        'glance-manage',
        '--config-dir',
        os.environ['OS_GLANCE_CONFIG_DIR'],
        *command,
    ]
    glance.cmd.manage.main()


def serve(
    server: str,
    directory: str,
    port: str,
    processes: str,
    threads: str,
    definitions: str = '',
) -> None:
    """Run Glance as a site does: several workers with threads.

    :param server: 'uwsgi' or 'gunicorn'
    :param directory: of glance-api.conf
    :param definitions: a directory of metadata definitions to load
    """
    os.environ['OS_GLANCE_CONFIG_DIR'] = directory
    prepare.in_fork(manage, 'db_sync')
    if definitions:
        prepare.in_fork(manage, 'db_load_metadefs', definitions)
    prepare.take_turns()
    run = _uwsgi if server == 'uwsgi' else _gunicorn
    run(f'{process.HOST}:{port}', processes, threads)


def _forget(package: str, module: str) -> None:
    """Have a module imported anew by whoever needs it."""
    sys.modules.pop(f'{package}.{module}', None)
    vars(sys.modules[package]).pop(module, None)


def _uwsgi(address: str, processes: str, threads: str) -> None:
    import pyuwsgi

    # When it is imported, it looks whether it runs in uWSGI.
    _forget('glance.common', 'wsgi_app')
    # So does this one in older releases, but others have imported it by now.
    wsgi = sys.modules['glance.common.wsgi']
    if hasattr(wsgi, 'uwsgi'):
        vars(wsgi)['uwsgi'] = _UWSGI()
    pyuwsgi.run(
        [
            '--http-socket',
            address,
            '--module',
            _APPLICATION,
            '--need-app',
            '--master',
            '--lazy-apps',
            '--no-orphans',
            # With --die-on-term it would end in the middle of requests.
            '--hook-master-start',
            'unix_signal:15 gracefully_kill_them_all',
            '--processes',
            processes,
            '--threads',
            threads,
            '--enable-threads',
            '--thunder-lock',
            '--buffer-size',
            '65535',
            '--add-header',
            'Connection: close',
            # Seconds a client may be silent, also in the middle of chunks.
            '--socket-timeout',
            '60',
            '--chunked-input-timeout',
            '60',
            # python-glanceclient sends chunks of 1 MiB, which is just too much
            # for uWSGI's default: "unable to receive chunked part".
            '--chunked-input-limit',
            '16777216',
        ]
    )


class _UWSGI:
    """The module that there is once uWSGI runs."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module('uwsgi'), name)


def _gunicorn(address: str, processes: str, threads: str) -> None:
    import gunicorn.app.wsgiapp

    sys.argv = [
        'gunicorn',
        '--bind',
        address,
        '--worker-class',
        'gthread',
        '--workers',
        processes,
        '--threads',
        threads,
        # A worker that is replaced waits no second for its requests: its
        # main thread has ended then, and they go on.
        '--graceful-timeout',
        '0',
        '--timeout',
        '0',
        _APPLICATION,
    ]
    gunicorn.app.wsgiapp.run()


def scrub(directory: str, *options: str) -> None:
    """Run Glance's scrubber: once, or as a daemon if the options say so.

    :param directory: of glance-api.conf
    """
    import glance.cmd.scrubber

    prepare.take_turns()
    sys.argv = ['glance-scrubber', '--config-dir', directory, *options]
    glance.cmd.scrubber.main()
