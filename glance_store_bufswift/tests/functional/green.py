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

"""A process on eventlet that uploads: the child's side of test_eventlet.py.

As standalone glance-api of OpenStack 2025.1 to 2026.1: everything is patched
before anything else is imported (glance/cmd/api.py).
"""

import eventlet

eventlet.monkey_patch()

import json  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from typing import Any  # noqa: E402

from glance_store_bufswift.tests.support import stores  # noqa: E402
from glance_store_bufswift.tests.support import streams  # noqa: E402


class Stream(streams.Stream):
    """A stream that lets others run with each read, as a request's does."""

    def read(self, size: int) -> bytes:
        """Give the next bytes."""
        eventlet.sleep(0)
        return super().read(size)


def upload(made: stores.Stores, image: str, size: int, fails: bool) -> Any:
    """Upload an image; gives the answer or the error's name."""

    def fail() -> None:
        if fails:
            raise ValueError('bad')

    stream = Stream(streams.image(size), most=1 << 16, at=size // 2, then=fail)
    try:
        return made.add(image, stream, 0)
    except Exception as exc:
        return repr(exc)


def main() -> None:
    """Upload what the standard input orders, all at once."""
    orders = json.load(sys.stdin)
    made = stores.Stores(orders['sections'])
    made.setUp()
    green = [
        eventlet.spawn(upload, made, *order) for order in orders['uploads']
    ]
    answers = [each.wait() for each in green]
    left = [
        thread.name
        for thread in threading.enumerate()
        if thread.name.startswith('bufswift')
    ]
    print(json.dumps({'answers': answers, 'left': left}))


if __name__ == '__main__':
    main()
