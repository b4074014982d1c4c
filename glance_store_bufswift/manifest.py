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

"""The manifest that makes an image of its segments."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import functools

from oslo_log import log as logging

from glance_store_bufswift import errors
from glance_store_bufswift import former
from glance_store_bufswift import layout
from glance_store_bufswift import record
from glance_store_bufswift import segmenting
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import slo_manifest

LOG = logging.getLogger(__name__)

#: Statuses for a condition that is not met, or not supported by a gateway.
CONDITION_UNMET = (400, 412, 501)

#: Statuses of Swift, or a proxy, for more metadata than it takes.
METADATA_REFUSED = (400, 413, 414, 431)

#: Statuses of sites that take no SLO manifest, or not this one.
SLO_REFUSED = (400, 405, 413, 501)


@dataclasses.dataclass(frozen=True)
class StoredSegment:
    """A segment that Swift has: bytes in it, and their MD5 in hex."""

    size: int
    md5: str


def write(
    account: accounts.Account,
    dest: layout.Layout,
    segments: Sequence[StoredSegment],
    plan: segmenting.SegmentPlan,
    former: former.FormerImages,
) -> bool:
    """Write the manifest of an image.

    :param segments: those of the image, in order
    :param former: what was there so far
    :returns: whether it is that of an SLO
    """
    if plan.limits is not None:
        if len(segments) > plan.most:
            segmenting.warn_too_long(dest.image, plan)
        elif _write_slo(account, dest, segments, plan.limits, former):
            return True
    _write_dlo(account, dest, segments, former)
    return False


def _write_slo(
    account: accounts.Account,
    dest: layout.Layout,
    segments: Sequence[StoredSegment],
    limits: slo_manifest.Limits,
    former: former.FormerImages,
) -> bool:
    """Write the manifest of an SLO; returns whether the site takes it."""
    entries = [
        slo_manifest.ManifestEntry(
            f'{dest.container}/{dest.segment(number)}', each.size, each.md5
        )
        for number, each in enumerate(segments, 1)
    ]
    put = functools.partial(
        account.slos.put,
        dest.container,
        dest.image,
        entries,
        limits.heartbeat
        and len(entries) >= slo_manifest.MIN_HEARTBEAT_SEGMENTS,
    )
    try:
        _write(account, put, dest.slo_headers(len(segments)), former)
        return True
    except errors.RequestFailed as exc:
        if exc.status is None and former.look(account):
            return True  # its answers were lost
        if exc.status not in SLO_REFUSED:
            raise
        why = exc
    LOG.warning(
        'Image %(image)s can not become a Static Large Object, and '
        'is stored as a Dynamic one: %(why)s',
        {'image': dest.image, 'why': why},
    )
    return False


def _write_dlo(
    account: accounts.Account,
    dest: layout.Layout,
    segments: Sequence[StoredSegment],
    former: former.FormerImages,
) -> None:
    """Write the manifest of a DLO, with the record of its segments.

    It sends no ETag to check: Ceph RGW answers 422 to one (bug 1824533).
    """
    put = functools.partial(
        account.objects.put_empty, dest.container, dest.image
    )
    short = dest.dlo_headers(len(segments))
    more = record.headers(
        [each.size for each in segments], [each.md5 for each in segments]
    )
    try:
        _write(account, put, short | more, former)
    except errors.RequestFailed as exc:
        if not more or exc.status not in METADATA_REFUSED:
            raise
        _write(account, put, short, former)
        LOG.warning(
            'Swift does not take all that the manifest of image '
            '%(image)s is to tell: %(why)s. Reading the image depends '
            'on the listing of its container; raise max_meta_count '
            'and max_meta_overall_size of Swift, or what a proxy '
            'takes for headers',
            {'image': dest.image, 'why': exc},
        )


def _write(
    account: accounts.Account,
    put: Callable[..., None],
    headers: Mapping[str, str],
    former: former.FormerImages,
) -> None:
    """Write a manifest with these headers.

    If nothing was there so far, it is written on condition that nothing is
    there still: an object that came meanwhile has to be known before it is
    replaced. Ceph RGW ignores the condition. If something is there, it is
    looked at once more right before.

    :param put: gets headers, and a call that returns whether an earlier try
        stored it
    """
    if not former.found_any:
        try:
            put({**headers, 'If-None-Match': '*'})
        except errors.RequestFailed as exc:
            if exc.status not in CONDITION_UNMET:
                raise
        else:
            return

    def is_stored() -> bool:
        return former.look(account)

    if not is_stored():  # or its answer was lost
        put(headers, is_stored)
