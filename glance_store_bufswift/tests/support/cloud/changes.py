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
from pathlib import Path
from typing import Any

_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_READS = ('GET', 'HEAD')
_NEW_TOKEN = ('POST', '/v3/auth/tokens')

#: What Keystone has changed that may end a token.
TOKENS = 'changed-tokens'

#: What a proxy has changed of an account or a container.
ACCOUNTS = 'changed-accounts'


class Changes:
    """A count that processes share: the size of a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def count(self) -> int:
        """Return how many there have been."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def note(self) -> None:
        """Add one: what was kept before is to be asked for again."""
        with self._path.open('ab') as file:
            file.write(b'.')


def noting_changes(keystone: _Application, path: Path) -> _Application:
    """Have Keystone count what it changes; a new token changes nothing."""
    changed = Changes(path)

    def application(
        environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        answer = keystone(environ, start_response)
        method, path = environ['REQUEST_METHOD'], environ['PATH_INFO']
        if method not in _READS and (method, path) != _NEW_TOKEN:
            changed.note()
        return answer

    return application
