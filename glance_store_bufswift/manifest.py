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

from collections.abc import Mapping
from collections.abc import Sequence
import hashlib
import time

from oslo_log import log as logging

from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.swift import account as swift

LOG = logging.getLogger(__name__)

_EMPTY = hashlib.md5(usedforsecurity=False).hexdigest()

#: Seconds between two looks at whether the image reads back.
FIRST_LOOK, LONGEST_LOOK = 0.1, 1.0


def write(account: swift.Account, where: layout.Layout,
          segments: int) -> None:
    """Write the manifest of an image.

    Without an ETag to check: Ceph RGW answers 422 to one (bug 1824533).
    """
    account.put_empty(where.container, where.image,
                      where.manifest_headers(segments))


def confirm(account: swift.Account, where: layout.Layout,
            md5s: Sequence[str], size: int, timeout: float,
            former: Mapping[str, str] | None = None) -> None:
    """Wait until Swift lists all segments, so that the image reads back.

    For a DLO whose listing is complete a HEAD tells the size of the whole,
    and as its ETag the MD5 of the segments' MD5s
    (swift/common/middleware/dlo.py).

    :param md5s: of the segments in hex, in order
    :param size: bytes in the image
    :param timeout: seconds to wait; 0 = do not look at all
    :param former: headers of what stood there before, None if nothing did
    :raises RequestFailed: another upload has replaced the image
    """
    if not timeout:
        return
    etag = hashlib.md5(
        ''.join(md5s).encode(), usedforsecurity=False).hexdigest()
    until = time.monotonic() + timeout
    pause = FIRST_LOOK
    while not _reads_back(account, where, etag, size, former or {}):
        if time.monotonic() >= until:
            LOG.warning('Image %(image)s is stored, but the listing of '
                        'container %(container)s does not show all of its '
                        'segments after %(timeout)d s. The image can not be '
                        'read until it does.',
                        {'image': where.image, 'timeout': timeout,
                         'container': where.container})
            return
        account.pause(pause)
        pause = min(2 * pause, LONGEST_LOOK)


def _reads_back(account: swift.Account, where: layout.Layout, etag: str,
                size: int, former: Mapping[str, str]) -> bool:
    try:
        headers = account.head(where.container, where.image)
    except errors.RequestFailed as exc:
        LOG.warning('%s', exc)
        return False
    if headers is None:
        return False
    if not where.wrote(headers):
        if former and headers.get('x-timestamp') == former.get('x-timestamp'):
            return False  # a replica that has not heard of the manifest yet
        raise errors.RequestFailed(
            f'Image {where.image} was replaced by another upload of it')
    # Some gateways give a DLO no ETag, or the empty manifest's own.
    return (headers.get('content-length') == str(size)
            and headers.get('etag', etag).strip('"') in (etag, _EMPTY))
