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

"""The MD5 of an image, and of each of its segments.

Both take the same bytes. The accelerator, an extension in C that is built
where there is a compiler, takes them in one pass, for little more than the
processor time of one MD5, and with AVX-512 for less. Elsewhere hashlib does
the work, in two passes. No other module needs to know which one it is.
"""

import dataclasses
import functools
import hashlib
import importlib
import os
from typing import Any
from typing import Protocol

from oslo_log import log as logging

LOG = logging.getLogger(__name__)

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


def new() -> tuple[MD5, MD5]:
    """One object to hash a stream, and one for its parts after the first.

    The first object also gives the MD5 of the first part, which is that of the
    stream so far. Both are the same object if it hashes both in one pass.
    """
    choice = chosen()
    LOG.debug('MD5 by %s', choice)
    if choice.pair is None:
        return _Whole(), _Parts()
    pair = choice.pair()
    return pair, pair


@dataclasses.dataclass(frozen=True)
class Choice:
    """What computes the MD5s.

    :ivar pair: the accelerator's type, None for hashlib
    :ivar why_not: why it is hashlib
    :ivar vector: whether that type is for processors with AVX-512
    """

    pair: type[MD5] | None
    why_not: str = ''
    vector: bool = False

    def __str__(self) -> str:
        if self.pair is None:
            return f'hashlib in two passes: {self.why_not}'
        return 'the accelerator in one pass' + (
            ', with AVX-512' if self.vector else ''
        )


@functools.cache
def chosen() -> Choice:
    """What computes the MD5s in this process."""
    if os.environ.get(SWITCH_VARIABLE, '').lower() in OFF_VALUES:
        return Choice(
            None,
            f'{SWITCH_VARIABLE} in the environment turns the accelerator off',
        )
    if _fips_mode():
        return Choice(None, 'OpenSSL runs in FIPS mode')
    try:
        built = importlib.import_module('glance_store_bufswift._md5pair')
    except ModuleNotFoundError:
        return Choice(None, 'the accelerator is not built')
    except ImportError as exc:
        return Choice(None, f'the accelerator can not be loaded ({exc})')
    vector = getattr(built, 'VectorPair', None)
    if vector is not None and is_right(vector):
        return Choice(vector, vector=True)
    if not is_right(built.Pair):
        return Choice(None, 'the accelerator is built wrong')
    return Choice(built.Pair)


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


def is_right(pair: type[MD5]) -> bool:
    """Whether an accelerator agrees with hashlib.

    What this host's compiler made is untested. A wrong MD5 of a segment would
    fail uploads; Glance would believe a wrong one of an image.
    """
    tried, whole, parts = pair(), _Whole(), _Parts()
    every = bytes(range(256))
    for block in (every, every, every[:3], 3 * every[:200]):
        for each in (tried, whole, parts):
            each.update(block)
        if (
            tried.hexdigest() != whole.hexdigest()
            or tried.end_part() != parts.end_part()
        ):
            return False
    return True


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
