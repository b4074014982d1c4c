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

"""The accelerator, an extension in C, and whether it is used.

It is built where there is a compiler. It makes the MD5s of an image and of its
segments in one pass, for little more than the processor time of one; on
processors with AVX-512 for less, and SHA-512 in the same pass.
"""

from collections.abc import Sequence
import dataclasses
import functools
import hashlib
import importlib
import os
from typing import Any
from typing import Protocol

#: An environment variable: if it is one of OFF_VALUES, hashlib does the work.
SWITCH_VARIABLE = 'BUFSWIFT_ACCELERATOR'
OFF_VALUES = frozenset(('0', 'false', 'no', 'off'))


class MD5(Protocol):
    """An MD5 that is told where the parts of its stream end."""

    def update(self, block: bytes, /) -> None:
        """Take a block."""

    def end_part(self) -> str:
        """The MD5 in hex of what came since the last part's end."""

    def hexdigest(self) -> str:
        """The MD5 in hex of all that came."""


class MD5AndSHA512(MD5, Protocol):
    """A SHA-512 of the same bytes beside it.

    Two threads may update them at the same time, each its own.
    """

    def update_md5s(self, block: bytes, /) -> None:
        """Have the MD5s take a block."""

    def update_sha512(self, block: bytes, /) -> None:
        """Have SHA-512 take a block."""

    def sha512_hexdigest(self) -> str:
        """The SHA-512 in hex of all that came."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """What computes the hashes.

    :ivar pair: the accelerator's type for both MD5s, None for hashlib
    :ivar why_not: why it is hashlib
    :ivar vector: whether that type is for processors with AVX-512
    :ivar triple: the accelerator's type for both MD5s and SHA-512, None if
        this processor has no AVX-512
    """

    pair: type[MD5] | None
    why_not: str = ''
    vector: bool = False
    triple: type[MD5AndSHA512] | None = None

    def __str__(self) -> str:
        if self.pair is None:
            return f'hashlib in two passes: {self.why_not}'
        return 'the accelerator in one pass' + (
            ', with AVX-512' if self.vector else ''
        )


@functools.cache
def chosen() -> Choice:
    """What computes the hashes in this process."""
    if os.environ.get(SWITCH_VARIABLE, '').lower() in OFF_VALUES:
        return Choice(
            None,
            f'{SWITCH_VARIABLE} in the environment turns the accelerator off',
        )
    if _fips_mode():
        return Choice(None, 'OpenSSL runs in FIPS mode')
    try:
        built = importlib.import_module('glance_store_bufswift._onepass')
    except ModuleNotFoundError:
        return Choice(None, 'the accelerator is not built')
    except ImportError as exc:
        return Choice(None, f'the accelerator can not be loaded ({exc})')
    triple = _if_right(built, 'Triple')
    vector = _if_right(built, 'VectorPair')
    if vector is not None:
        return Choice(vector, vector=True, triple=triple)
    if not is_right(built.Pair):
        return Choice(None, 'the accelerator is built wrong')
    return Choice(built.Pair)


def _if_right(built: Any, name: str) -> Any:
    """A type that it has on some processors; None if it has not."""
    kind = getattr(built, name, None)
    return kind if kind is not None and is_right(kind) else None


def _fips_mode() -> bool:
    """Whether this host is to have no cryptography but OpenSSL's.

    There hashlib makes no MD5 without usedforsecurity=False.
    """
    try:
        import _hashlib

        if _hashlib.get_fips_mode():
            return True
        hashlib.md5()  # noqa: S324  # whether it may be used
    except ImportError:  # a Python without OpenSSL
        return False
    except ValueError:
        return True
    return False


def is_right(kind: type[MD5]) -> bool:
    """Whether a type of the accelerator's agrees with hashlib.

    What this host's compiler made is untested. A wrong MD5 of a segment would
    fail uploads; Glance would believe a wrong one of an image.
    """
    every = bytes(range(256))
    blocks = [every, every, every[:3], 3 * every[:200]]
    return all(
        _agrees(kind(), update, blocks)
        for update in (('update',), ('update_md5s', 'update_sha512'))
        if hasattr(kind, update[0])
    )


def _agrees(
    tried: Any, update: Sequence[str], blocks: Sequence[bytes]
) -> bool:
    """Whether hashes that take blocks by some methods agree with hashlib."""
    sha512 = getattr(tried, 'sha512_hexdigest', None)
    whole = b''
    for block in blocks:
        for name in update:
            getattr(tried, name)(block)
        whole += block
        if (
            tried.hexdigest() != _md5(whole)
            or tried.end_part() != _md5(block)
            or (sha512 and sha512() != hashlib.sha512(whole).hexdigest())
        ):
            return False
    return True


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
