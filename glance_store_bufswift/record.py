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

"""A manifest's record of its segments, so that they need not be listed.

Pure. A container's listing can lag behind for minutes, but the upload knows
the size and the MD5 of each segment. Swift keeps 4,096 bytes of metadata with
an object, too few for the MD5s of 9,999 segments. The manifest's body would
have room, but would change the manifest's size in listings. So there are
fingerprints, each the start of an MD5 over the MD5s of a few segments: of one,
as long as the image has no more than MAX_FINGERPRINTS segments.
"""

import base64
import binascii
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import hashlib
import itertools
import re

from glance_store_bufswift import layout

#: The header with the sizes; what those with the fingerprints begin with, a
#: number follows.
SIZES_HEADER = 'x-object-meta-bufswift-sizes'
FINGERPRINTS_HEADER_PREFIX = 'x-object-meta-bufswift-md5s-'

#: Bytes in a fingerprint: a wrong object has the right one with a chance of 1
#: in 2**48.
FINGERPRINT_SIZE = 6

#: Headers of fingerprints, and fingerprints in each: 256 characters in
#: base64, the longest value (max_meta_value_length). With all others the head
#: of an answer stays well below the 4 KiB that nginx takes
#: (proxy_buffer_size).
MAX_FINGERPRINT_HEADERS, FINGERPRINTS_PER_HEADER = 6, 32
MAX_FINGERPRINTS = MAX_FINGERPRINT_HEADERS * FINGERPRINTS_PER_HEADER

#: Characters in the longest value that Swift and compatible sites take by
#: default.
MAX_VALUE = 256

_RUN = re.compile('([1-9][0-9]{0,3})x([1-9][0-9]{0,17})')


@dataclasses.dataclass(frozen=True)
class Record:
    """The segments of an image, in order.

    :ivar dest: where they are, and how they are named
    :ivar sizes: bytes in each
    :ivar fingerprints: of the segments, one after the other
    """

    dest: layout.Layout
    sizes: tuple[int, ...]
    fingerprints: bytes

    @property
    def total(self) -> int:
        """Bytes in the image."""
        return sum(self.sizes)

    def group(self, number: int) -> range:
        """The numbers of the segments that share a segment's fingerprint."""
        width = _width(len(self.sizes))
        first = (number - 1) // width * width + 1
        return range(first, min(first + width, len(self.sizes) + 1))

    def proves(self, number: int, md5s: Sequence[str]) -> bool:
        """Whether these are the MD5s of a segment's group, in hex."""
        place = (number - 1) // _width(len(self.sizes)) * FINGERPRINT_SIZE
        recorded = self.fingerprints[place : place + FINGERPRINT_SIZE]
        return recorded == _fingerprint(md5s)


def headers(sizes: Sequence[int], md5s: Sequence[str]) -> dict[str, str]:
    """The headers that record the segments of a manifest.

    :param sizes: bytes in each
    :param md5s: of each, in hex
    :returns: nothing if that does not fit into a header
    """
    runs = _runs(sizes)
    if len(runs) > MAX_VALUE or not sizes:
        return {}
    width = _width(len(md5s))
    fingerprints = b''.join(
        _fingerprint(md5s[first : first + width])
        for first in range(0, len(md5s), width)
    )
    room = FINGERPRINTS_PER_HEADER * FINGERPRINT_SIZE
    return {SIZES_HEADER: runs} | {
        f'{FINGERPRINTS_HEADER_PREFIX}{number}': base64.b64encode(
            fingerprints[first : first + room]
        ).decode()
        for number, first in enumerate(range(0, len(fingerprints), room), 1)
    }


def read(image: str, manifest: Mapping[str, str]) -> Record | None:
    """The record in a manifest, None if it has none.

    It counts only if all of it agrees: names, number, sizes, fingerprints.

    :param image: the manifest's name
    :param manifest: the manifest's headers
    """
    names = layout.segment_names(image, manifest)
    sizes = _sizes(manifest.get(SIZES_HEADER, ''))
    target = layout.dlo_target(manifest)
    if not names or target is None or len(sizes) != len(names):
        return None
    fingerprints = _fingerprints(manifest)
    count = -(-len(sizes) // _width(len(sizes)))
    if len(fingerprints) != count * FINGERPRINT_SIZE:
        return None
    dest = layout.Layout(target[0], image, manifest[layout.ATTEMPT_HEADER])
    return Record(dest, tuple(sizes), fingerprints)


def _width(count: int) -> int:
    """How many segments share a fingerprint."""
    return max(1, -(-count // MAX_FINGERPRINTS))


def _fingerprint(md5s: Iterable[str]) -> bytes:
    return hashlib.md5(''.join(md5s).encode(), usedforsecurity=False).digest()[
        :FINGERPRINT_SIZE
    ]


def _runs(sizes: Iterable[int]) -> str:
    """Sizes as ``<how many>x<bytes>``, each run of equal ones once."""
    return ' '.join(
        f'{len(list(same))}x{size}' for size, same in itertools.groupby(sizes)
    )


def _sizes(text: str) -> list[int]:
    found: list[int] = []
    for each in text.split():
        run = _RUN.fullmatch(each)
        if not run or len(found) + int(run[1]) > layout.MAX_SEGMENTS:
            return []
        found += [int(run[2])] * int(run[1])
    return found


def _fingerprints(manifest: Mapping[str, str]) -> bytes:
    texts = [
        manifest.get(f'{FINGERPRINTS_HEADER_PREFIX}{number}', '')
        for number in range(1, MAX_FINGERPRINT_HEADERS + 1)
    ]
    try:
        return b''.join(
            base64.b64decode(text, validate=True) for text in texts
        )
    except (binascii.Error, ValueError):
        return b''
