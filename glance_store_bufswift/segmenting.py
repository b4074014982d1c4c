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

"""How an image is cut into segments, and what holds them together."""

import dataclasses

from oslo_log import log as logging

from glance_store_bufswift import layout
from glance_store_bufswift import notices
from glance_store_bufswift import opts
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import slo_manifest

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class SegmentPlan:
    """How one image is to be cut.

    :ivar image_size: bytes in the image; 0 = unknown
    :ivar base: bytes in a segment at first
    :ivar most: segments that its manifest can name
    :ivar limits: those of its manifest if it is an SLO; None for a DLO
    """

    image_size: int
    base: int
    most: int = layout.MAX_SEGMENTS
    limits: slo_manifest.Limits | None = None

    def size(self, number: int) -> int:
        """Bytes in a segment, numbers counting from 1."""
        return layout.segment_size(
            number, self.base, self.image_size, self.most
        )


def plan(
    account: accounts.Account,
    dest: layout.Layout,
    settings: opts.Settings,
    image_size: int,
) -> SegmentPlan:
    """Plan the segments of an image.

    If the site can't store it as an SLO it becomes a DLO.

    :param dest: the attempt to store it
    :param image_size: bytes in the image; 0 = unknown
    """
    dlo = SegmentPlan(image_size, settings.segment_size)
    if settings.manifest == opts.DLO:
        return dlo
    limits = slo_manifest.limits(account.site.capabilities())
    if limits is None:
        notices.warn_once(
            'Swift at %s has no Static Large Objects, or its /info '
            'does not tell: images are stored as Dynamic Large Objects '
            '(swift_buffered_manifest)',
            account.client.url,
        )
        return dlo
    longest = slo_manifest.ManifestEntry(
        f'{dest.container}/{dest.segment(layout.MAX_SEGMENTS)}',
        layout.MAX_OBJECT_SIZE,
        32 * 'f',
    )
    slo = SegmentPlan(
        image_size,
        max(settings.segment_size, limits.smallest),
        min(slo_manifest.fitting(limits, longest), dlo.most),
        limits,
    )
    if slo.most and slo.size(1) <= layout.MAX_OBJECT_SIZE:
        return slo
    warn_too_long(dest.image, slo)
    return dlo


def warn_too_long(image: str, slo: SegmentPlan) -> None:
    """Warn that an image needs more segments than an SLO can have."""
    LOG.warning(
        'Image %(image)s does not fit into the %(most)d segments that '
        'a Static Large Object may have here: it is stored as a '
        'Dynamic one. Raise max_manifest_segments and '
        'max_manifest_size of Swift',
        {'image': image, 'most': slo.most},
    )
