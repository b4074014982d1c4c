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

"""One upload: from Glance's stream to an image that reads back whole."""

from collections.abc import Mapping
import dataclasses
from typing import NoReturn

from oslo_log import log as logging

from glance_store_bufswift.buffer import buffers
from glance_store_bufswift.buffer import space
from glance_store_bufswift import cleanup
from glance_store_bufswift import confirmation
from glance_store_bufswift import copying
from glance_store_bufswift import digests
from glance_store_bufswift import errors
from glance_store_bufswift import former
from glance_store_bufswift import layout
from glance_store_bufswift import manifest
from glance_store_bufswift import opts
from glance_store_bufswift import segmenting
from glance_store_bufswift import source
from glance_store_bufswift import stopwatch
from glance_store_bufswift import summary
from glance_store_bufswift.swift import accounts
from glance_store_bufswift import transfers

LOG = logging.getLogger(__name__)

#: Seconds between two looks at the object with the image's name, while the
#: last segments are under way.
LOOK_INTERVAL = 1.0


@dataclasses.dataclass(frozen=True)
class StoredImage:
    """What was stored: size in bytes, checksum and multihash in hex."""

    size: int
    checksum: str
    multihash: str


class Upload:
    """Stores one image; used once.

    The caller's thread copies the source into segments, which the workers of
    Transfers send.

    :param account: for this upload alone; closed at its end
    :param dest: the names of this attempt
    :param settings: how the store is configured
    :param stream: where the image comes from
    :param image_size: bytes in the image; 0 = unknown
    :param image_digests: fed with all that is read; closed at the end
    """

    def __init__(
        self,
        account: accounts.Account,
        dest: layout.Layout,
        settings: opts.Settings,
        stream: source.Readable,
        image_size: int,
        image_digests: digests.Digests,
    ) -> None:
        self._account = account
        self._dest = dest
        self._settings = settings
        self._watch = stopwatch.Stopwatch()
        self._source = source.Source(stream, image_size, self._watch)
        self._image_size = image_size
        self._digests = image_digests
        self._transfers = transfers.Transfers(
            account,
            dest.container,
            settings.threads,
            settings.most_in_flight,
            self._watch,
        )
        self._former = former.FormerImages(dest)
        self._summary = summary.UploadSummary(dest.image, self._watch)
        directory = space.BufferDirectory(
            settings.directory, settings.disk_quota, settings.min_free_percent
        )
        self._buffers = buffers.UploadBuffers(directory)
        self._copier = copying.Copier(
            self._source,
            image_digests,
            self._buffers,
            self._transfers,
            self._summary,
        )

    def run(self) -> StoredImage:
        """Store the image, or leave nothing behind.

        :raises SourceFailed: the stream raised
        :raises WrongSize: the image is not as long as declared
        :raises RequestFailed: Swift or Keystone did not do their part
        """
        try:
            hashes = self._store()
        except BaseException as exc:
            failed = exc
        else:
            self._stop()
            self._summary.log_stored(
                self._source.size,
                self._account.client.retries,
                self._account.client.paused,
            )
            return StoredImage(self._source.size, *hashes)
        # Outside of "except": oslo.log would add the error to each warning.
        self._fail(failed)

    def _fail(self, exc: BaseException) -> NoReturn:
        """End the upload, clean up, and raise the first error."""
        try:
            self._transfers.abort(exc)
            self._stop()
            with self._watch.share(stopwatch.CLEANUP):
                left = cleanup.after_failure(
                    self._account,
                    self._dest,
                    self._transfers.attempted,
                    self._transfers.in_doubt,
                    self._former,
                )
            first = self._transfers.first_error or exc
            self._summary.log_failed(
                first,
                self._source.size,
                len(self._transfers.stored),
                self._account.client.retries,
                self._account.client.paused,
                left,
            )
        finally:
            self._stop()
        if not isinstance(exc, Exception):
            raise exc  # no other error is to hide an interrupt
        raise first from first.__cause__

    # From the source to the segments, in the caller's thread

    def _store(self) -> tuple[str, str]:
        length = self._plain_length()
        if length is not None:
            return self._store_plain(length)
        plan = segmenting.plan(
            self._account, self._dest, self._settings, self._image_size
        )
        self._send_segments(plan)
        hashes = self._hashes()
        with self._watch.share(stopwatch.SWIFT):
            self._wait_for_all()
            self._write_manifest(plan)
        return hashes

    def _store_plain(self, length: int) -> tuple[str, str]:
        """Store an image that becomes one object."""
        with self._watch.share(stopwatch.SWIFT):
            self._former.look(self._account)
        self._copier.copy(
            self._dest.image, length, length, self._dest.plain_headers()
        )
        self._buffers.close()
        hashes = self._hashes()
        with self._watch.share(stopwatch.SWIFT):
            self._wait_for_all(while_writing=True)
            current: Mapping[str, str] | None = self._dest.attempt_header()
            if self._former.contested:
                # Only Swift knows which of the two was written later.
                current = self._former.own(self._account)
            if current is not None:
                self._former.remove(self._account, current)
        return hashes

    def _plain_length(self) -> int | None:
        """Bytes in an image that becomes one object, None for segments."""
        limit = self._settings.plain_limit
        self._source.peek()  # shows whether the image ends within a block
        if self._source.ended and self._source.size <= limit:
            return self._source.size
        if 0 < self._image_size <= limit:
            return self._image_size
        return None

    def _send_segments(self, plan: segmenting.SegmentPlan) -> None:
        number, left = 0, self._image_size
        while self._source.peek():
            number += 1
            if number > layout.MAX_SEGMENTS:
                raise errors.RequestFailed(
                    f'The image needs more than {layout.MAX_SEGMENTS} '
                    'segments; swift_store_large_object_chunk_size has to '
                    'be larger',
                    status=413,
                )
            size = plan.size(number)
            length = min(size, left) if self._image_size else None
            self._copier.copy(
                self._dest.segment(number), length or size, length
            )
            left -= size
        self._buffers.close()

    # The end

    def _hashes(self) -> tuple[str, str]:
        """Checksum and multihash, waited for."""
        with self._watch.share(stopwatch.DIGESTS):
            return self._digests.finish()

    def _wait_for_all(self, while_writing: bool = False) -> None:
        """Wait for all PUTs, and look for other attempts meanwhile.

        The later the last look, the fewer attempts it misses.

        :param while_writing: whether the object with the image's name is under
            way
        """
        while True:
            self._former.look(self._account, while_writing)
            if self._transfers.wait_for_all(LOOK_INTERVAL):
                return

    def _write_manifest(self, plan: segmenting.SegmentPlan) -> None:
        self._transfers.begin_put(self._dest.image)
        segments = self._copier.segments()
        slo = manifest.write(
            self._account, self._dest, segments, plan, self._former
        )
        # An upload without a sign of life for so long can be taken for
        # orphaned.
        ask_all = not slo and self._watch.seconds >= layout.MIN_ORPHAN_AGE / 2
        with self._watch.share(stopwatch.LISTING):
            current = confirmation.Confirmation(
                self._account, self._dest, segments, self._former, slo
            ).run(self._settings.confirm_timeout, ask_all)
        if current is not None and self._former.found_any:
            self._former.remove(self._account, current)
            self._check_not_replaced()

    def _check_not_replaced(self) -> None:
        """Look once more, since other uploads write this image too.

        An attempt that replaces this one now looked before this one wrote, and
        knows nothing of it.

        :raises Replaced: another upload has replaced the image
        """
        try:
            self._former.own(self._account)
            return
        except errors.Replaced:
            raise
        except errors.RequestFailed as exc:
            why = exc
        LOG.warning('%s', why)

    def _stop(self) -> None:
        """Wait for all threads, close all files and connections.

        May be called twice, after an interrupt of the first.
        """
        self._transfers.stop()
        self._buffers.close()
        self._digests.close()
        self._account.close()
