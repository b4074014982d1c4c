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

"""What an upload or a download took, and where its time went.

Each logs one line: a sentence, and after " | " the same as words of the form
key=value, for scripts.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses

from oslo_log import log as logging

from glance_store_bufswift.buffer import segment
from glance_store_bufswift import errors
from glance_store_bufswift import stopwatch

LOG = logging.getLogger(__name__)

#: The shares of an upload's and a download's time that have a name.
UPLOAD_SHARES = (
    stopwatch.SOURCE,
    stopwatch.DISK,
    stopwatch.DIGESTS,
    stopwatch.SWIFT,
    stopwatch.LISTING,
    stopwatch.CLEANUP,
)
DOWNLOAD_SHARES = stopwatch.LOOKUP, stopwatch.SWIFT

_IN_WORDS = {
    stopwatch.SOURCE: 'for the source',
    stopwatch.DISK: 'for the disk',
    stopwatch.DIGESTS: 'for the digests',
    stopwatch.SWIFT: 'for Swift',
    stopwatch.LISTING: 'for the listing',
    stopwatch.CLEANUP: 'to clean up',
    stopwatch.LOOKUP: 'to find what it is made of',
    stopwatch.CLIENT: 'for the client',
    stopwatch.OTHER: 'for the work itself',
}


def _line(
    counts: Mapping[str, object],
    watch: stopwatch.Stopwatch,
    names: Sequence[str],
    rest: str,
    paused: float,
) -> dict[str, str]:
    """The parts of a line that give times, and all words for scripts.

    :param counts: the words for scripts that are not times, by name
    :param names: of the shares
    :param rest: the name of the time that is in none of them
    :param paused: seconds between tries
    """
    shares = {name: watch.spent(name) for name in names}
    shares[rest] = watch.rest()
    most = max(shares, key=lambda name: shares[name])
    seconds = {
        'seconds': sum(shares.values()),
        **{f'{name}_s': spent for name, spent in shares.items()},
        f'{stopwatch.RETRIES}_s': paused,
    }
    words = [f'{name}={value}' for name, value in counts.items()]
    words += [f'{name}={value:.3f}' for name, value in seconds.items()]
    return {
        'time': f'{seconds["seconds"]:.1f} s, {shares[most]:.1f} s of '
        f'it {_IN_WORDS[most]}',
        'words': ' '.join(words),
    }


@dataclasses.dataclass
class UploadSummary:
    """What an upload took; bytes and seconds."""

    image: str
    watch: stopwatch.Stopwatch
    segments: int = 0
    buffered: int = 0
    unbuffered: int = 0

    def count(self, body: segment.SegmentBody) -> None:
        """Count a segment that was written to its end."""
        self.segments += 1
        self.buffered += body.buffered_size
        self.unbuffered += body.size - body.buffered_size

    def log_stored(self, size: int, retries: int, paused: float) -> None:
        """Log an upload that succeeded.

        :param size: bytes in the image
        :param paused: seconds between tries, of all threads together
        """
        counts = self._counts('stored', size, retries)
        LOG.info(
            'Image %(image)s stored: %(bytes)d bytes in %(segments)d '
            'segments, %(retries)d retries, %(buffered)d bytes '
            'buffered, %(unbuffered)d unbuffered, %(time)s | %(words)s',
            counts | self._line(counts, paused),
        )

    def log_failed(
        self,
        cause: BaseException,
        size: int,
        stored: int,
        retries: int,
        paused: float,
        left: Sequence[str] | None,
    ) -> None:
        """Log an upload that failed.

        :param size: bytes that were read
        :param stored: objects that were stored
        :param paused: seconds between tries, of all threads together
        :param left: those that could not be deleted; None if not known
        """
        if isinstance(cause, errors.SourceFailed):
            cause = cause.original
        known = f'{len(left)} objects, named above' if left else 'nothing'
        counts = self._counts('failed', size, retries) | {
            'stored': stored,
            'left': '?' if left is None else len(left),
            'cause': type(cause).__name__,
        }
        LOG.warning(
            'Image %(image)s was not stored: %(bytes)d bytes read '
            'into %(segments)d segments, %(stored)d objects stored, '
            '%(retries)d retries, %(time)s; left in Swift: '
            '%(known)s; cause: %(cause)s: %(why)s | %(words)s',
            counts
            | self._line(counts, paused)
            | {'known': 'not known' if left is None else known, 'why': cause},
        )

    def _counts(
        self, outcome: str, size: int, retries: int
    ) -> dict[str, object]:
        return {
            'upload': outcome,
            'image': self.image,
            'bytes': size,
            'segments': self.segments,
            'retries': retries,
            'buffered': self.buffered,
            'unbuffered': self.unbuffered,
        }

    def _line(
        self, counts: Mapping[str, object], paused: float
    ) -> dict[str, str]:
        return _line(
            counts, self.watch, UPLOAD_SHARES, stopwatch.OTHER, paused
        )


@dataclasses.dataclass
class DownloadSummary:
    """What a download took; bytes and seconds.

    :ivar size: bytes that were asked for
    :ivar given: bytes that were given out
    """

    image: str
    size: int
    watch: stopwatch.Stopwatch
    given: int = 0

    def log(
        self, retries: int, paused: float, cause: BaseException | None
    ) -> None:
        """Log a download that has ended, or was ended.

        :param paused: seconds between tries, of all threads together
        :param cause: what has ended it; None if nothing went wrong here
        """
        outcome = (
            'failed'
            if cause
            else ('whole' if self.given == self.size else 'part')
        )
        counts = {
            'download': outcome,
            'image': self.image,
            'bytes': self.given,
            'size': self.size,
            'retries': retries,
        }
        if cause:
            counts['cause'] = type(cause).__name__
        line = counts | _line(
            counts, self.watch, DOWNLOAD_SHARES, stopwatch.CLIENT, paused
        )
        if cause:
            LOG.warning(
                'Image %(image)s was not read to its end: %(bytes)d '
                'of %(size)d bytes, %(retries)d retries, %(time)s; '
                'cause: %(cause)s: %(why)s | %(words)s',
                line | {'why': cause},
            )
            return
        LOG.info(
            'Image %(image)s read: %(bytes)d of %(size)d bytes, '
            '%(retries)d retries, %(time)s | %(words)s',
            line,
        )
