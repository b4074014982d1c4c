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

"""Finding out what an image is stored as, and how to read it.

A manifest is asked for itself, so that Swift lists no segments; any other
object comes as always. So one request shows which of them it is, and is enough
for an image of one object.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses

from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.reader import listed
from glance_store_bufswift.reader import parts
from glance_store_bufswift import record
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import answers
from glance_store_bufswift.swift import listings
from glance_store_bufswift.swift import reading
from glance_store_bufswift.swift import slo_manifest

#: Bytes up to which an object is read over one connection: others would hardly
#: begin before it ends.
ONE_CONNECTION_SIZE = 4 * parts.MAX_PIECE


@dataclasses.dataclass(frozen=True)
class Found:
    """What is read of an image, and how.

    :ivar size: bytes in all of it
    :ivar stretches: what is read of each part, in order
    :ivar opened: open already at the first of them; all that is read if there
        are none
    """

    size: int
    stretches: Sequence[parts.Range] = ()
    opened: reading.ObjectReader | None = None


def whole(account: accounts.Account, container: str, image: str) -> Found:
    """Find all of an image.

    :raises NoImage: there is none
    :raises RequestFailed: it can't be read
    """
    opened = _open(account, container, image, query=slo_manifest.GET_MANIFEST)
    headers = opened.headers
    if layout.dlo_target(headers) is not None:
        opened.close()
        return _within(segments(account, (container, image), headers), 0, None)
    if _may_be_slo(headers, opened.left):
        named = _slo_segments(opened)
        return (
            _within(named, 0, None)
            if named
            else _over_one_connection(_open(account, container, image))
        )
    etag = answers.md5_of(headers)
    if (
        opened.left is None
        or opened.left <= ONE_CONNECTION_SIZE
        or etag is None
    ):
        return _over_one_connection(opened)
    part = parts.Part(container, image, opened.left, etag)
    return Found(opened.left, [parts.Range(part, 0, part.size)], opened)


def ranged(
    account: accounts.Account,
    container: str,
    image: str,
    offset: int,
    size: int | None,
) -> Found:
    """Find a range of an image.

    :param offset: the first byte
    :param size: bytes to read, fewer if the image ends; None = to its end
    :raises NoImage: there is none
    :raises RequestFailed: it can't be read; with status 416 if it ends before
        the offset
    """
    headers = _look(account, container, image)
    if layout.dlo_target(headers) is not None:
        return _within(
            segments(account, (container, image), headers), offset, size
        )
    total, etag = answers.length(headers), answers.md5_of(headers)
    if _may_be_slo(headers, total):
        named = _slo_segments(
            _open(account, container, image, query=slo_manifest.GET_MANIFEST)
        )
        if named:
            return _within(named, offset, size)
    if (
        _may_be_slo(headers, total)
        or total is None
        or etag is None
        or min(total - offset, size or total) <= ONE_CONNECTION_SIZE
    ):
        return _over_one_connection(
            _open(account, container, image, offset, size)
        )
    part = parts.Part(container, image, total, etag)
    return _within([part], offset, size)


def size_of(account: accounts.Account, container: str, image: str) -> int:
    """The bytes in an image.

    :raises NoImage: there is none
    :raises RequestFailed: Swift does not say
    """
    headers = _look(account, container, image)
    if layout.dlo_target(headers) is not None:
        return sum(
            each.size
            for each in segments(account, (container, image), headers)
        )
    size = answers.length(headers)
    if _may_be_slo(headers, size):
        size = answers.length(_look(account, container, image, None))
    return (
        reading.size_by_get(account, container, image)
        if size is None
        else size
    )


def segments(
    account: accounts.Account,
    home: tuple[str, str],
    headers: Mapping[str, str],
) -> list[parts.Part]:
    """The segments of a DLO: those of its record, else those listed.

    :param home: the manifest's container and name
    :param headers: the manifest's
    :raises RequestFailed: the listing does not show all of them
    """
    recorded = record.read(home[1], headers)
    if recorded is not None:
        return parts.of_record(recorded)
    return listed.segments(account, home, headers)


def _look(
    account: accounts.Account,
    container: str,
    image: str,
    query: str | None = slo_manifest.GET_MANIFEST,
) -> dict[str, str]:
    """The headers of an image's object."""
    headers = account.objects.head(container, image, query=query)
    if headers is None:
        raise errors.NoImage(container, image)
    return headers


def _slo_segments(opened: reading.ObjectReader) -> list[parts.Part]:
    """The segments that the manifest of an SLO names.

    :param opened: the manifest, not read yet; closed at the end
    :returns: none if it does not name them, or has more than whole objects
    """
    try:
        entries = listings.slo_entries(listings.manifest_of(opened.read))
    except errors.Unreadable:
        entries = None
    finally:
        opened.close()
    return parts.of_manifest(entries or ())


def _may_be_slo(headers: Mapping[str, str], size: int | None) -> bool:
    """Whether an object, asked for as it is, can be an SLO's manifest.

    Ceph RGW 16.2 returns no bytes of one, and does not say that it is one.

    :param size: bytes in it; None if not known
    """
    return layout.is_slo(headers) or (
        size == 0
        and (
            layout.ATTEMPT_HEADER not in headers
            or layout.SEGMENTS_HEADER in headers
        )
    )


def _open(
    account: accounts.Account,
    container: str,
    image: str,
    offset: int = 0,
    size: int | None = None,
    query: str | None = None,
) -> reading.ObjectReader:
    try:
        return reading.ObjectReader(
            account, container, image, offset, size, query=query
        )
    except errors.RequestFailed as exc:
        if exc.status == 404:
            raise errors.NoImage(container, image) from exc
        raise


def _over_one_connection(opened: reading.ObjectReader) -> Found:
    """An image that is read over one connection."""
    if opened.left is None:
        opened.close()
        raise errors.RequestFailed("Swift does not tell the image's size")
    return Found(opened.left, opened=opened)


def _within(found: list[parts.Part], offset: int, size: int | None) -> Found:
    total = sum(each.size for each in found)
    if offset and offset >= total:
        raise errors.RequestFailed(
            f'The image ends after {total} bytes', status=416
        )
    stretches = list(parts.within(found, offset, size))
    return Found(sum(each.size for each in stretches), stretches)
