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

"""A process that uploads: the child's side of uploaders.py.

It reads orders from its standard input and tells what happens on its standard
output, both as lines of JSON. It ends when its input does.
"""

from collections.abc import Mapping
import contextlib
import errno
import json
import logging
import os
import sys
import threading
from typing import Any
from unittest import mock

import fixtures

from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.support import streams

_telling = threading.Lock()


def tell(**event: Any) -> None:
    """Print a line of JSON."""
    with _telling:
        print(json.dumps(event), flush=True)


class _Tell(logging.Handler):
    """Tells our own log lines from INFO up."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith('glance_store_bufswift.'):
            tell(log=record.getMessage(), level=record.levelno)


class Uploads:
    """The uploads of this process, each in a thread of its own."""

    def __init__(self, made: stores.Stores) -> None:
        self._made = made
        self._gates: dict[str, threading.Event] = {}

    def obey(self, order: Mapping[str, Any]) -> None:
        """Begin an upload, let one go on, or become another user."""
        if order['do'] == 'go':
            self._gates[order['image']].set()
        elif order['do'] == 'become':
            os.setuid(order['user'])
        else:
            self._gates[order['image']] = threading.Event()
            threading.Thread(
                target=self._upload, args=(order,), daemon=True
            ).start()

    def _upload(self, order: Mapping[str, Any]) -> None:
        image = order['image']

        def pause() -> None:
            tell(image=image, at=order['at'])
            self._gates[image].wait()

        data = streams.image(order['size'], order['seed'])
        stream = streams.Stream(data, at=order['at'], then=pause)
        try:
            answer = self._made.add(
                image, stream, order['declared'], order['store']
            )
        except Exception as exc:
            tell(image=image, done=None, error=repr(exc))
        else:
            tell(image=image, done=answer)


def main() -> None:
    """Set glance_store up as the first line says, then obey."""
    lines = map(json.loads, sys.stdin)
    setup = next(lines)
    root = logging.getLogger()
    root.addHandler(_Tell())
    root.setLevel(logging.INFO)
    with contextlib.ExitStack() as held:
        for name, value in (
            ('cleanup.SETTLE_SECONDS', 0.1),
            ('buffer.segment.BUFFERED_WINDOW', 0),
        ):
            held.enter_context(
                fixtures.MonkeyPatch(f'glance_store_bufswift.{name}', value)
            )
        if not setup['reserves']:
            held.enter_context(
                mock.patch.object(
                    os,
                    'posix_fallocate',
                    autospec=True,
                    side_effect=OSError(
                        errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP)
                    ),
                )
            )
        uploads = Uploads(held.enter_context(stores.Stores(setup['sections'])))
        tell(ready=True)
        for order in lines:
            uploads.obey(order)
    # Whatever is in flight, as when glance-api is killed.
    os._exit(0)


if __name__ == '__main__':
    main()
