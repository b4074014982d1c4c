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

"""Static Large Objects: their manifests, and what a site allows of them.

Pure. The form of a manifest, and of the answer to it, is that of
swift/common/middleware/slo.py.
"""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import json
from typing import Any

import swiftclient

from glance_store_bufswift import errors
from glance_store_bufswift.swift import answers
from glance_store_bufswift.swift import failures

#: A query that has Swift return the manifest of an SLO itself.
GET_MANIFEST = 'multipart-manifest=get'

#: The limits of a site that does not give them: Swift's defaults; for the size
#: of a manifest, those of its releases before 2.7.
DEFAULT_SEGMENTS, DEFAULT_MANIFEST_SIZE = 1000, 2 << 20

#: The fewest segments for which Swift is asked for signs of life, while it
#: checks each of them, two at a time.
MIN_HEARTBEAT_SEGMENTS = 50

#: The most segments in one message.
MAX_SEGMENTS_SHOWN = 10


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a site allows of SLOs.

    :ivar segments: in a manifest at most
    :ivar manifest: bytes in a manifest at most
    :ivar smallest: bytes in a segment at least, except for the last one
    :ivar heartbeat: whether it can give signs of life
    """

    segments: int = DEFAULT_SEGMENTS
    manifest: int = DEFAULT_MANIFEST_SIZE
    smallest: int = 1
    heartbeat: bool = False


@dataclasses.dataclass(frozen=True)
class ManifestEntry:
    """A segment, as the manifest of an SLO names it.

    :ivar path: container/name
    :ivar size: bytes in it
    :ivar md5: in hex
    """

    path: str
    size: int
    md5: str


def limits(capabilities: Mapping[str, Any]) -> Limits | None:
    """What a site allows, None if it has no SLOs.

    :param capabilities: the site's
    """
    offer = capabilities.get('slo')
    if not isinstance(offer, dict):
        return None

    def number(name: str, default: int) -> int:
        value = offer.get(name)
        return value if isinstance(value, int) and value > 0 else default

    return Limits(
        number('max_manifest_segments', DEFAULT_SEGMENTS),
        number('max_manifest_size', DEFAULT_MANIFEST_SIZE),
        number('min_segment_size', 1),
        'yield_frequency' in offer,
    )


def manifest(segments: Iterable[ManifestEntry]) -> bytes:
    """The manifest of an SLO."""
    return json.dumps(
        [
            {
                'path': f'/{each.path}',
                'etag': each.md5,
                'size_bytes': each.size,
            }
            for each in segments
        ]
    ).encode()


def fitting(allowed: Limits, longest: ManifestEntry) -> int:
    """How many segments fit into a manifest.

    :param longest: the one that takes most room
    """
    each = len(manifest([longest]))
    return min(allowed.segments, allowed.manifest // each)


def stored(status: int, body: bytes) -> None:
    """Make sure that a manifest was stored.

    Asked for signs of life, Swift answers 202 at once; the end of the body has
    the result. A 202 as the result means what it means for any object: Swift
    has one with a later timestamp.

    :param status: of the answer, 2xx
    :param body: of the answer
    :raises ClientException: it was refused
    :raises NotStored: it was not stored, or the answer does not say
    """
    if status != 202:
        return
    result = _read(body)
    line = str(result.get('Response Status', ''))
    number, _, reason = line.partition(' ')
    if not number.isdecimal():
        raise errors.NotStored(
            f'202, but the body has no result: {body.strip()[:100]!r}'
        )
    if number == '202':
        raise errors.NotStored(line)
    if not number.startswith('2'):
        raise swiftclient.ClientException(
            'SLO PUT failed',
            http_status=int(number),
            http_reason=reason,
            http_response_content=body.strip(),
        )


def explained(exc: swiftclient.ClientException) -> Exception:
    """The error for a refusal that names segments; else the refusal itself.

    A segment that was stored, but is not found, can be on a server that does
    not answer now.

    :param exc: swiftclient's exception
    """
    refused = _read(exc.http_response_content or b'').get('Errors')
    problems: list[str] = []
    passing = True
    try:
        for path, why in refused or ():
            problems.append(f'{path}: {why}')
            passing = passing and _may_pass(str(why))
    except (TypeError, ValueError):
        problems.clear()
    return (
        errors.SegmentsRefused(
            f'Swift refuses {len(problems)} of the segments: '
            f'{", ".join(problems[:MAX_SEGMENTS_SHOWN])}',
            passing,
        )
        if problems
        else exc
    )


def _may_pass(why: str) -> bool:
    number = why.partition(' ')[0]
    return number == '404' or (
        number.isdecimal() and failures.may_pass(int(number))
    )


def _read(body: bytes | str) -> Mapping[str, Any]:
    return answers.json_object(
        body.decode('utf-8', 'replace') if isinstance(body, bytes) else body
    )
