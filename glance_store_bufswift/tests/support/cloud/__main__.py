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

"""Run a command with a cloud: `... exec [--rgw] -- COMMAND ARGUMENTS...`.

With --rgw a Ceph takes the place of Swift. The command finds the cloud with
`Cloud.attach()`. Its exit status becomes ours, signals go to it, and
afterwards nothing is left of the cloud.
"""

import os
import signal
import subprocess
import sys

from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support.cloud import radosgw
from glance_store_bufswift.tests.support.cloud import serve
from glance_store_bufswift.tests.support.cloud import site

_SIGNALS = {
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGCHLD,
}


def run(command: list[str], environment: dict[str, str]) -> int:
    """Run a command, hand on our signals; return its status as a shell's."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    launcher = [sys.executable, '-m', serve.__name__, str(os.getpid())]
    child = subprocess.Popen(
        [*launcher, *command],
        env={**process.child_environment(), **environment},
    )
    while (status := child.poll()) is None:
        info = signal.sigwaitinfo(_SIGNALS)
        # A terminal sends its signals to the whole group, without a sender:
        # the child has those already.
        if info.si_signo != signal.SIGCHLD and info.si_pid:
            child.send_signal(info.si_signo)
    return status if status >= 0 else 128 - status


def main(args: list[str]) -> int:
    """Start a cloud around the command."""
    end = args.index('--') if '--' in args else len(args)
    how, command = args[:end], args[end + 1 :]
    if how not in (['exec'], ['exec', '--rgw']) or not command:
        print(__doc__, file=sys.stderr)
        return 2
    rgw = '--rgw' in how
    if rgw and (missing := radosgw.missing()):
        print(
            f'Not installed: {", ".join(missing)}. To install:\n'
            f'{radosgw.INSTALL}',
            file=sys.stderr,
        )
        return 1
    servers = process.Keeper()
    try:
        where = site.start(servers, rgw=rgw)
        return run(command, where.environment())
    finally:
        servers.close()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
