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

"""Names, sizes and headers of an image in Swift: pure planning.

An image no longer than a segment is one plain object named by the image's
id. A longer one is a Dynamic Large Object (DLO), or by choice a Static one
(SLO): the manifest has the image's id as its name, the segments lie beside it
in the same container as ``<image id>/<attempt>/<number, 8 digits>``. Every
attempt has names of its own, so that objects left by an earlier or a hung
attempt can't become part of an image.
"""

from collections.abc import Mapping
import dataclasses
import secrets
import time
from urllib import parse

#: Swift gives no length, no ETag and no ranges for a DLO of 10,000 segments
#: and more (container_listing_limit; swift/common/middleware/dlo.py).
MAX_SEGMENTS = 9_999

#: The segments of an image of unknown size double in size at most so many
#: times. MAX_SEGMENTS are then enough for any image at any segment size.
MAX_DOUBLINGS = 20

#: The largest object that Ceph RGW takes by default, bytes (rgw_max_put_size);
#: Swift takes two bytes more (max_file_size, etc/swift.conf-sample).
MAX_OBJECT_SIZE = 5 * (1 << 30)

#: Seconds after an attempt's last sign of life during which no orphan search
#: deletes its segments.
MIN_ORPHAN_AGE = 3600

#: Headers, as answers have them: where a DLO's segments are; our attempt, and
#: the number of its segments; what marks an SLO, and a version that is kept.
DLO_HEADER = 'x-object-manifest'
ATTEMPT_HEADER = 'x-object-meta-bufswift-attempt'
SEGMENTS_HEADER = 'x-object-meta-bufswift-segments'
SLO_HEADER = 'x-static-large-object'
VERSION_HEADER = 'x-object-version-id'

CONTENT_TYPE = 'application/octet-stream'


def new_attempt() -> str:
    """A unique name of an attempt, with the time when it began (UTC).

    The names sort by time: after the second come its microseconds, in five
    hexadecimal digits, and seven random ones.
    """
    second, micros = divmod(time.time_ns() // 1000, 1_000_000)
    stamp = time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(second))
    return f'{stamp}-{micros:05x}{secrets.randbits(28):07x}'


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where one attempt to store an image puts its objects."""

    container: str
    image: str
    attempt: str = dataclasses.field(default_factory=new_attempt)

    @property
    def prefix(self) -> str:
        """What the names of all segments of this attempt begin with."""
        return f'{self.image}/{self.attempt}/'

    def segment(self, number: int) -> str:
        """The name of a segment, numbers counting from 1."""
        return f'{self.prefix}{number:08d}'

    def plain_headers(self) -> dict[str, str]:
        """Headers of an image that is one object."""
        return {**self.attempt_header(), 'Content-Type': CONTENT_TYPE}

    def dlo_headers(self, segments: int) -> dict[str, str]:
        """Headers of the manifest of a DLO.

        The value is URL-encoded, as Swift's API reference asks for. The number
        of segments is needed to delete the image while the container's listing
        lags behind.
        """
        path = f'{self.container}/{self.prefix}'
        return {
            'X-Object-Manifest': parse.quote(path),
            **self.slo_headers(segments),
        }

    def slo_headers(self, segments: int) -> dict[str, str]:
        """Headers of the manifest of an SLO."""
        return {
            ATTEMPT_HEADER: self.attempt,
            SEGMENTS_HEADER: str(segments),
            'Content-Type': CONTENT_TYPE,
        }

    def attempt_header(self) -> dict[str, str]:
        """The header by which :meth:`wrote` knows this attempt's object."""
        return {ATTEMPT_HEADER: self.attempt}

    def wrote(self, headers: Mapping[str, str]) -> bool:
        """Whether this attempt wrote the object with these headers."""
        return headers.get(ATTEMPT_HEADER) == self.attempt


def dlo_target(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Container and prefix that a DLO manifest points to, None if no DLO.

    :param headers: as swiftclient gives them: Swift returns the value as
        stored, URL-encoded, and swiftclient decodes it
        (parse_header_string()); decoding it twice would spoil a "%" in a name
    """
    value = headers.get(DLO_HEADER)
    if not value:
        return None
    container, _, prefix = value.lstrip('/').partition('/')
    return container, prefix


def is_slo(headers: Mapping[str, str]) -> bool:
    """Whether an object is the manifest of an SLO."""
    return headers.get(SLO_HEADER, '').lower() == 'true'


def timestamp(headers: Mapping[str, str]) -> float:
    """When an object was written, seconds since 1970; 0 if not known."""
    try:
        return float(headers.get('x-timestamp', 0))
    except ValueError:
        return 0.0


def newer(headers: Mapping[str, str], than: Mapping[str, str]) -> bool:
    """Whether an object is of a later upload than another one.

    An object that X-Versions-Location brings back is of an earlier one, though
    its timestamp is new. Without names of attempts the two can't be told
    apart: then it counts as later.
    """
    attempt, former = headers.get(ATTEMPT_HEADER), than.get(ATTEMPT_HEADER)
    if attempt and former:
        return attempt > former
    return timestamp(headers) > timestamp(than)


def segment_names(
    image: str, headers: Mapping[str, str], container: str = ''
) -> list[str]:
    """The names of the segments, by the headers of a manifest of ours.

    A listing can lag behind, or not show what a container's shard still moves.

    :param container: the manifest's, to include SLOs; '' = DLOs only
    """
    count = headers.get(SEGMENTS_HEADER, '')
    target = dlo_target(headers)
    if is_slo(headers) and container and headers.get(ATTEMPT_HEADER):
        target = container, f'{image}/{headers[ATTEMPT_HEADER]}/'
    if target is None or not count.isdecimal():
        return []
    dest = Layout(target[0], image, headers.get(ATTEMPT_HEADER, ''))
    if dest.prefix != target[1] or int(count) > MAX_SEGMENTS:
        return []
    return [dest.segment(number) for number in range(1, int(count) + 1)]


def is_segment(image: str, name: str) -> bool:
    """Whether an object of this name can only be a segment of an image."""
    return name.startswith((f'{image}/', f'{image}-'))


def is_segment_prefix(image: str, prefix: str) -> bool:
    """Whether what has a prefix can only be segments of an image.

    Ours are ``<image id>/...``, those of the stock driver ``<image id>-``.
    """
    return prefix.startswith(f'{image}/') or prefix == f'{image}-'


def segment_size(
    number: int, base: int, image_size: int = 0, most: int = MAX_SEGMENTS
) -> int:
    """Bytes in a segment.

    :param number: the segment's number, from 1
    :param base: the configured size, bytes
    :param image_size: bytes in the image; 0 = unknown
    :param most: segments that the image can have
    """
    if image_size:
        return max(base, -(-image_size // most))
    grown = base << ((number - 1) // -(-most // MAX_DOUBLINGS))
    return max(base, min(grown, MAX_OBJECT_SIZE))
