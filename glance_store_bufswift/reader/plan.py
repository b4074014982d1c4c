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

"""The pieces of an image that are not begun yet: pure."""

import collections
from collections.abc import Iterable

from glance_store_bufswift.reader import parts


class ReadPlan:
    """The pieces in order, from the first that is not begun.

    :param stretches: what is read of each part, in order
    """

    def __init__(self, stretches: Iterable[parts.Range]) -> None:
        self._stretches = iter(stretches)
        self._pieces: collections.deque[parts.Range] = collections.deque()
        self._fill()

    @property
    def first(self) -> parts.Range | None:
        """The next piece, None if there is none."""
        return self._pieces[0] if self._pieces else None

    @property
    def stretch(self) -> parts.Range | None:
        """The rest of a part from the next piece on, None if none is left."""
        if not self._pieces:
            return None
        first, last = self._pieces[0], self._pieces[-1]
        return parts.Range(first.part, first.offset, last.end - first.offset)

    def drop(self) -> None:
        """Take the next piece off."""
        self._pieces.popleft()
        self._fill()

    def _fill(self) -> None:
        if not self._pieces:
            for stretch in self._stretches:
                self._pieces.extend(parts.cut(stretch))
                return
