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

"""What runs in the processes of a test cloud: a server, or a command.

A server is Python's, or another program.

`python -m ...serve PARENT KIND ARGUMENTS...`: the process dies with the
process PARENT, which must be the one that started it. The servers parse
sys.argv for themselves, so they get one of their own making.
"""

from collections.abc import Callable
import configparser
import ctypes
import importlib
import json
import os
from pathlib import Path
import signal
import sys
from typing import Any

from glance_store_bufswift.tests.cloud import process

_PR_SET_PDEATHSIG = 1

# Where Swift has a kind of server, if not under its name.
_PACKAGES = {'object': 'obj'}


def die_with(parent: int, signum: signal.Signals) -> None:
    """Have the kernel send us `signum` when the process `parent` ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signum))
    if os.getppid() != parent:
        sys.exit('the parent process is gone already')


def _no_sync(fd: int) -> None:
    """Stand in for os.fsync: a test's data need not survive a power cut."""


def _prepare_swift(config: str) -> None:
    import swift.common.utils

    os.fsync = os.fdatasync = _no_sync  # type: ignore[assignment]
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(config)
    # Swift 2.35 looks for its swift.conf before it reads the option.
    swift.common.utils.set_swift_dir(parser['DEFAULT']['swift_dir'])


def run_once(name: str, config: str) -> None:
    """Run one of Swift's daemons once: object updater, container replicator.

    :param name: of its section, as 'object-updater'
    """
    import swift.common.daemon

    _prepare_swift(config)
    kind, _, work = name.partition('-')
    package = _PACKAGES.get(kind, kind)
    module = importlib.import_module(f'swift.{package}.{work}')
    daemon = getattr(module, name.title().replace('-', ''))
    swift.common.daemon.run_daemon(daemon, config, once=True, verbose=True)


def serve_swift(kind: str, config: str) -> None:
    """Run one of Swift's servers: account, container, object or proxy."""
    _prepare_swift(config)
    package = _PACKAGES.get(kind, kind)
    sys.argv = [f'swift-{kind}-server', config, '--verbose']
    importlib.import_module(f'swift.{package}.server').main()


def make_keystone(config: str, first: dict[str, str]) -> None:
    """Create Keystone's database, its keys, and its first user and region."""
    import keystone.cmd.bootstrap
    import keystone.common.fernet_utils
    import keystone.common.sql.upgrades
    import keystone.conf
    import keystone.server

    keystone.server.configure(config_files=[config])
    keystone.common.sql.upgrades.offline_sync_database_to_version()
    for group in ('fernet_tokens', 'credential'):
        repository = keystone.conf.CONF[group].key_repository
        keys = keystone.common.fernet_utils.FernetUtils(repository, 2, group)
        keys.create_key_directory()
        keys.initialize_key_repository()
    boot = keystone.cmd.bootstrap.Bootstrapper()
    boot.admin_username = boot.project_name = boot.admin_role_name = 'admin'
    boot.admin_password = first['password']
    boot.service_name = 'keystone'
    boot.region_id = first['region']
    boot.public_url = boot.internal_url = boot.admin_url = first['url']
    boot.bootstrap()


def _in_fork(make: Callable[..., None], *args: object) -> None:
    """Call it in a child of ours, and wait; sys.exit() if that fails.

    Some set this process up for one use, and a new one would import for
    seconds.
    """
    maker = os.fork()
    if not maker:
        make(*args)
        os._exit(0)
    if os.waitpid(maker, 0)[1]:
        sys.exit(f'{make.__name__}() has failed')


def take_turns() -> None:
    """Have each transaction on SQLite wait for its turn, in this process.

    One that reads first and then writes is refused, and at once, if another
    one writes beside it: "database is locked", a 500.
    """
    import sqlalchemy.event

    sqlalchemy.event.listen(sqlalchemy.Engine, 'before_cursor_execute',
                            _begin_immediate, retval=True)


def _begin_immediate(connection: object, cursor: object, statement: str,
                     *rest: Any) -> tuple[str, Any]:
    if statement == 'BEGIN':
        statement = 'BEGIN IMMEDIATE'
    return statement, rest[0]


def serve_keystone(config: str, port: str, first: str = '') -> None:
    """Run Keystone; with a file of first values, on a new database.

    Its configuration can be read only once in a process: so the database is
    made in a fork.
    """
    sys.argv = ['keystone']
    os.environ['OS_KEYSTONE_CONFIG_FILES'] = config
    import keystone.server.wsgi
    import waitress

    if first:
        _in_fork(make_keystone, config, json.loads(Path(first).read_text()))

    take_turns()
    application = keystone.server.wsgi.initialize_public_application()
    waitress.serve(application, host=process.HOST, port=int(port), threads=8)


def manage_glance(*command: str) -> None:
    """Run a command of glance-manage."""
    import glance.cmd.manage

    sys.argv = ['glance-manage', '--config-dir',
                os.environ['OS_GLANCE_CONFIG_DIR'], *command]
    glance.cmd.manage.main()


def serve_glance(directory: str, port: str, processes: str, threads: str,
                 definitions: str = '') -> None:
    """Run Glance as a site does: under uWSGI, several workers with threads.

    :param directory: of glance-api.conf
    :param definitions: a directory of metadata definitions to load
    """
    import pyuwsgi

    os.environ['OS_GLANCE_CONFIG_DIR'] = directory
    _in_fork(manage_glance, 'db_sync')
    if definitions:
        _in_fork(manage_glance, 'db_load_metadefs', definitions)
    take_turns()
    pyuwsgi.run([
        '--http-socket', f'{process.HOST}:{port}',
        '--module', 'glance.wsgi.api:application', '--need-app',
        '--master', '--lazy-apps', '--no-orphans', '--die-on-term',
        '--processes', processes, '--threads', threads, '--enable-threads',
        '--thunder-lock', '--buffer-size', '65535',
        '--add-header', 'Connection: close',
        # Seconds a client may be silent, also in the middle of chunks.
        '--socket-timeout', '60', '--chunked-input-timeout', '60',
        # python-glanceclient sends chunks of 1 MiB, which is just too much
        # for uWSGI's default: "unable to receive chunked part".
        '--chunked-input-limit', '16777216'])


def scrub_glance(directory: str, *options: str) -> None:
    """Run Glance's scrubber: once, or as a daemon if the options say so.

    :param directory: of glance-api.conf
    """
    import glance.cmd.scrubber

    take_turns()
    sys.argv = ['glance-scrubber', '--config-dir', directory, *options]
    glance.cmd.scrubber.main()


def run_command(*command: str) -> None:
    """Become an ordinary program, with no signal blocked."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.execvp(command[0], command)  # noqa: S606


def main(parent: str, kind: str, *args: str) -> None:
    """Run the server (or the command) of this kind."""
    if kind == 'command':
        die_with(int(parent), signal.SIGTERM)
        run_command(*args)
    die_with(int(parent), signal.SIGKILL)
    if kind == 'program':
        run_command(*args)
    if kind == 'keystone':
        serve_keystone(*args)
    elif kind == 'glance':
        serve_glance(*args)
    elif kind == 'scrubber':
        scrub_glance(*args)
    elif kind == 'once':
        run_once(*args)
    else:
        serve_swift(kind, *args)


if __name__ == '__main__':
    main(*sys.argv[1:])
