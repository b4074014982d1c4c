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

"""What an upload took, and what became of it: one line in the log."""

from collections.abc import Sequence
import dataclasses
import time

from oslo_log import log as logging

from glance_store_bufswift.buffer import segment
from glance_store_bufswift import errors

LOG = logging.getLogger(__name__)


@dataclasses.dataclass
class Summary:
    """What an upload took, for the log; bytes and seconds."""

    image: str
    began: float = dataclasses.field(default_factory=time.monotonic)
    segments: int = 0
    buffered: int = 0
    unbuffered: int = 0

    def count(self, sent: segment.Segment) -> None:
        """Count a segment that was written to its end."""
        self.segments += 1
        self.buffered += sent.filed
        self.unbuffered += sent.size - sent.filed

    def log_stored(self, size: int, retries: int) -> None:
        """Tell of an upload that succeeded.

        :param size: bytes in the image
        """
        LOG.info('Image %(image)s stored: %(bytes)d bytes in %(segments)d '
                 'segments, %(retries)d retries, %(buffered)d bytes '
                 'buffered, %(unbuffered)d unbuffered, %(seconds).1f s',
                 {'image': self.image, 'bytes': size,
                  'segments': self.segments, 'retries': retries,
                  'buffered': self.buffered, 'unbuffered': self.unbuffered,
                  'seconds': time.monotonic() - self.began})

    def log_failed(self, cause: BaseException, size: int, stored: int,
                   retries: int, left: Sequence[str] | None) -> None:
        """Tell of an upload that failed.

        :param size: bytes that were read
        :param stored: objects that were stored
        :param left: those that could not be deleted; None if not known
        """
        if isinstance(cause, errors.SourceFailed):
            cause = cause.original
        known = f'{len(left)} objects, named above' if left else 'nothing'
        LOG.warning('Image %(image)s was not stored: %(bytes)d bytes read '
                    'into %(segments)d segments, %(stored)d objects stored, '
                    '%(retries)d retries, %(seconds).1f s; left in Swift: '
                    '%(left)s; cause: %(kind)s: %(cause)s',
                    {'image': self.image, 'bytes': size,
                     'segments': self.segments, 'stored': stored,
                     'retries': retries,
                     'seconds': time.monotonic() - self.began,
                     'left': 'not known' if left is None else known,
                     'kind': type(cause).__name__, 'cause': cause})
