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

"""The hashes of an image, and the MD5 of each of its segments.

All take the same bytes. The accelerator, an extension in C that is built where
there is a compiler, makes both MD5s in one pass, for little more than the
processor time of one; on processors with AVX-512 a multihash of SHA-512 too.
Elsewhere hashlib does the work, in a pass for each. No other module needs to
know which one it is.
"""

from collections.abc import Callable
import dataclasses
import hashlib
from typing import Any
from typing import Protocol

from oslo_log import log as logging

from glance_store_bufswift import accelerator
from glance_store_bufswift import multihash

LOG = logging.getLogger(__name__)

#: What the accelerator may compute beside the MD5s, by hashlib's name.
SHA512 = 'sha512'


class Digest(Protocol):
    """A hash or a signature verifier."""

    def update(self, block: bytes, /) -> Any:
        """Take a block."""


@dataclasses.dataclass(frozen=True)
class Hashes:
    """What hashes one image.

    :ivar image: the image's MD5; it also gives the MD5 of the first segment,
        which is that of the image so far
    :ivar segments: the MD5s of the other segments; the same object as `image`
        if one pass makes both
    :ivar others: what has to take the image's bytes beside `image`
    :ivar multihash: gives the multihash in hex in the end
    :ivar one_pass: `image`, if it also makes the multihash; otherwise None
    """

    image: accelerator.MD5
    segments: accelerator.MD5
    others: tuple[Digest, ...]
    multihash: Callable[[], str]
    one_pass: accelerator.MD5AndSHA512 | None = None


def new(algorithm: str) -> Hashes:
    """The hashes of a new image.

    :param algorithm: hashlib's name of the multihash
    :raises ConfigError: there is no such multihash
    """
    by_hashlib = multihash.new(algorithm)
    LOG.debug('%s', describe(algorithm))
    triple = _triple(algorithm)
    if triple is not None:
        three = triple()
        return Hashes(three, three, (), three.sha512_hexdigest, three)
    pair = accelerator.chosen().pair
    if pair is not None:
        both = pair()
        return Hashes(both, both, (by_hashlib,), by_hashlib.hexdigest)
    return Hashes(_Whole(), _Parts(), (by_hashlib,), by_hashlib.hexdigest)


def describe(algorithm: str) -> str:
    """What computes the hashes of an image in this process, as text.

    :param algorithm: hashlib's name of the multihash
    """
    made = 'MD5' if _triple(algorithm) is None else 'MD5 and SHA-512'
    return f'{made} by {accelerator.chosen()}'


def _triple(algorithm: str) -> type[accelerator.MD5AndSHA512] | None:
    is_sha512 = algorithm.lower() == SHA512
    return accelerator.chosen().triple if is_sha512 else None


class _Whole:
    """hashlib's MD5 of a stream; its first part is all that came."""

    def __init__(self) -> None:
        self._md5 = _md5()

    def update(self, block: bytes, /) -> None:
        self._md5.update(block)

    def end_part(self) -> str:
        return self.hexdigest()

    def hexdigest(self) -> str:
        return str(self._md5.hexdigest())


class _Parts(_Whole):
    """hashlib's MD5 of one part after the other."""

    def end_part(self) -> str:
        ended = self.hexdigest()
        self._md5 = _md5()
        return ended


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)
