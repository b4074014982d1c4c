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

"""HTTP/1.1 messages on the wire: their heads, and where their bodies end.

Bodies are only measured here, never copied: a relay passes them on as they
come, some hundred MB a second.
"""

import dataclasses

# A head longer than this is refused, in bytes.
MAX_HEAD = 1 << 17

HEAD_END = b'\r\n\r\n'


class BadMessage(Exception):
    """What came is no HTTP/1.1 message."""


@dataclasses.dataclass(frozen=True)
class Head:
    """First line and header fields of a request or an answer."""

    first: str
    fields: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, raw: bytes) -> 'Head':
        """Return the head whose bytes, with the empty line, these are."""
        first, *lines = raw.decode('latin-1').rstrip('\r\n').split('\r\n')
        if len(first.split(' ', 2)) < 2:
            raise BadMessage(f'no first line: {first!r}')
        fields = (line.partition(':') for line in lines)
        return cls(
            first,
            tuple((name.strip(), value.strip()) for name, _, value in fields),
        )

    def encode(self) -> bytes:
        """Return the head as it goes over the wire."""
        lines = [self.first, *(f'{n}: {v}' for n, v in self.fields)]
        return '\r\n'.join(lines).encode('latin-1') + HEAD_END

    def get(self, name: str) -> str:
        """Return the last field of that name, '' if there is none."""
        return self.headers.get(name.lower(), '')

    @property
    def headers(self) -> dict[str, str]:
        """The fields; names in lower case."""
        return {name.lower(): value for name, value in self.fields}

    @property
    def status(self) -> int:
        """The status of an answer."""
        return int(self.first.split(' ', 2)[1])

    @property
    def keeps_alive(self) -> bool:
        """Whether this side leaves the connection open."""
        tokens = self.get('connection').lower()
        return 'close' not in tokens and 'HTTP/1.1' in self.first

    def replace(
        self, status: int | None, headers: dict[str, str | None]
    ) -> 'Head':
        """Return it with another status and fields set; None removes."""
        first = self.first
        if status is not None:
            first = f'HTTP/1.1 {status} Rewritten'
        gone = {name.lower() for name in headers}
        kept = [(n, v) for n, v in self.fields if n.lower() not in gone]
        new = [(n, v) for n, v in headers.items() if v is not None]
        return Head(first, tuple(kept + new))


class Body:
    """A body of known length; the others are its subclasses.

    `payload` counts the bytes of the body proper, without chunk framing.
    """

    def __init__(self, length: int = 0) -> None:
        self.payload = 0
        self.length: int | None = length
        self.done = length == 0

    def advance(self, data: memoryview, limit: int | None = None) -> int:
        """Return how many of these bytes are the body's, and count them.

        :param limit: stop right behind this byte of the payload
        """
        assert self.length is not None
        end = self.length if limit is None else min(limit, self.length)
        used = min(len(data), end - self.payload)
        self.payload += used
        self.done = self.payload == self.length
        return used

    def end(self) -> bool:
        """The sender has closed: return whether that may be."""
        return self.done


class EndlessBody(Body):
    """A body that ends when its sender closes."""

    def __init__(self) -> None:
        super().__init__()
        self.length = None
        self.done = False

    def advance(self, data: memoryview, limit: int | None = None) -> int:
        self.payload += len(data)
        return len(data)

    def end(self) -> bool:
        self.done = True
        return True


class ChunkedBody(Body):
    """A body in chunks; only their size lines are looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.length = None
        self.done = False
        self._left = 0  # bytes still to come of this chunk
        self._last = False  # whether the chunk of size 0 was seen
        self._line = b''

    def advance(self, data: memoryview, limit: int | None = None) -> int:
        used = 0
        while used < len(data) and not self.done and self.payload != limit:
            if self._left:
                used += self._data(len(data) - used, limit)
            else:
                used += self._frame(data[used:])
        return used

    def _data(self, there: int, limit: int | None) -> int:
        used = min(self._left, there)
        if limit is not None:
            used = min(used, limit - self.payload)
        self._left -= used
        self.payload += used
        return used

    def _frame(self, data: memoryview) -> int:
        head, newline, _ = bytes(data[:4096]).partition(b'\n')
        self._line += head
        if len(self._line) > MAX_HEAD:
            raise BadMessage('endless chunk header')
        if newline:
            line, self._line = self._line.strip(), b''
            self._framed(line)
        return len(head) + len(newline)

    def _framed(self, line: bytes) -> None:
        if self._last:
            self.done = not line  # else a trailer field
        elif line:  # not the end of the previous chunk
            self._left = int(line.split(b';')[0], 16)
            self._last = self._left == 0


def request_body(head: Head) -> Body:
    """Return the body that follows this head of a request."""
    if 'chunked' in head.get('transfer-encoding').lower():
        return ChunkedBody()
    return Body(int(head.get('content-length') or 0))


def answer_body(head: Head, method: str) -> Body:
    """Return the body that follows this head of an answer to `method`."""
    if method == 'HEAD' or head.status in (204, 304):
        return Body()
    if 'chunked' in head.get('transfer-encoding').lower():
        return ChunkedBody()
    if head.get('content-length'):
        return Body(int(head.get('content-length')))
    return EndlessBody()
