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
import dataclasses
import hashlib
import time

from oslo_log import log as logging

from glance_store_bufswift import errors
from glance_store_bufswift import former
from glance_store_bufswift import layout
from glance_store_bufswift import record
from glance_store_bufswift.swift import account as swift
from glance_store_bufswift import workers

LOG = logging.getLogger(__name__)

_EMPTY = hashlib.md5(usedforsecurity=False).hexdigest()

#: Seconds between two looks at whether the image reads back.
FIRST_LOOK, LONGEST_LOOK = 0.1, 1.0

#: Answers to a condition: it is not met, or is more than a gateway can.
CONDITION_FAILED = (400, 412, 501)

#: What Swift, or a proxy, answers to more metadata than it takes.
TOO_MUCH = (400, 413, 414, 431)


@dataclasses.dataclass(frozen=True)
class Segment:
    """A segment as it was sent: bytes in it, and their MD5 in hex."""

    size: int
    md5: str


def write(account: swift.Account, where: layout.Layout,
          segments: Sequence[Segment], before: former.Former) -> None:
    """Write the manifest of an image, with the record of its segments.

    :param segments: those of the image, in order
    :param before: what stood there so far
    """
    short = where.manifest_headers(len(segments))
    more = record.headers([each.size for each in segments],
                          [each.md5 for each in segments])
    try:
        _write(account, where, short | more, before)
    except errors.RequestFailed as exc:
        if not more or exc.status not in TOO_MUCH:
            raise
        _write(account, where, short, before)
        LOG.warning('Swift does not take all that the manifest of image '
                    '%(image)s is to tell: %(why)s. Reading the image depends '
                    'on the listing of its container; raise max_meta_count '
                    'and max_meta_overall_size of Swift, or what a proxy '
                    'takes for headers',
                    {'image': where.image, 'why': exc})


def _write(account: swift.Account, where: layout.Layout,
           headers: Mapping[str, str], before: former.Former) -> None:
    """Write it with these headers.

    Without an ETag to check: Ceph RGW answers 422 to one (bug 1824533).

    Where nothing stood so far it is written on condition that this is so
    still: what came meanwhile is to be known before it is replaced. Ceph RGW
    does not heed the condition. Something that stands there is looked at once
    more right before.
    """
    if not before:
        try:
            account.put_empty(where.container, where.image,
                              {**headers, 'If-None-Match': '*'})
        except errors.RequestFailed as exc:
            if exc.status not in CONDITION_FAILED:
                raise
        else:
            return

    def stands() -> bool:
        return before.look(account)
    if not stands():  # or its answer was lost
        account.put_empty(where.container, where.image, headers, stands)


class Confirmation:
    """Makes sure that an image is whole, once its manifest is written.

    For a DLO whose listing is complete a HEAD tells the size of the whole,
    and as its ETag the MD5 of the segments' MD5s
    (swift/common/middleware/dlo.py). What the listing does not show is not
    listed yet, or gone: only the segment itself can tell.

    :param account: where the image is
    :param where: the attempt
    :param segments: those of the image, in order
    :param before: what stood there before
    """

    def __init__(self, account: swift.Account, where: layout.Layout,
                 segments: Sequence[Segment],
                 before: former.Former) -> None:
        self._account = account
        self._where = where
        self._segments = segments
        self._before = before
        self._size = sum(each.size for each in segments)
        self._etag = hashlib.md5(
            ''.join(each.md5 for each in segments).encode(),
            usedforsecurity=False).hexdigest()
        self._gone = False
        self._seen: dict[str, str] | None = None

    def run(self, timeout: float,
            each: bool) -> Mapping[str, str] | None:
        """Wait until the image reads back; then ask for what is in doubt.

        :param timeout: seconds to wait; 0 = look once
        :param each: whether to ask for each segment in any case
        :returns: headers of the image, None if it was not seen
        :raises Replaced: another upload has replaced the image
        :raises RequestFailed: something of it is gone, or may be
        """
        listed = self._wait(timeout)
        if self._gone and self._found(self._where.image) is None:
            raise errors.RequestFailed(
                f'The manifest of image {self._where.image} was stored, but '
                'is gone')
        if each or not listed:
            self._ask_for_each()
        if not listed:
            LOG.warning('Image %(image)s is stored, but the listing of '
                        'container %(container)s does not show all of its '
                        'segments after %(timeout)d s. Clients and the swift '
                        'driver can not read the image until it does.',
                        {'image': self._where.image, 'timeout': timeout,
                         'container': self._where.container})
        return self._seen

    def _wait(self, timeout: float) -> bool:
        until = time.monotonic() + timeout
        pause = FIRST_LOOK
        while not self._reads_back():
            if time.monotonic() >= until:
                return False
            self._account.pause(pause)
            pause = min(2 * pause, LONGEST_LOOK)
        return True

    def _reads_back(self) -> bool:
        try:
            headers = self._before.stands(self._account)
        except errors.Replaced:
            raise
        except errors.RequestFailed as exc:
            LOG.warning('%s', exc)
            return False
        self._gone = headers is None
        if headers is None:
            return False
        self._seen = headers
        # Some gateways give a DLO no ETag, or the empty manifest's own.
        return (headers.get('content-length') == str(self._size)
                and headers.get('etag', self._etag).strip('"') in (
                    self._etag, _EMPTY))

    def _ask_for_each(self) -> None:
        """Ask for each segment.

        :raises RequestFailed: one is gone, or could not be asked for
        """
        names = (self._where.segment(number)
                 for number in range(1, len(self._segments) + 1))
        for (name, sent), headers in workers.each(
                lambda each: self._found(each[0]),
                zip(names, self._segments, strict=True)):
            if headers is None:
                raise errors.RequestFailed(
                    f'Segment {self._where.container}/{name} was stored, but '
                    'is gone')
            size = headers.get('content-length')
            etag = headers.get('etag', sent.md5).strip('"')
            if (size, etag) != (str(sent.size), sent.md5):
                raise errors.RequestFailed(
                    f'Segment {self._where.container}/{name} is another '
                    f'object now: {size} bytes with ETag {etag}, not '
                    f'{sent.size} with {sent.md5}')

    def _found(self, name: str) -> dict[str, str] | None:
        """The headers of an object, None if it lasts that there is none."""
        tries = self._account.tries(f'HEAD of {self._where.container}/{name}')
        while True:
            tries.begin()
            headers = self._account.head(self._where.container, name)
            if headers is not None or not tries.left:
                return headers
            tries.wait('404 Not Found')
