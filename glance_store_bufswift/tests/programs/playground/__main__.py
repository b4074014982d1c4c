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

"""Bring up a cloud to play with: Keystone, Swift, and Glance.

Glance's default store is swift+buffered, and a proxy between it and Swift
injects the faults that are typed. What the driver logs of each upload is
printed, until Ctrl-C; then nothing is left of it all.
"""

import argparse
import contextlib
import os
import select
import signal
import sys
import time
from typing import NoReturn
import uuid

from glance_store_bufswift.tests.programs.demo import screen as screens
from glance_store_bufswift.tests.programs.playground import commands
from glance_store_bufswift.tests.programs.playground import follow
from glance_store_bufswift.tests.programs.playground import scene
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import glance
from glance_store_bufswift.tests.support.cloud import process

#: Seconds between looks at the log.
_LOOK = 0.2

#: Bytes read at once of what is typed.
_TYPED = 4096

_TRY = (
    'openstack image create --disk-format raw --file FILE NAME',
    'openstack image save --file COPY NAME',
    'openstack object list {container}',
    'openstack image import --method copy-image --store cheap NAME',
    'openstack image delete NAME',
)


class Stopped(Exception):
    """A signal asks to end; its number is the argument."""


def _stop(signum: int, frame: object) -> NoReturn:
    # A terminal and tox both send one: the second must not break the end off.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(signum)


def introduce(
    screen: screens.Screen, openrc: os.PathLike[str], container: str
) -> None:
    """Say how to use it."""
    screen.add()
    screen.say('in another shell', f'. {openrc}')
    for line in _TRY:
        screen.say('', line.format(container=container))
    screen.add()
    screen.say('type here', '')
    for name, text in commands.help_lines():
        screen.say(f'    {name}', text)
    screen.say('Ctrl-C', 'ends it; nothing is left')
    screen.add()


def start(
    screen: screens.Screen, cloud: clouds.Cloud, container: str
) -> glance.Glance:
    """Start Glance."""
    began = time.monotonic()
    screen.say(
        'glance',
        'starting, with swift+buffered as the default store ... ',
        end='',
    )
    server = cloud.start_glance(scene.config(cloud, container))
    screen.add(f'{time.monotonic() - began:.1f} s')
    return server


def watch(
    screen: screens.Screen, cloud: clouds.Cloud, log: follow.Follower
) -> NoReturn:
    """Print what happens, do what is typed; a signal ends it."""
    typed = sys.stdin.fileno()
    sources = [typed]
    while True:
        ready = select.select(sources, [], [], _LOOK)[0]
        if ready:
            text = os.read(typed, _TYPED)
            if not text:
                sources = []  # closed: there is nobody to type
            for line in text.decode(errors='replace').splitlines():
                screen.add(commands.obey(cloud, line))
        for line in log.lines():
            screen.add(line)


def play(screen: screens.Screen) -> None:
    """Start, introduce, watch, end."""
    began = time.monotonic()
    container = f'images-{uuid.uuid4().hex[:6]}'
    with contextlib.ExitStack() as stack:
        screen.say(
            'cloud', 'starting Keystone and Swift on this machine ... ', end=''
        )
        cloud = stack.enter_context(clouds.Cloud.start())
        screen.add(f'{time.monotonic() - began:.1f} s')
        server = start(screen, cloud, container)
        log = stack.enter_context(
            contextlib.closing(follow.Follower(server.server.log))
        )
        introduce(screen, scene.write_openrc(cloud, server), container)
        watch(screen, cloud, log)


def main(argv: list[str]) -> int:
    """Run it; gives the exit status."""
    argparse.ArgumentParser(
        prog='cloud',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args(argv)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _stop)
    screen = screens.Screen(sys.stdout)
    try:
        play(screen)
    except process.ServerError as exc:
        print(f'\nThe cloud does not start: {exc}', file=sys.stderr)
        return 1
    except Stopped as stopped:
        [signum] = stopped.args
        screen.add('\nended, nothing is left')
        # Ctrl-C is how it is meant to end.
        return 0 if signum == signal.SIGINT else 128 + signum
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
