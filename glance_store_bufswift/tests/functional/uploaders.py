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

"""Processes that upload, as a test starts, drives and watches them."""

from collections.abc import Callable
from collections.abc import Iterable
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import types
from typing import Any
import uuid

import fixtures

from glance_store_bufswift.tests.programs.bench import watch
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support import stores

Event = dict[str, Any]

#: Seconds until an event that does not come fails the test.
PATIENCE = 120.0

#: Seconds that the processes run between two samples.
PACE = 0.005

# Who stops the processes is the one who lets them go on.
_looking = threading.Lock()

_MOUNT = 'mount -t "$1" -o "$2" test "$3" && shift 3 && exec "$@"'


def mounting(kind: str, options: str, directory: str) -> list[str]:
    """A command that runs its further arguments with a file system mounted.

    In a mount namespace of its own: nobody else sees it, and it is gone when
    the process is.
    """
    command = ['unshare', '--mount', '--propagation', 'private']
    if os.geteuid():
        command.append('--map-root-user')
    return [*command, 'sh', '-c', _MOUNT, 'sh', kind, options, directory]


def can_mount(directory: str) -> str | None:
    """Why nothing can be mounted here, None if it can."""
    try:
        subprocess.run(
            [*mounting('tmpfs', 'size=1m', directory), 'true'],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except FileNotFoundError as exc:
        return str(exc)
    except subprocess.CalledProcessError as exc:
        return str(exc.output, errors='replace').strip()
    return None


class Uploader(fixtures.Fixture):
    """A process with stores of its own.

    :param sections: of its glance-api.conf
    :param prefix: a command that runs it, see mounting()
    :param reserves: whether posix_fallocate works
    """

    def __init__(
        self,
        sections: stores.Sections,
        prefix: Iterable[str] = (),
        reserves: bool = True,
    ) -> None:
        super().__init__()
        self._setup = {'sections': sections, 'reserves': reserves}
        self._prefix = list(prefix)
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self._ended = False

    def _setUp(self) -> None:
        # Of its own, as a process that is killed leaves its files.
        temporary = self.useFixture(fixtures.TempDir()).path
        self._process = subprocess.Popen(
            [*self._prefix, sys.executable, '-m', f'{__package__}.uploader'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=process.child_environment() | {'TMPDIR': temporary},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.addCleanup(self.kill)
        self._say(self._setup)
        self._wait_for(lambda event: 'ready' in event)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def begin(
        self,
        size: int,
        seed: int = 1,
        at: int | None = None,
        declared: int = 0,
        store: str = 'fast',
    ) -> str:
        """Begin an upload; gives the image's id.

        :param at: the place where its source waits for go()
        """
        image = str(uuid.uuid4())
        self._say(
            {
                'do': 'add',
                'image': image,
                'size': size,
                'seed': seed,
                'at': at,
                'declared': declared,
                'store': store,
            }
        )
        return image

    def reached(self, image: str) -> None:
        """Wait until an upload's source has come to its place."""
        self._wait_for(
            lambda event: event.get('image') == image and 'at' in event
        )

    def become(self, user: int) -> None:
        """Run on as another user, with all that was loaded so far."""
        self._say({'do': 'become', 'user': user})

    def go(self, image: str) -> None:
        """Let an upload's source go on."""
        self._say({'do': 'go', 'image': image})

    def done(self, image: str) -> Any:
        """Wait for an upload's end; gives what add() gave.

        :raises AssertionError: it has failed
        """
        event = self._wait_for(
            lambda event: event.get('image') == image and 'done' in event
        )
        if event['done'] is None:
            raise AssertionError(f'{image}: {event["error"]}')
        return event['done']

    def kill(self) -> None:
        """kill -9, and wait until the kernel has taken everything back."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdin and self._process.stdout
        self._process.stdout.close()
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # what it has not read any more

    def logged(self, level: int = logging.WARNING) -> list[str]:
        """Our own messages of a level, oldest first."""
        with self._changed:
            return [
                event['log']
                for event in self._events
                if event.get('level') == level
            ]

    def _say(self, order: Event) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order).encode() + b'\n')
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._changed:
                self._events.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _wait_for(self, predicate: Callable[[Event], bool]) -> Event:
        def found() -> list[Event]:
            return [event for event in self._events if predicate(event)]

        with self._changed:
            self._changed.wait_for(lambda: found() or self._ended, PATIENCE)
            if not found():
                raise AssertionError(f'did not come; so far: {self._events}')
            return found()[0]


class Sampler:
    """Looks again and again at what processes hold on disk.

    They are stopped for each look: what one gives back and another one takes
    meanwhile would else be counted twice.

    :param directory: where their files lie
    :ivar peak: most bytes seen
    :ivar samples: how often it was looked
    """

    def __init__(self, directory: str, *uploaders: Uploader) -> None:
        self._directory = directory
        self._pids = [each.pid for each in uploaders]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.peak = 0
        self.samples = 0

    def __enter__(self) -> 'Sampler':
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(PACE):
            self.peak = max(self.peak, held(self._directory, self._pids))
            self.samples += 1


def held(directory: str, pids: list[int]) -> int:
    """Bytes on disk of our children's files in a directory, at one time."""
    with _looking:
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            for pid in pids:
                os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            return watch.disk(directory, pids)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
