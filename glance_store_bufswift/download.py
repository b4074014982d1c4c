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

"""One download: an image's bytes, as Glance takes them."""

from collections.abc import Iterator
import contextlib
import dataclasses

from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.swift import account as swift
from glance_store_bufswift.swift import answers
from glance_store_bufswift.swift import known
from glance_store_bufswift.swift import reading


class Download:
    """An iterable with a length; used once, in one thread at a time.

    It ends when all of its bytes were given out, and raises if they can't
    be had. Whoever stops before that closes it, or drops it: CPython then
    closes it at once.

    :param readings: opens one object after the other
    :param size: bytes in all of them
    """

    def __init__(self, readings: Iterator[reading.Reading],
                 size: int) -> None:
        self._readings = readings
        self._size = size
        self._held = contextlib.ExitStack()
        self._reading: reading.Reading | None = None

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> 'Download':
        return self

    def __next__(self) -> bytes:
        try:
            block = self._next()
        except BaseException as exc:
            self.close()
            errors.reraise_reading(exc)
        if not block:
            self.close()
            raise StopIteration
        return block

    def hold(self, opened: contextlib.ExitStack) -> None:
        """Have closed at the end what was opened for the download."""
        self._held = opened

    def close(self) -> None:
        """Close the connection, and what else was opened."""
        self._readings = iter(())
        if self._reading is not None:
            self._reading.close()
        self._held.close()

    def __del__(self) -> None:
        self.close()

    def _next(self) -> bytes:
        while True:
            block = self._reading.read() if self._reading else b''
            if block:
                return block
            following = next(self._readings, None)
            if following is None:
                return b''
            self._reading = following


def start(account: swift.Account, container: str, image: str, offset: int,
          size: int | None) -> Download:
    """Begin to read an image.

    :param offset: the first byte
    :param size: bytes to read, fewer if the image ends; None = to its end
    :raises NoImage: there is none
    :raises RequestFailed: it can't be read
    """
    try:
        first = reading.Reading(account, container, image, offset, size)
    except errors.RequestFailed as exc:
        if exc.status == 404:
            raise errors.NoImage(container, image) from exc
        raise
    if first.left is not None:
        return Download(iter([first]), first.left)
    first.close()
    parts = _parts(account, first.headers, offset, size)
    length = sum(part.size for part in parts)
    readings = (part.read(account) for part in parts)
    return Download(readings, length)


def size_of(account: swift.Account, container: str, image: str) -> int:
    """The bytes in an image.

    :raises NoImage: there is none
    :raises RequestFailed: Swift does not say
    """
    headers = account.head(container, image)
    if headers is None:
        raise errors.NoImage(container, image)
    size = answers.length(headers)
    if size is None and layout.manifest_target(headers) is not None:
        return sum(part.size for part in _parts(account, headers, 0, None))
    return reading.size(account, container, image) if size is None else size


@dataclasses.dataclass(frozen=True)
class _Part:
    """What is read of one segment; bytes."""

    container: str
    name: str
    offset: int
    size: int
    etag: str | None
    total: int

    def read(self, account: swift.Account) -> reading.Reading:
        return reading.Reading(account, self.container, self.name,
                               self.offset, self.size,
                               known.Known(self.etag, self.total))


def _parts(account: swift.Account, headers: dict[str, str], offset: int,
           size: int | None) -> list[_Part]:
    """What to read of the segments of a DLO.

    Of one with more segments than fit into a page of a listing Swift tells
    neither size nor ETag, and gives no ranges (swift's middleware "dlo").
    """
    target = layout.manifest_target(headers)
    if target is None:
        raise errors.RequestFailed("Swift does not tell the image's size")
    container, prefix = target
    parts, at = [], 0
    end = None if size is None else offset + size
    for entry in account.entries(container, prefix):
        if not entry.sized:
            raise errors.RequestFailed(
                f'The listing of {container}/{prefix} does not tell how many '
                f'bytes {entry.name} has')
        first = max(0, offset - at)
        last = entry.size if end is None else min(entry.size, end - at)
        if first < last:
            parts.append(_Part(container, entry.name, first, last - first,
                               entry.etag, entry.size))
        at += entry.size
    if offset > at or (offset == at and offset):
        raise errors.RequestFailed(
            f'The image ends after {at} bytes', status=416)
    return parts
