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

import contextlib

from glance_store_bufswift import opts
from glance_store_bufswift.reader import ahead
from glance_store_bufswift.reader import finding
from glance_store_bufswift.swift import account as swift
from glance_store_bufswift import translation


class Download:
    """An iterable with a length; used once, in one thread at a time.

    It ends when all of its bytes were given out, and raises if they can't
    be had. Whoever stops before that closes it, or drops it: CPython then
    closes it at once.

    :param image: reads it
    :param size: bytes to come
    """

    def __init__(self, image: ahead.Ahead, size: int) -> None:
        self._image = image
        self._size = size
        self._held = contextlib.ExitStack()

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> 'Download':
        return self

    def __next__(self) -> bytes:
        try:
            block = self._image.read()
        except BaseException as exc:
            self.close()
            translation.reraise_reading(exc)
        if not block:
            self.close()
            raise StopIteration
        return block

    def hold(self, opened: contextlib.ExitStack) -> None:
        """Have closed at the end what was opened for the download."""
        self._held = opened

    def close(self) -> None:
        """End what reads ahead, and close what else was opened."""
        self._image.close()
        self._held.close()

    def __del__(self) -> None:
        self.close()


def start(account: swift.Account, container: str, image: str, offset: int,
          size: int | None, settings: opts.Settings) -> Download:
    """Begin to read an image.

    :param account: for the download alone
    :param offset: the first byte
    :param size: bytes to read, fewer if the image ends; None = to its end
    :raises NoImage: there is none
    :raises RequestFailed: it can't be read
    """
    if offset or size is not None:
        found = finding.some(account, container, image, offset, size)
    else:
        found = finding.whole(account, container, image)
    bounds = ahead.Bounds(settings.read_threads, settings.read_memory)
    begun = ahead.Ahead(account, bounds, found.stretches, found.opened)
    begun.open()
    return Download(begun, found.size)
