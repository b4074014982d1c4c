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

"""Where the time of an upload or a download went, by what was waited for."""

import collections
import threading
import time
from typing import TypeAlias

#: Names of shares: what an upload waits for.
SOURCE, DISK, DIGESTS, SWIFT = 'source', 'disk', 'digests', 'swift'
LISTING, CLEANUP = 'listing', 'cleanup'

#: What a download waits for, besides Swift: to find the image's segments, and
#: for the caller to take its bytes.
LOOKUP, CLIENT = 'lookup', 'client'

#: The pauses before a request is tried again, on whatever thread.
RETRIES = 'retries'

#: The time in none of the shares: the work itself, and waits for a processor.
OTHER = 'other'

#: Gives seconds.
now = time.monotonic

Seconds: TypeAlias = 'collections.defaultdict[str, float]'


class _Share:
    """A share of one thread while it lasts; a new object each time.

    Not a generator, which would take three times as long.
    """

    __slots__ = ('_began', '_clock', '_name', '_outer')

    def __init__(self, clock: '_Clock', name: str) -> None:
        self._clock = clock
        self._name = name

    def __enter__(self) -> None:
        clock = self._clock
        self._outer, clock.within = clock.within, 0.0
        self._began = now()

    def __exit__(self, *error: object) -> None:
        lasted = now() - self._began
        clock = self._clock
        clock.spent[self._name] += lasted - clock.within
        clock.within = self._outer + lasted


class _Clock(threading.local):
    """What one thread has counted.

    :ivar spent: seconds by name
    :ivar within: seconds of the shares nested in the current one
    """

    def __init__(self, all_spent: list[Seconds]) -> None:
        self.within = 0.0
        self.spent: Seconds = collections.defaultdict(float)
        all_spent.append(self.spent)


class Stopwatch:
    """Seconds by name, from now on; threads may share it.

    Shares of one thread never overlap: a share within another counts only as
    itself. Those of several threads are added.
    """

    def __init__(self) -> None:
        self._began = now()
        self._spent: list[Seconds] = []
        self._clock = _Clock(self._spent)

    @property
    def seconds(self) -> float:
        """Seconds since it was made."""
        return now() - self._began

    def share(self, name: str) -> _Share:
        """Count the time of what is done within under a name."""
        return _Share(self._clock, name)

    def spent(self, name: str) -> float:
        """Seconds of a share, 0 if there was none."""
        return sum(each.get(name, 0.0) for each in list(self._spent))

    def rest(self) -> float:
        """Seconds so far that are in no share; for use on one thread only."""
        return max(
            0.0,
            self.seconds
            - sum(sum(list(each.values())) for each in list(self._spent)),
        )
