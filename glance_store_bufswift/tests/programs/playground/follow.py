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

"""What a log of Glance says of uploads."""

from collections.abc import Iterator
from pathlib import Path
import re

#: oslo.log's default format: time, process, level, logger, [request], text.
_LINE = re.compile(
    r'\S+ (\d\d:\d\d:\d\d)\.\d+ \d+ (INFO|WARNING|ERROR) '
    r'glance_store_bufswift\S* \[[^]]*\] (.*)'
)


class Follower:
    """Reads a log as it grows."""

    def __init__(self, path: Path) -> None:
        self._log = path.open('rb')
        self._rest = b''

    def lines(self) -> Iterator[str]:
        """What the driver has logged since the last call."""
        *complete, self._rest = (self._rest + self._log.read()).split(b'\n')
        for raw in complete:
            found = _LINE.match(raw.decode(errors='replace'))
            if found:
                time, level, text = found.groups()
                mark = '' if level == 'INFO' else f'{level} '
                yield f'{time} {mark}{text}'

    def close(self) -> None:
        """Stop reading."""
        self._log.close()
