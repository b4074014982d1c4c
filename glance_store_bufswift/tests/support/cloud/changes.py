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

from pathlib import Path

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
