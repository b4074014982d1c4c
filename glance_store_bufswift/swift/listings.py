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

"""What a container lists, and the manifest of an SLO."""

from collections.abc import Mapping
import dataclasses
import datetime
import json
from typing import Any


@dataclasses.dataclass(frozen=True)
class Entry:
    """An object as its container lists it.

    :ivar name: the object's name
    :ivar size: bytes; those of a DLO or SLO manifest are its own
    :ivar modified: when it was stored, with time zone; None if the site
        gives no date that can be read
    :ivar content_type: media type
    :ivar etag: of the object, None if it is not told
    """

    name: str
    size: int = 0
    modified: datetime.datetime | None = None
    content_type: str = ''
    etag: str | None = None


def entry(listed: Mapping[str, Any]) -> Entry:
    """Read an entry of a listing in JSON."""
    return Entry(
        listed['name'], int(listed.get('bytes') or 0),
        _moment(listed.get('last_modified') or ''),
        listed.get('content_type') or '', listed.get('hash') or None)


def _moment(text: str) -> datetime.datetime | None:
    """Read a date of a listing: UTC, with or without a Z at its end.

    Swift has no Z (swift/common/middleware/listing_formats.py), Ceph RGW
    does.
    """
    try:
        moment = datetime.datetime.fromisoformat(text.removesuffix('Z'))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment


def static_segments(manifest: bytes,
                    nested: bool = True) -> list[tuple[str, str]]:
    """Container and name of what the manifest of an SLO lists.

    :param nested: whether to tell of SLOs among them
    :param manifest: what ``multipart-manifest=get`` gives
        (swift/common/middleware/slo.py)
    :raises json.JSONDecodeError: it is none
    """
    return [(container, name) for each in json.loads(manifest)
            if each.get('name') and (nested or not each.get('sub_slo'))
            for container, _, name
            in [each['name'].lstrip('/').partition('/')]]
