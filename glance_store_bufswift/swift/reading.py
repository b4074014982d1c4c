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

"""Reading an object, also over connections that break."""

from collections.abc import Mapping
import re

from glance_store_bufswift import errors
from glance_store_bufswift.swift import account as swift
from glance_store_bufswift.swift import failure as failures
from glance_store_bufswift.swift import objects
from glance_store_bufswift.swift import retry

#: Bytes read from a socket at a time.
BLOCK = 256 << 10

_CONTENT_RANGE = re.compile(r'bytes (\d+)-(\d+)/(\d+)')


class Reading:
    """A range of an object's bytes, read on from where a connection broke.

    What has the same ETag and size is taken for the same object. The answers
    are compared here: Swift compares an If-Match with the ETag of a DLO's
    manifest, not with the one that it gives for the whole.

    A break is a failed try of the request, and bytes that came are a success
    of it: an answer that breaks again and again is resumed as long as each
    brings something.

    :param account: where the object is
    :param offset: the first byte
    :param size: bytes to read; None = to the object's end
    :param etag: of the object that is wanted; None = whatever is there
    :ivar headers: those of the first answer
    :ivar left: bytes to come; None if Swift does not tell, which is what it
        does for a DLO of 10,000 segments and more
    :raises RequestFailed: the first answer can't be had; with status 416 if
        the object ends before the offset
    """

    def __init__(self, account: swift.Account, container: str, name: str,
                 offset: int = 0, size: int | None = None,
                 etag: str | None = None) -> None:
        self._account = account
        self._object = (container, name)
        self._at = offset
        self._end = None if size is None else offset + size
        self._etag = etag
        self._total: int | None = None
        self._tries = account.tries(f'GET of {container}/{name}')
        self._advanced = False
        self._answer = self._open()
        self.headers = self._answer.headers
        self.left = self._length()

    def read(self, size: int = BLOCK) -> bytes:
        """Some bytes; b'' at the end of the range, and not before.

        :raises RequestFailed: they can't be had
        """
        while self.left:
            try:
                block = self._read(min(size, self.left))
            except Exception as exc:
                self._resume(exc)
                continue
            self._at += len(block)
            self.left -= len(block)
            self._advanced = True
            return block
        return b''

    def close(self) -> None:
        """Close the connection, also with bytes to come."""
        self.left = 0
        self._answer.hang_up()

    def _read(self, size: int) -> bytes:
        block: bytes = self._answer.body.read(size)
        if not block:
            raise errors.Incomplete(
                f'the answer ended {self.left} bytes before its end')
        return block

    def _resume(self, exc: Exception) -> None:
        self._answer.hang_up()
        failure = failures.of_exception(exc)
        if failure is None:
            raise exc
        if self._advanced:
            self._tries = self._account.tries(self._tries.what)
            self._tries.begin(retry.Once())
            self._advanced = False
        if not failure.may_pass or not self._tries.left:
            raise failure.final(self._tries.what, self._tries.made) from exc
        self._tries.back_off(
            f'{failure.reason}, at byte {self._at}', failure.retry_after)
        self._answer = self._open()

    def _open(self) -> objects.Answer:
        """An answer whose next byte is the one that is wanted next."""
        headers = {}
        if self._at or self._end is not None:
            last = '' if self._end is None else self._end - 1
            headers['Range'] = f'bytes={self._at}-{last}'
        return self._account.get(*self._object, headers, self._tries,
                                 self._check)

    def _check(self, answer: objects.Answer) -> None:
        etag = answer.headers.get('etag', '').strip('"') or None
        first, total = _extent(answer.headers)
        if (self._etag or etag) != etag or (self._total or total) != total:
            raise errors.Incomplete(
                f'it is another object now: ETag {etag}, {total} bytes; it '
                f'was ETag {self._etag}, {self._total} bytes')
        if first > self._at:
            raise errors.Incomplete(
                f'the answer begins at byte {first}, not {self._at}')
        self._etag, self._total = etag, total
        if total is None:
            return
        # Not every gateway knows of ranges.
        while first < self._at:
            block = answer.body.read(min(BLOCK, self._at - first))
            if not block:
                raise errors.Incomplete('the answer ended early')
            first += len(block)

    def _length(self) -> int | None:
        if self._total is None:
            return None
        end = self._total if self._end is None else min(
            self._end, self._total)
        self._end = end
        return max(0, end - self._at)


def _extent(headers: Mapping[str, str]) -> tuple[int, int | None]:
    """Where an answer begins in its object, and the object's size."""
    told = _CONTENT_RANGE.match(headers.get('content-range', ''))
    if told:
        return int(told[1]), int(told[3])
    length = headers.get('content-length')
    return 0, int(length) if length is not None else None
