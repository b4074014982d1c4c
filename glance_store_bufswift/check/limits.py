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

"""What Swift's limits mean for the segments: pure."""

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding
from glance_store_bufswift import layout
from glance_store_bufswift import opts
from glance_store_bufswift.swift import slo_manifest

SUBJECT = 'limits'

#: A limit that only Ceph RGW calls so; Swift has max_object_name_length
#: (src/rgw/rgw_rest_swift.cc, list_swift_data(); swift/proxy/server.py).
RGW_ONLY = 'max_object_name_size'

_SIZE_OPTION = 'swift_store_large_object_chunk_size'


def findings(
    capabilities: Mapping[str, Any], settings: opts.Settings
) -> Iterator[Finding]:
    """Check the segment size against what Swift says about itself.

    :param capabilities: the site's; empty if it does not tell
    """
    swift = capabilities.get('swift') or {}
    if capabilities:
        yield _file_size(swift, settings.segment_size)
    limits = slo_manifest.limits(capabilities)
    if settings.manifest == opts.SLO:
        yield _slo(limits, settings.segment_size)
        if limits is not None:
            return
    if capabilities:
        yield _dlo(swift, settings.segment_size)
    yield _download_rate(swift, settings.segment_size)


def _slo(limits: slo_manifest.Limits | None, segment_size: int) -> Finding:
    """Whether images can be Static Large Objects, and how large ones."""
    if limits is None:
        return finding.warning(
            SUBJECT,
            'Swift has no Static Large Objects, or does not tell: '
            'images are stored as Dynamic ones',
            'put the filter slo into the '
            "proxy's pipeline, or set swift_buffered_manifest = dlo",
        )
    if limits.smallest > segment_size:
        return finding.warning(
            SUBJECT,
            f'a segment of a Static Large Object has at least '
            f'{finding.size(limits.smallest)}, a configured one '
            f'{finding.size(segment_size)}: segments become larger',
            f'set {_SIZE_OPTION} to at least '
            f'{-(-limits.smallest // opts.UPSTREAM_MB)}',
        )
    return finding.ok(
        SUBJECT,
        f'a Static Large Object has up to {limits.segments} '
        'segments: those of images above '
        f'{finding.size(limits.segments * segment_size)} become larger',
    )


def _file_size(swift: Mapping[str, Any], segment_size: int) -> Finding:
    option = (
        'rgw_max_put_size of Ceph'
        if RGW_ONLY in swift
        else 'max_file_size of Swift'
    )
    largest = swift.get('max_file_size')
    if largest is None:
        return finding.warning(
            SUBJECT,
            'Swift does not tell the size of its largest object',
            f'compare it with {_SIZE_OPTION} yourself',
        )
    text = (
        f'a segment has {finding.size(segment_size)}, an object may '
        f'have {finding.size(largest)}'
    )
    if segment_size > largest:
        return finding.error(
            SUBJECT,
            text,
            f'set {_SIZE_OPTION} to at most {largest // opts.UPSTREAM_MB}',
        )
    grown = layout.segment_size(layout.MAX_SEGMENTS, segment_size)
    if grown > largest:
        return finding.warning(
            SUBJECT,
            f'{text}, but segments of images of unknown size grow '
            f'up to {finding.size(grown)}',
            f'raise {option}',
        )
    return finding.ok(SUBJECT, text)


def _dlo(swift: Mapping[str, Any], segment_size: int) -> Finding:
    """Whether Swift gives the longest images a length.

    Swift's dlo middleware gives an object whose segments fill a page of the
    listing neither length nor ETag, and serves no ranges of it.
    """
    page = swift.get('container_listing_limit')
    if page is None:
        return finding.warning(
            SUBJECT,
            'Swift does not tell container_listing_limit',
            f'an image of that many segments has no length; keep '
            f'{_SIZE_OPTION} large',
        )
    whole = (page - 1) * segment_size
    text = (
        f'images up to {finding.size(whole)} have fewer segments than '
        f'the {page} of a listing (container_listing_limit)'
    )
    if page > layout.MAX_SEGMENTS:
        return finding.ok(SUBJECT, text)
    return finding.warning(
        SUBJECT,
        f'{text}; a larger one has no length, no ETag and no ranges',
        f'set {_SIZE_OPTION} to a tenth of a percent of your largest image, '
        'or raise container_listing_limit of Swift',
    )


def _download_rate(swift: Mapping[str, Any], segment_size: int) -> Finding:
    """Swift's dlo middleware slows down after the first ten segments.

    /info does not have rate_limit_segments_per_sec; its default is 1. This
    driver reads each segment by itself, which is not slowed down. Ceph RGW has
    no such limit.
    """
    if RGW_ONLY in swift:
        return finding.ok(
            'download rate',
            'Ceph RGW serves the segments of an image one '
            'after the other without a limit',
        )
    return finding.ok(
        'download rate',
        'downloads by this driver have no limit; to clients '
        "and to the stock driver, Swift's filter dlo gives by its default "
        f'{finding.size(segment_size)} a second of an image, one segment, '
        'after the first ten',
    )
