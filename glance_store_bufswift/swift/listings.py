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

"""What a container lists, and the manifest of an SLO: pure.

Gateways and proxies also answer 200 with bodies of their own: nothing about
the JSON is taken for granted.
"""

from collections.abc import Callable
import dataclasses
import datetime
import json
from typing import Any

from glance_store_bufswift import errors
from glance_store_bufswift.swift import answers

#: Bytes of the manifest of an SLO at most: Swift's own limit is 8 MiB
#: (max_manifest_size), but an answer that is no manifest can be the whole
#: image.
MAX_MANIFEST = 64 << 20


@dataclasses.dataclass(frozen=True)
class Entry:
    """An object, or a container, as it is listed.

    :ivar name: its name
    :ivar size: bytes; those of a DLO or SLO manifest are its own; 0 if not
        listed
    :ivar modified: when it was stored, with time zone; None if the site
        gives no date that can be read
    :ivar content_type: media type
    :ivar etag: of the object, None if not listed
    :ivar sized: whether the size was listed
    """

    name: str
    size: int = 0
    modified: datetime.datetime | None = None
    content_type: str = ''
    etag: str | None = None
    sized: bool = True


def entries(listed: Any) -> list[Entry]:
    """Read a page of a listing in JSON.

    :param listed: the JSON
    :raises Unreadable: it is no list of entries
    """
    if not isinstance(listed, list):
        raise errors.Unreadable(f'no list: {_shown(listed)}')
    return [entry(each) for each in listed]


def entry(listed: Any) -> Entry:
    """Read an entry of a listing in JSON.

    :raises Unreadable: it has no name, or its size is no number
    """
    if not isinstance(listed, dict) or not _text(listed.get('name')):
        raise errors.Unreadable(
            f'an entry of a listing without a name: {_shown(listed)}'
        )
    count = listed.get('bytes')
    size = answers.number({'bytes': str(count)}, 'bytes')
    if size is None and count is not None:
        raise errors.Unreadable(
            f'an entry of a listing whose size is none: {_shown(listed)}'
        )
    return Entry(
        listed['name'],
        size or 0,
        _moment(_text(listed.get('last_modified'))),
        _text(listed.get('content_type')),
        _text(listed.get('hash')) or None,
        sized=size is not None,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ''


def _shown(value: Any) -> str:
    """The beginning of a wrong answer, for a message."""
    return repr(value)[:100]


def _moment(text: str) -> datetime.datetime | None:
    """Read a date of a listing: UTC, with or without a Z at its end.

    Swift writes no Z (swift/common/middleware/listing_formats.py), Ceph RGW
    does.
    """
    try:
        moment = datetime.datetime.fromisoformat(text.removesuffix('Z'))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment


def manifest_of(read: Callable[[int], bytes]) -> bytes:
    """Read an answer that ought to be the manifest of an SLO.

    :raises NoContent: it is empty, or too long for one
    """
    manifest = b''
    while block := read(MAX_MANIFEST + 1 - len(manifest)):
        manifest += block
    if not manifest.strip():
        raise errors.NoContent('the manifest of the SLO is empty')
    if len(manifest) > MAX_MANIFEST:
        raise errors.NoContent(
            f'no manifest of an SLO: above {MAX_MANIFEST} bytes'
        )
    return manifest


def slo_segments(
    manifest: bytes, nested: bool = True
) -> list[tuple[str, str]]:
    """Container and name of what the manifest of an SLO lists.

    :param manifest: what ``multipart-manifest=get`` gives
        (swift/common/middleware/slo.py)
    :param nested: whether to include SLOs among them
    :raises Unreadable: it is no manifest
    """
    found = [(_place(each), each) for each in _slo_list(manifest)]
    return [
        place
        for place, each in found
        if place and (nested or not each.get('sub_slo'))
    ]


def slo_entries(manifest: bytes) -> list[Entry] | None:
    """What an SLO is made of, each with container/name, size and ETag.

    :returns: None if it is made of more than whole objects: ranges of them,
        other SLOs, data in the manifest itself
    :raises Unreadable: it is no manifest
    """
    found = _slo_list(manifest)
    if any(
        not _place(each) or each.get('sub_slo') or each.get('range')
        for each in found
    ):
        return None
    entries = [
        Entry(
            '/'.join(_place(each) or ()),
            answers.number({'bytes': str(each.get('bytes'))}, 'bytes') or 0,
            etag=_text(each.get('hash')) or None,
        )
        for each in found
    ]
    return (
        entries if all(each.size and each.etag for each in entries) else (None)
    )


def _slo_list(manifest: bytes) -> list[dict[str, Any]]:
    """The entries of an SLO's manifest."""
    try:
        listed = json.loads(manifest)
    except (ValueError, RecursionError) as exc:
        raise errors.Unreadable(
            f'no manifest of an SLO, but {manifest[:100]!r}'
        ) from exc
    if not isinstance(listed, list):
        raise errors.Unreadable(f'no manifest of an SLO: {_shown(listed)}')
    for each in listed:
        if (
            not isinstance(each, dict)
            or _place(each) is None
            and ('data' not in each or 'name' in each)
        ):
            raise errors.Unreadable(
                f'a segment of an SLO without a name: {_shown(each)}'
            )
    return listed


def _place(listed: dict[str, Any]) -> tuple[str, str] | None:
    """Container and name of a segment; None for data in the manifest."""
    container, _, name = _text(listed.get('name')).lstrip('/').partition('/')
    return (container, name) if container and name else None
