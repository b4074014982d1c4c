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

"""Making sure that an image is whole, once its manifest is written."""

from collections.abc import Mapping
from collections.abc import Sequence
import hashlib
import time

from oslo_log import log as logging

from glance_store_bufswift import errors
from glance_store_bufswift import former
from glance_store_bufswift import layout
from glance_store_bufswift import manifest
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import answers
from glance_store_bufswift import workers

LOG = logging.getLogger(__name__)

#: Seconds between the first two looks whether the image reads back; doubled
#: each time, up to the second number.
FIRST_PAUSE, MAX_PAUSE = 0.1, 1.0


class Confirmation:
    """Makes sure that an image is whole, once its manifest is written.

    For a DLO whose listing is complete, a HEAD gives the size of the whole,
    and the MD5 of the segments' MD5s as its ETag
    (swift/common/middleware/dlo.py). A segment missing from the listing is not
    listed yet, or gone: only a HEAD of the segment shows which. For an SLO,
    whose segments Swift has checked, a HEAD gives the same at once.

    :param account: where the image is
    :param dest: the attempt
    :param segments: those of the image, in order
    :param former: what was there before
    :param slo: whether it is an SLO
    """

    def __init__(
        self,
        account: accounts.Account,
        dest: layout.Layout,
        segments: Sequence[manifest.StoredSegment],
        former: former.FormerImages,
        slo: bool,
    ) -> None:
        self._account = account
        self._dest = dest
        self._segments = segments
        self._former = former
        self._slo = slo
        self._size = sum(each.size for each in segments)
        self._etag = hashlib.md5(
            ''.join(each.md5 for each in segments).encode(),
            usedforsecurity=False,
        ).hexdigest()
        self._gone = False
        self._seen: dict[str, str] | None = None

    def run(self, timeout: float, ask_all: bool) -> Mapping[str, str] | None:
        """Wait until the image reads back; then check what is in doubt.

        :param timeout: seconds to wait; 0 = look once
        :param ask_all: whether to ask for each segment in any case
        :returns: headers of the image, None if it was not seen
        :raises Replaced: another upload has replaced the image
        :raises RequestFailed: a part of it is gone, or may be
        """
        listed = self._wait(timeout)
        if self._gone and self._found(self._dest.image) is None:
            raise errors.RequestFailed(
                f'The manifest of image {self._dest.image} was stored, but '
                'is gone'
            )
        if ask_all or not listed:
            self._ask_for_each()
        if not listed and not self._slo:
            LOG.warning(
                'Image %(image)s is stored, but the listing of '
                'container %(container)s does not show all of its '
                'segments after %(timeout)d s. Clients and the swift '
                'driver can not read the image until it does.',
                {
                    'image': self._dest.image,
                    'timeout': timeout,
                    'container': self._dest.container,
                },
            )
        return self._seen

    def _wait(self, timeout: float) -> bool:
        until = time.monotonic() + timeout
        pause = FIRST_PAUSE
        while not self._reads_back():
            if time.monotonic() >= until:
                return False
            self._account.client.pause(pause)
            pause = min(2 * pause, MAX_PAUSE)
        return True

    def _reads_back(self) -> bool:
        try:
            headers = self._former.own(self._account)
        except errors.Replaced:
            raise
        except errors.RequestFailed as exc:
            LOG.warning('%s', exc)
            return False
        self._gone = headers is None
        if headers is None:
            return False
        self._seen = headers
        if self._slo and not layout.is_slo(headers):
            raise errors.RequestFailed(
                f'Swift has stored the manifest of image {self._dest.image} '
                'as it stores any object: see that the filter slo is in each '
                "proxy's pipeline, or set swift_buffered_manifest = dlo"
            )
        # Some gateways give a DLO no ETag, or the empty manifest's own.
        return headers.get('content-length') == str(
            self._size
        ) and headers.get('etag', self._etag).strip('"') in (
            self._etag,
            answers.EMPTY_MD5,
        )

    def _ask_for_each(self) -> None:
        """Ask for each segment.

        :raises RequestFailed: one is gone, or could not be asked for
        """
        names = (
            self._dest.segment(number)
            for number in range(1, len(self._segments) + 1)
        )
        for (name, sent), headers in workers.each(
            lambda each: self._found(each[0]),
            zip(names, self._segments, strict=True),
        ):
            if headers is None:
                raise errors.RequestFailed(
                    f'Segment {self._dest.container}/{name} was stored, but '
                    'is gone'
                )
            size = headers.get('content-length')
            etag = headers.get('etag', sent.md5).strip('"')
            if (size, etag) != (str(sent.size), sent.md5):
                raise errors.RequestFailed(
                    f'Segment {self._dest.container}/{name} is another '
                    f'object now: {size} bytes with ETag {etag}, not '
                    f'{sent.size} with {sent.md5}'
                )

    def _found(self, name: str) -> dict[str, str] | None:
        """The headers of an object, None if it is missing at each try."""
        tries = self._account.client.tries(
            f'HEAD of {self._dest.container}/{name}'
        )
        while True:
            tries.begin()
            headers = self._account.objects.head(self._dest.container, name)
            if headers is not None or not tries.left:
                return headers
            tries.wait('404 Not Found')
