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

"""Which bytes of an object an answer to a GET provably has.

Pure. RFC 9110 has the rules: 14.4 for Content-Range, 15.3.7 for a 206.
"""

from collections.abc import Mapping
import dataclasses
import re

from glance_store_bufswift import errors
from glance_store_bufswift.swift import answers

_CONTENT_RANGE = re.compile(
    r'bytes[ =]*([0-9]{1,18}) *- *([0-9]{1,18}) */ *([0-9]{1,18}|\*)',
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Extent:
    """Where the bytes of an answer lie in their object.

    :ivar first: the place of the first one
    :ivar end: the place behind the last one; None if not known
    :ivar total: bytes in the object; None if not known
    :ivar framed: whether HTTP itself bounds the body by its length
    """

    first: int
    end: int | None
    total: int | None
    framed: bool


def of(status: int, headers: Mapping[str, str]) -> Extent:
    """What the head of an answer proves.

    :param headers: names in lower case
    :raises Unproven: it says nothing of that, or contradicts itself
    """
    header = headers.get('content-range')
    length = answers.length(headers)
    if status == 200 and header is None:
        return Extent(0, length, length, length is not None)
    if status != 206 or header is None:
        raise errors.Unproven(
            f'an answer {status} with the Content-Range {header!r} does not '
            'say which bytes it has'
        )
    found = _CONTENT_RANGE.fullmatch(' '.join(header.split()))
    if not found:
        raise errors.Unproven(
            f'the Content-Range {header!r} does not say which bytes came'
        )
    first, end = int(found[1]), int(found[2]) + 1
    total = None if found[3] == '*' else int(found[3])
    if first >= end or (total is not None and end > total):
        raise errors.Unproven(f'the Content-Range {header!r} makes no sense')
    if length not in (None, end - first):
        raise errors.Unproven(
            f'an answer of {length} bytes contradicts its Content-Range '
            f'{header!r}'
        )
    return Extent(first, end, total, length is not None)
