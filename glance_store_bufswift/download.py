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
from typing import NoReturn

from glance_store_bufswift import opts
from glance_store_bufswift.reader import ahead
from glance_store_bufswift.reader import lookup
from glance_store_bufswift import stopwatch
from glance_store_bufswift import summary
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import client
from glance_store_bufswift import translation


class Download:
    """An iterable with a length; used once, in one thread at a time.

    It ends when all of its bytes were given out, and raises if they can't be
    read. A caller that stops earlier closes it, or drops it: CPython then
    closes it at once.

    :param client: sends the requests
    :param reader: reads the image
    :param summary: logged at the end
    """

    def __init__(
        self,
        client: client.Client,
        reader: ahead.ImageReader,
        summary: summary.DownloadSummary,
    ) -> None:
        self._client = client
        self._reader = reader
        self._summary = summary
        self._logged = False
        self._held = contextlib.ExitStack()

    def __len__(self) -> int:
        return self._summary.size

    def __iter__(self) -> 'Download':
        return self

    def __next__(self) -> bytes:
        failed: BaseException | None = None
        try:
            with self._summary.watch.share(stopwatch.SWIFT):
                block = self._reader.read()
        except BaseException as exc:
            failed = exc
        # Outside of "except": oslo.log would add the error to the warning.
        if failed is not None:
            try:
                self._fail(failed)
            finally:
                del failed  # it refers to this frame, and would keep it alive
        if not block:
            self.close()
            raise StopIteration
        self._summary.given += len(block)
        return block

    def _fail(self, exc: BaseException) -> NoReturn:
        self._log(exc)
        self.close()
        translation.reraise_reading(exc)

    def hold(self, opened: contextlib.ExitStack) -> None:
        """Close at the end what was opened for the download."""
        self._held = opened

    def close(self) -> None:
        """Stop reading ahead, and close what else was opened."""
        self._reader.close()
        self._held.close()
        self._log(None)

    def _log(self, cause: BaseException | None) -> None:
        if not self._logged:
            self._logged = True
            self._summary.log(self._client.retries, self._client.paused, cause)

    def __del__(self) -> None:
        self.close()


def start(
    account: accounts.Account,
    container: str,
    image: str,
    offset: int,
    size: int | None,
    settings: opts.Settings,
) -> Download:
    """Begin to read an image.

    :param account: for the download alone
    :param offset: the first byte
    :param size: bytes to read, fewer if the image ends; None = to its end
    :raises NoImage: there is none
    :raises RequestFailed: it can't be read
    """
    watch = stopwatch.Stopwatch()
    with watch.share(stopwatch.LOOKUP):
        if offset or size is not None:
            found = lookup.ranged(account, container, image, offset, size)
        else:
            found = lookup.whole(account, container, image)
    bounds = ahead.Bounds(settings.read_threads, settings.read_memory)
    reader = ahead.ImageReader(account, bounds, found.stretches, found.opened)
    with watch.share(stopwatch.SWIFT):
        reader.open()
    return Download(
        account.client,
        reader,
        summary.DownloadSummary(image, found.size, watch),
    )
