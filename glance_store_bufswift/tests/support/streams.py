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

"""Images as streams that can't be rewound, and streams that fail."""

from collections.abc import Callable
import functools
import hashlib
import random


@functools.lru_cache(maxsize=4)
def image(size: int, seed: int = 1) -> bytes:
    """Bytes that look random, the same for the same arguments."""
    return random.Random(seed).randbytes(size)


def hashes(data: bytes) -> tuple[str, str]:
    """The MD5 and the SHA-512 in hex that Glance keeps of an image."""
    return (
        hashlib.md5(data, usedforsecurity=False).hexdigest(),
        hashlib.sha512(data).hexdigest(),
    )


class Stream:
    """What Glance hands to a store: read(n) and nothing else.

    :param data: the image
    :param most: bytes given at a time at most, short reads if small
    :param over: bytes given beyond what was asked for
    :param at: a place in the image, bytes
    :param then: called once when the reader reaches that place, before any
        byte behind it is given; may raise
    """

    def __init__(
        self,
        data: bytes,
        most: int = 1 << 30,
        over: int = 0,
        at: int | None = None,
        then: Callable[[], object] = lambda: None,
    ) -> None:
        self._data = data
        self._most = most
        self._over = over
        self._at = at
        self._then = then
        self.position = 0

    def read(self, size: int) -> bytes:
        """Give the next bytes, b'' at the end."""
        if size <= 0:
            raise AssertionError(f'read({size}) asks for nothing')
        end = self.position + min(size, self._most) + self._over
        if self._at is not None:
            if self.position < self._at:
                end = min(end, self._at)
            else:
                self._at = None
                self._then()
        block = self._data[self.position : end]
        self.position += len(block)
        return block


class Uneven(Stream):
    """A stream whose reads are short, exact and over-long in turn."""

    def read(self, size: int) -> bytes:
        """Give the next bytes, sometimes more than asked for."""
        turn = random.Random(self.position).randrange(3)
        self._over = (0, 0, 70_001)[turn]
        self._most = (4099, 1 << 30, 1 << 30)[turn]
        return super().read(size)


class Verifier:
    """A signature verifier that keeps what it is fed with."""

    def __init__(self) -> None:
        self.seen = bytearray()

    def update(self, block: bytes) -> None:
        """Take a block."""
        self.seen += block
