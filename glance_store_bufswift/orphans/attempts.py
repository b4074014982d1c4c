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

"""Which objects of a listing are segments, and of which attempt: pure.

A listing is sorted by the names' bytes, so that an attempt's segments follow
each other, and only one attempt at a time is held in memory.
"""

import bisect
from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import datetime
import itertools
import re
from typing import NamedTuple

from glance_store_bufswift.swift import listings

_ID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'

#: Before and after all that was ever stored.
NEVER = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)
NOT_YET = datetime.datetime.max.replace(tzinfo=datetime.timezone.utc)

_IMAGE = re.compile(_ID)

#: Ours, see layout.Layout.segment() and layout.new_attempt().
_OURS = re.compile(
    rf'((?P<image>{_ID})/(?P<began>[0-9]{{8}}T[0-9]{{6}}Z)-[0-9a-f]{{12}}/)'
    '[0-9]{8}'
)

#: The stock driver's (glance_store/_drivers/swift/store.py, "%s-%05d").
_STOCK = re.compile(rf'((?P<image>{_ID})-)[0-9]{{5,}}')


class Key(NamedTuple):
    """The attempt that a segment's name belongs to.

    :ivar image: the image's id, and so the name of its manifest
    :ivar prefix: what the names of the attempt's segments begin with. All
        attempts of the stock driver to store an image share one.
    :ivar began: when the attempt began, NEVER if the name does not say
    """

    image: str
    prefix: str
    began: datetime.datetime


@dataclasses.dataclass(frozen=True)
class Attempt:
    """The segments of one attempt to store an image.

    :ivar container: where they are
    :ivar image: the image's id
    :ivar prefix: what their names begin with
    :ivar segments: how many there are
    :ivar size: bytes in all of them
    :ivar newest: time of its last sign of life; NOT_YET if a segment is listed
        without a date
    :ivar last: the name of the last one
    :ivar listed: the object with the image's name, if it is listed too
    """

    container: str
    image: str
    prefix: str
    segments: int
    size: int
    newest: datetime.datetime
    last: str
    listed: listings.Entry | None = None


def key_of(name: str) -> Key | None:
    """The attempt of a segment's name, None if it is not a segment's."""
    found = _OURS.fullmatch(name) or _STOCK.fullmatch(name)
    if found is None:
        return None
    began = found.groupdict().get('began')
    return Key(found['image'], found[1], _moment(began))


def is_image(name: str) -> bool:
    """Whether an object is named as an image is."""
    return bool(_IMAGE.fullmatch(name))


def _moment(stamp: str | None) -> datetime.datetime:
    try:
        began = datetime.datetime.strptime(stamp or '', '%Y%m%dT%H%M%SZ')
    except ValueError:  # none, or the 99th of a month
        return NEVER
    return began.replace(tzinfo=datetime.timezone.utc)


def attempts(
    container: str, entries: Iterable[listings.Entry]
) -> Iterator[Attempt]:
    """The attempts whose segments a listing shows, in its order.

    :param container: the one that is listed
    :param entries: the listing, in order, other objects included
    """
    for (key, listed), members in itertools.groupby(
        _segments(entries), key=lambda each: each[:2]
    ):
        segments, size, newest, last = 0, 0, key.began, ''
        for *_, entry in members:
            segments += 1
            size += entry.size
            newest = max(newest, entry.modified or NOT_YET)
            last = entry.name
        yield Attempt(
            container,
            key.image,
            key.prefix,
            segments,
            size,
            newest,
            last,
            listed,
        )


def _segments(
    entries: Iterable[listings.Entry],
) -> Iterator[tuple[Key, listings.Entry | None, listings.Entry]]:
    """The segments in a listing, each with the object of the image's name."""
    image: listings.Entry | None = None
    for entry in entries:
        key = key_of(entry.name)
        if key:
            listed = image is not None and image.name == key.image
            yield key, image if listed else None, entry
        elif is_image(entry.name):
            # It comes before all names that begin with its own.
            image = entry


def may_be_manifest(entry: listings.Entry) -> bool:
    """Whether an object can be a manifest, and has to be looked at.

    Segments have bytes, manifests may have none: an empty object can be one
    whatever its name, and an object that is not named as a segment, whatever
    its size.
    """
    return not entry.size or key_of(entry.name) is None


class Reference(NamedTuple):
    """The objects that an object in a listing refers to.

    :ivar container: where they are
    :ivar prefix: what their names begin with
    :ivar exact: whether it is the name of a single object instead
    """

    container: str
    prefix: str
    exact: bool = False


def refers(reference: Reference, attempt: Attempt) -> bool:
    """Whether a reference can mean segments of an attempt.

    A longer prefix than the attempt's own covers some of its segments, or
    none: the attempt counts as referred to in any case.
    """
    container, name, exact = reference
    if container != attempt.container:
        return False
    if exact:
        return name != attempt.prefix and name.startswith(attempt.prefix)
    return name.startswith(attempt.prefix) or attempt.prefix.startswith(name)


def hidden(names: Iterable[str], most: int) -> list[str]:
    """Segments of an attempt that can exist, though they are not listed.

    They are the one after the last, and those missing in between; the latest
    come first, since a listing that lags lacks the latest.

    :param names: the listed ones, in order, at least one
    :param most: how many to return
    """
    *_, last = names = list(names)
    start = last.rstrip('0123456789')
    width = len(last) - len(start)
    numbers = {int(name[len(start) :]) for name in names}
    missing = (
        number
        for number in range(max(numbers) + 1, 0, -1)
        if number not in numbers
    )
    return [
        f'{start}{number:0{width}d}'
        for number in itertools.islice(missing, most)
    ]


class Unreferred:
    """The attempts that nothing is known to refer to, so far.

    It holds only these attempts: what a manifest refers to is struck off and
    forgotten.
    """

    def __init__(self, found: Iterable[Attempt]) -> None:
        self._left = {(each.container, each.prefix): each for each in found}
        self._keys = sorted(self._left)

    def __iter__(self) -> Iterator[Attempt]:
        """What is left, by container and name."""
        return (self._left[key] for key in self._keys if key in self._left)

    def __len__(self) -> int:
        return len(self._left)

    def strike(self, reference: Reference) -> None:
        """Strike off the attempts that a reference can mean."""
        container, prefix, exact = reference
        for end in range(1, len(prefix)):
            self._left.pop((container, prefix[:end]), None)
        if exact:
            return
        start = bisect.bisect_left(self._keys, (container, prefix))
        for key in itertools.islice(self._keys, start, None):
            if key[0] != container or not key[1].startswith(prefix):
                break
            self._left.pop(key, None)
