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

A server is Python's, or another program; it runs in a fork of a nursery. The
servers parse sys.argv for themselves, so they get one of their own making.

`python -m ...serve PARENT COMMAND ARGUMENTS...`: the command is terminated
with the process PARENT, which must be the one that started it.
"""

import configparser
import ctypes
import importlib
import json
import os
from pathlib import Path
import signal
import sys

from glance_store_bufswift.tests.support.cloud import changes
from glance_store_bufswift.tests.support.cloud import prepare
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support.cloud import serve_glance
from glance_store_bufswift.tests.support.cloud import spare

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
    spare.spare_work(kind)
    package = _PACKAGES.get(kind, kind)
    sys.argv = [f'swift-{kind}-server', config, '--verbose']
    importlib.import_module(f'swift.{package}.server').main()


def _keep_no_dates() -> None:
    """Have Keystone not write down when a user was active last.

    It is a transaction for each token, a fifth of what one costs, and only
    looked at to shut out users who have been away for days.
    """
    from keystone.identity.shadow_backends import sql

    def keep_none(users: object, user: str) -> None:
        pass

    sql.ShadowUsers.set_last_active_at = keep_none


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


def serve_keystone(
    config: str, port: str, changed: str, first: str = ''
) -> None:
    """Run Keystone; with a file of first values, on a new database.

    Its configuration can be read only once in a process: so the database is
    made in a fork.

    :param changed: the file that counts its changes, for a proxy's cache
    """
    sys.argv = ['keystone']
    os.environ['OS_KEYSTONE_CONFIG_FILES'] = config
    import keystone.server.wsgi
    import waitress

    if first:
        prepare.in_fork(
            make_keystone, config, json.loads(Path(first).read_text())
        )

    prepare.take_turns()
    prepare.keep_connections()
    _keep_no_dates()
    application = changes.noting_changes(
        keystone.server.wsgi.initialize_public_application(), Path(changed)
    )
    waitress.serve(application, host=process.HOST, port=int(port), threads=8)


def run_command(*command: str) -> None:
    """Become an ordinary program, with no signal blocked."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.execvp(command[0], command)  # noqa: S606


def main(kind: str, *args: str) -> None:
    """Run the server of this kind."""
    if kind == 'program':
        run_command(*args)
    elif kind == 'keystone':
        serve_keystone(*args)
    elif kind == 'glance':
        serve_glance.serve(*args)
    elif kind == 'scrubber':
        serve_glance.scrub(*args)
    elif kind == 'once':
        run_once(*args)
    else:
        serve_swift(kind, *args)


if __name__ == '__main__':
    die_with(int(sys.argv[1]), signal.SIGTERM)
    run_command(*sys.argv[2:])
