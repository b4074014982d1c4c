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

"""What distinguishes an object while it is read: pure.

Each answer to a GET or HEAD of it is compared with the answers before.
"""

from collections.abc import Callable
from collections.abc import Mapping

from glance_store_bufswift import errors
from glance_store_bufswift.swift import answers


class Identity:
    """What is known of an object, to tell it from another one of its name.

    :param etag: its ETag; None = any
    :param total: bytes in it; None = any
    :param proves: returns whether an ETag is the object's, None = any is
    :ivar encoding: its Content-Encoding, '' if it has none
    """

    def __init__(
        self,
        etag: str | None = None,
        total: int | None = None,
        proves: Callable[[str], bool] | None = None,
    ) -> None:
        self.total = total
        self.encoding = ''
        self._etag = _etag({'etag': etag or ''})
        self._proves = proves
        # When it was written. A POST changes that, so the ETag counts first.
        self._written: str | None = None
        self._seen = False

    def compare(self, headers: Mapping[str, str]) -> None:
        """Make sure that an answer is about this object.

        :raises Incomplete: it is about another one, or does not say
        :raises Unsized: it does not say, but another answer may
        """
        etag, written = _etag(headers), _written(headers)
        same = (
            f'ETag {etag}, written {written}; before: ETag {self._etag}, '
            f'written {self._written}'
        )
        dated = written is not None and written == self._written
        if etag and self._proves and not self._proves(etag):
            raise errors.Incomplete(
                f'it is another object than was stored (ETag {etag})'
            )
        if not etag and not self._seen and (self._etag or self._proves):
            raise errors.Unsized(
                'nothing tells that it is the object that '
                'was stored; does a proxy remove ETags?'
            )
        if self._etag and etag:
            if etag != self._etag:
                what = (
                    'what the manifest lists has changed'
                    if dated
                    else 'it is another object now'
                )
                raise errors.Incomplete(f'{what} ({same})')
        elif (self._etag or self._seen) and not dated:
            raise errors.Incomplete(
                f'nothing tells that it is the same object ({same}); does a '
                'proxy remove ETags?'
            )

    def learn(self, headers: Mapping[str, str], total: int | None) -> None:
        """Keep what an answer about this object says.

        :param total: bytes in the object, None if it does not say
        :raises Incomplete: it was another number before
        """
        if None not in (self.total, total) and self.total != total:
            raise errors.Incomplete(
                f'its size is {total} bytes now, before: {self.total} bytes; '
                'the ETag is the same or missing'
            )
        self.total = self.total if total is None else total
        self._etag = self._etag or _etag(headers)
        self._written = self._written or _written(headers)
        self._seen = True


def encoding(headers: Mapping[str, str]) -> str:
    """The Content-Encoding of an answer, '' if it has none."""
    value = headers.get('content-encoding', '').strip().lower()
    return '' if value == 'identity' else value


def _etag(headers: Mapping[str, str]) -> str | None:
    """The ETag, unless it is that of no bytes.

    Ceph RGW gives that one to every SLO whose manifest came without ETags.
    """
    etag = answers.md5_of(headers)
    return None if etag == answers.EMPTY_MD5 else etag


def _written(headers: Mapping[str, str]) -> str | None:
    return headers.get('x-timestamp') or headers.get('last-modified')
