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

"""The image of the demo: a stream that is read once, with a known MD5."""

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
import hashlib
from pathlib import Path
import random

BLOCK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Image:
    """An image that is made or read anew for each upload.

    :ivar name: what it is, for people
    :ivar size: bytes
    :ivar blocks: gives its bytes from the start, a block at a time
    """

    name: str
    size: int
    blocks: Callable[[], Iterator[bytes]]

    def md5(self) -> str:
        """The MD5 in hex, from a pass of its own."""
        digest = hashlib.md5(usedforsecurity=False)
        for block in self.blocks():
            digest.update(block)
        return digest.hexdigest()


def generated(mib: int) -> Image:
    """An image of random bytes of which no two blocks are alike."""
    base = random.Random(mib).randbytes(BLOCK)

    def blocks() -> Iterator[bytes]:
        for number in range(mib):
            yield number.to_bytes(8, 'big') + base[8:]

    return Image('random bytes', mib * BLOCK, blocks)


def from_file(path: Path) -> Image:
    """A file as an image.

    :raises OSError: it can't be read
    :raises ValueError: it is no regular file, or empty
    """

    def blocks() -> Iterator[bytes]:
        with path.open('rb') as data:
            while block := data.read(BLOCK):
                yield block

    if path.exists() and not path.is_file():
        raise ValueError(f'{path} is not a regular file')
    with path.open('rb'):
        size = path.stat().st_size
    if not size:
        raise ValueError(f'{path} is empty')
    return Image(path.name, size, blocks)


class Stream:
    """What Glance hands to a store: read(n) and nothing else.

    :param image: where the bytes come from
    :param watch: told how many bytes each read gave
    """

    def __init__(self, image: Image, watch: Callable[[int], object]) -> None:
        self._blocks = image.blocks()
        self._block = b''
        self._start = 0
        self._watch = watch

    def read(self, size: int) -> bytes:
        """The next bytes, maybe fewer than asked for; b'' at the end."""
        if self._start >= len(self._block):
            self._block, self._start = next(self._blocks, b''), 0
        given = self._block[self._start : self._start + size]
        self._start += len(given)
        self._watch(len(given))
        return given
