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

"""What one upload of a chaos run is and meets: pure planning.

Everything follows from the run's seed and the upload's number, so that one
upload can be repeated without the others.
"""

import dataclasses
import random

from glance_store_bufswift.tests.support.cloud import faults

#: Upstream's "1 MB".
MEGABYTE = 1024 * 1000

#: Share of the uploads whose fault no retry can pass.
HOPELESS = 0.15

#: What answers a request now and not the next time.
PASSING = (401, 408, 422, 429, 498, 499, 500, 502, 503, 504, 507)


class SourceError(Exception):
    """What a source raises."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """One upload.

    :ivar size: bytes in the image
    :ivar known: whether the store is told the size
    :ivar segment: megabytes in a segment
    :ivar most: bytes that the source gives at a time
    :ivar fault: what a request of it meets
    :ivar method: of the request that meets it
    :ivar path: regex of that request's path, behind the image's id
    :ivar times: how many requests meet it, None for all
    :ivar source_fails: where the source raises, None for nowhere
    """

    number: int
    size: int
    known: bool
    segment: int
    threads: int
    retries: int
    most: int
    fault: faults.Fault
    method: str
    path: str
    times: int | None
    source_fails: int | None

    @property
    def hopeless(self) -> bool:
        """Whether the upload can't but fail, if its fault is met."""
        return self.source_fails is not None or self.times is None


def plan(seed: int, number: int) -> Plan:
    """The upload of a number in the run of a seed."""
    dice = random.Random(f'{seed}-{number}')
    segment = dice.choice((1, 1, 2))
    size = _size(dice, segment * MEGABYTE)
    hopeless = dice.random() < HOPELESS
    by_source = hopeless and dice.random() < 0.4
    method, path, length = _request(dice, size, segment * MEGABYTE)
    known = dice.random() < 0.5
    fault = _fault(dice, length)
    if hopeless and not by_source:
        fault = dice.choice(
            (fault, faults.Status(code=403), faults.Status(code=413))
        )
    return Plan(
        number,
        size,
        known,
        segment,
        threads=dice.randint(1, 4),
        retries=dice.randint(1, 3),
        most=dice.choice((9973, 1 << 18, 1 << 30)),
        fault=fault,
        method='PUT' if hopeless else method,
        path='' if hopeless else path,
        times=None if hopeless and not by_source else 1,
        source_fails=dice.randint(0, size) if by_source else None,
    )


def _size(dice: random.Random, segment: int) -> int:
    """Bytes in an image: often one that is special."""
    border = segment * dice.randint(0, 3)
    near = max(0, border + dice.randint(-1, 1))
    return dice.choice(
        (near, dice.randint(0, 3 * segment), dice.randint(0, segment))
    )


def _request(
    dice: random.Random, size: int, segment: int
) -> tuple[str, str, int]:
    """A request of the upload: method, path behind the id, body length."""
    if dice.random() < 0.1:
        return 'HEAD', '$', 0
    if size <= segment:
        return 'PUT', '$', size
    segments = -(-size // segment)
    number = dice.randint(1, segments + 1)
    if number > segments:
        return 'PUT', '$', 0  # the manifest
    length = segment if number < segments else size - segment * (segments - 1)
    return 'PUT', f'/.*{number:08d}$', length


def _fault(dice: random.Random, length: int) -> faults.Fault:
    """A fault that another try passes."""
    at: faults.Place = dice.choice(
        (0, length // 2, max(0, length - 1), faults.WHOLE)
    )
    choices: list[faults.Fault] = [
        faults.Status(after=at, code=dice.choice(PASSING)),
        faults.Status(after=at, code=dice.choice(PASSING)),
        faults.Reset(after=at),
        faults.Reset(after=at),
        faults.Stall(after=at),
        faults.LostAnswer(),
        faults.LateLanding(reset=True),
    ]
    if length:
        choices += [
            faults.FlipByte(dice.randrange(length)),
            faults.Rewrite(headers={'etag': '0' * 32}),
            faults.Rewrite(202, {'etag': None}),
        ]
    return dice.choice(choices)
