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

"""What the demo sets out to do, and what came of it: no input or output."""

from collections.abc import Iterable
import dataclasses
import re

from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal

#: What glance_store calls a MB (ONE_MB in its Swift store).
MB = 1000 * 1024

#: Segments that a smaller image is cut into when nobody says their size.
_ENOUGH = 8

_SEGMENT = re.compile(r'[-/](\d+)$')


@dataclasses.dataclass(frozen=True)
class Plan:
    """How the image is cut, and which segments meet a fault.

    :ivar size: bytes in the image
    :ivar megabytes: a segment's size, in glance_store's MB
    """

    size: int
    megabytes: int

    @classmethod
    def make(cls, size: int, megabytes: int | None) -> 'Plan':
        """The plan for an image; without a segment size a fitting one.

        :raises ValueError: there would be no two segments for two faults
        """
        if megabytes is None:
            megabytes = max(1, min(16, size // (_ENOUGH * MB)))
        plan = cls(size, megabytes)
        if plan.segments < 2:
            raise ValueError(
                f'an image of {size:,} bytes is a single segment of at most '
                f'{megabytes * MB:,} bytes; the demo needs two or more'
            )
        return plan

    @property
    def segments(self) -> int:
        """How many segments there are."""
        return -(-self.size // (self.megabytes * MB))

    @property
    def reset(self) -> int:
        """The number of the segment whose connection is reset."""
        return max(1, self.segments // 4)

    @property
    def revoke(self) -> int:
        """The number of the segment whose token is revoked."""
        return self.segments // 2 + 1


def path_of(number: int) -> str:
    """A regex for a segment's path, of either driver's."""
    return rf'[-/]0*{number}$'


@dataclasses.dataclass
class Outcome:
    """What became of one upload.

    :ivar driver: its name, for people
    :ivar seconds: that add() took
    :ivar read: bytes that it took from the stream
    :ivar size: bytes it says it stored, None if it failed
    :ivar checksum: the MD5 it says it stored
    :ivar error: what it raised, if it failed
    :ivar segments: that Swift confirmed
    :ivar retries: requests sent again
    :ivar buffered: bytes in temporary files; None = it does not say
    :ivar md5_read: of what Swift gives back
    :ivar left: objects left when the upload failed or the image was deleted
    :ivar met: the faults that happened: 'reset', '401'
    """

    driver: str
    seconds: float = 0
    read: int = 0
    size: int | None = None
    checksum: str | None = None
    error: str | None = None
    segments: int = 0
    retries: int = 0
    buffered: int | None = None
    md5_read: str | None = None
    left: list[str] = dataclasses.field(default_factory=list)
    met: set[str] = dataclasses.field(default_factory=set)


def short(exc: Exception, image_id: str) -> str:
    """An exception in a line, without the stock driver's decoration."""
    text = ' '.join(str(exc).split()).replace(image_id, 'IMAGE')
    text = text.removeprefix(
        'Failed to add object to Swift. Got error from Swift: '
    )
    text = re.sub(r'https?://\S+/|\.+$', '', text)
    return f'{type(exc).__name__}: {text.partition(" [first ")[0]}'


def complaints(outcome: Outcome, plan: Plan, md5: str) -> list[str]:
    """What is wrong with the outcome of the driver under test."""
    if outcome.error:
        return [f'the upload failed: {outcome.error}']
    expected = [
        ('bytes read from the stream', outcome.read, plan.size),
        ('bytes stored', outcome.size, plan.size),
        ('segments stored', outcome.segments, plan.segments),
        ('MD5 stored', outcome.checksum, md5),
        ('MD5 read back', outcome.md5_read, md5),
        ('left behind', ', '.join(outcome.left) or 'nothing', 'nothing'),
    ]
    found = [
        f'{what}: {actual}, not {right}'
        for what, actual, right in expected
        if actual != right
    ]
    found += [
        f'no segment met this fault: {fault}'
        for fault in sorted({'reset', '401'} - outcome.met)
    ]
    if outcome.retries < 2:
        found.append(f'retries: {outcome.retries}, for two faults')
    return found


class Story:
    """The proxy's log of one upload, as far as it is about segments."""

    def __init__(self, log: Iterable[journal.Exchange]) -> None:
        self.stored: set[int] = set()
        self.sent = 0
        self.met: set[str] = set()
        #: What is worth telling, in the order in which it was asked for.
        self.lines: list[str] = []
        self._failed: set[int] = set()
        for exchange in log:
            found = _SEGMENT.search(exchange.path)
            if exchange.method == 'PUT' and found:
                self.sent += 1
                self._follow(exchange, int(found[1]))

    @property
    def retries(self) -> int:
        """How many segments were sent again."""
        return self.sent - len(self.stored | self._failed)

    def _follow(self, exchange: journal.Exchange, number: int) -> None:
        if exchange.fired and exchange.fault == faults.Reset.__name__:
            self._fail(number, 'reset', 'connection reset in the middle')
        elif exchange.upstream_status == 401:
            self._fail(number, '401', '401 from Swift, the token is revoked')
        elif exchange.status == 201:
            self.stored.add(number)
            if number in self._failed:
                self.lines.append(f'segment {number}: sent again, stored')

    def _fail(self, number: int, fault: str, line: str) -> None:
        self._failed.add(number)
        self.met.add(fault)
        self.lines.append(f'segment {number}: {line}')
