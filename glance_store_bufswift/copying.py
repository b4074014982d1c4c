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

"""Copying the source into objects, while workers send them."""

from collections.abc import Iterator
from collections.abc import Mapping
from concurrent import futures

from oslo_log import log as logging

from glance_store_bufswift.buffer import buffers
from glance_store_bufswift.buffer import segment
from glance_store_bufswift.buffer import space
from glance_store_bufswift import digests
from glance_store_bufswift import manifest
from glance_store_bufswift import source
from glance_store_bufswift import stopwatch
from glance_store_bufswift import summary
from glance_store_bufswift import transfers

LOG = logging.getLogger(__name__)


class Copier:
    """Copies an image into its objects, on the caller's thread.

    :param source: the image, read to its end
    :param digests: fed with all that is read
    :param buffers: where the objects are buffered
    :param transfers: sends them
    :param summary: counts them, and the time that this takes
    """

    def __init__(
        self,
        source: source.Source,
        digests: digests.Digests,
        buffers: buffers.UploadBuffers,
        transfers: transfers.Transfers,
        summary: summary.UploadSummary,
    ) -> None:
        self._source = source
        self._digests = digests
        self._buffers = buffers
        self._transfers = transfers
        self._summary = summary
        self._watch = summary.watch
        # Bytes in each, and its MD5.
        self._segments: list[tuple[int, futures.Future[str]]] = []
        self._warned = False

    def copy(
        self,
        name: str,
        capacity: int,
        length: int | None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Copy the source to one object, while a worker sends it.

        :param capacity: bytes to copy, fewer if the source ends
        :param length: bytes in the object; None = not known yet
        :raises SourceFailed: the stream raised
        :raises WrongSize: the image is not as long as declared
        :raises Aborted: anything else has failed
        """
        self._transfers.wait_for_slot()
        body = segment.SegmentBody(
            self._file(capacity),
            self._buffers.give_back,
            self._transfers.wake,
            self._buffers.exchange,
        )
        self._transfers.send(
            name, body, length, headers, self._steps(body, capacity)
        )

    def segments(self) -> list[manifest.StoredSegment]:
        """The objects in their order, waiting for their MD5s."""
        return [
            manifest.StoredSegment(size, md5.result())
            for size, md5 in self._segments
        ]

    def _steps(
        self, body: segment.SegmentBody, capacity: int
    ) -> Iterator[None]:
        """Copy the source to a segment, a block at each step."""
        left = capacity
        while left and (block := self._source.read(left)):
            with self._watch.share(stopwatch.DIGESTS):
                self._digests.update(block)
            with self._watch.share(
                stopwatch.DISK if body.buffered else stopwatch.SWIFT
            ):
                body.write(block)
            if body.disk_error is not None:
                self._warn(body.disk_error)
            left -= len(block)
            yield
        md5 = self._digests.end_segment()
        self._segments.append((body.size, md5))
        body.finish(md5)
        self._summary.count(body)

    def _file(self, capacity: int) -> space.BufferFile | None:
        """Room for a buffer; None if the segment is to go without."""
        if not capacity:
            return None
        try:
            with self._watch.share(stopwatch.DISK):
                return self._buffers.take(
                    capacity, self._transfers.wait_for_one
                )
        except space.NoSpace as exc:
            why = exc
        self._warn(why)
        return None

    def _warn(self, why: Exception) -> None:
        if not self._warned:
            self._warned = True
            LOG.warning(
                'Image %(image)s is uploaded in part without a '
                'buffer, where a broken request can not be '
                'repeated: %(why)s',
                {'image': self._summary.image, 'why': why},
            )
