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

"""What one server has changed, for others that keep answers of it."""

from collections.abc import Callable
from collections.abc import Iterable
import os
from pathlib import Path
from typing import Any
import zlib

_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: What Keystone has changed that may end a token.
TOKENS = 'changed-tokens'

# A user changes a password by POST; other POSTs, and PUTs, only add.
_NEW_PASSWORD = '/password'  # noqa: S105  # the end of a path

# Files for what the proxies have changed: an account or container shares one
# with some others.
_PATH_FILES = 64


class Changes:
    """A count that processes share: the size of a file."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def count(self) -> int:
        """Return how many there have been."""
        try:
            return os.stat(self._path).st_size
        except FileNotFoundError:
            return 0

    def note(self) -> None:
        """Add one: what was kept before is to be asked for again."""
        with open(self._path, 'ab') as file:
            file.write(b'.')


def of_path(root: Path, path: str) -> Changes:
    """What the proxies have changed of an account or a container.

    :param root: where the counts are
    :param path: an account, or account/container
    """
    return Changes(
        root / f'changed-paths-{zlib.crc32(path.encode()) % _PATH_FILES}'
    )


def noting_changes(keystone: _Application, path: Path) -> _Application:
    """Have Keystone count what it changes that may end a token."""
    changed = Changes(path)

    def application(
        environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        answer = keystone(environ, start_response)
        method, path = environ['REQUEST_METHOD'], environ['PATH_INFO']
        if method in ('DELETE', 'PATCH') or path.endswith(_NEW_PASSWORD):
            changed.note()
        return answer

    return application
