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

"""A Swift in memory, and an account there."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import hashlib
import threading
from typing import Any

from swiftclient import client as swiftclient

from glance_store_bufswift.buffer import segment
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.swift import account
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import retry


def md5(data: bytes) -> str:
    """The MD5 in hex."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@dataclasses.dataclass
class Swift:
    """One container's objects, with the headers they were stored with.

    :ivar before: called with method and name before each request; may raise
    :ivar lag: listings to come that show nothing
    :ivar info: what the site says about itself
    """

    objects: dict[str, tuple[bytes, dict[str, str]]] = dataclasses.field(
        default_factory=dict)
    before: Callable[[str, str], object] = lambda method, name: None
    lag: int = 0
    info: dict[str, Any] = dataclasses.field(default_factory=dict)
    requests: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    lengths: dict[str, int | None] = dataclasses.field(default_factory=dict)

    def request(self, method: str, name: str) -> None:
        """Note a request, and let it fail if the test wants it."""
        self.requests.append((method, name))
        self.before(method, name)

    def store(self, name: str, data: bytes,
              headers: Mapping[str, str]) -> None:
        """Keep an object, with its headers as swiftclient tells them."""
        self.objects[name] = data, {
            key.lower(): swiftclient.parse_header_string(headers[key])
            for key in headers}

    def parts(self, name: str) -> list[bytes]:
        """What a GET gives, by segment."""
        data, headers = self.objects[name]
        target = layout.manifest_target(headers)
        if target is None:
            return [data]
        return [self.objects[each][0] for each in sorted(self.objects)
                if each.startswith(target[1])]


class Account(account.Account):
    """An account whose requests end in memory."""

    def __init__(self, swift: Swift) -> None:
        super().__init__(client.Endpoint('http://nowhere'),
                         retry.Policy(0, 0))
        self.swift = swift
        self.cancelled = threading.Event()
        self.closed = False

    def fresh(self) -> 'Account':
        return Account(self.swift)

    def cancel(self) -> None:
        self.cancelled.set()

    def close(self) -> None:
        self.closed = True

    def put(self, container: str, name: str, body: segment.Segment,
            length: int | None = None,
            headers: Mapping[str, str] | None = None) -> None:
        self.swift.lengths[name] = length
        self.swift.request('PUT', name)
        blocks = []
        while block := body.read(1 << 20):
            blocks.append(block)
        data = b''.join(blocks)
        if length is not None and len(data) != length:
            raise errors.RequestFailed('499 Client Disconnect', 499)
        if md5(data) != body.md5():
            raise errors.RequestFailed('422 Unprocessable', 422)
        self.swift.store(name, data, headers or {})

    def put_empty(self, container: str, name: str,
                  headers: Mapping[str, str]) -> None:
        self.swift.request('PUT', name)
        self.swift.store(name, b'', headers)

    def head(self, container: str, name: str,
             newest: bool = False) -> dict[str, str] | None:
        self.swift.request('HEAD', name)
        if name not in self.swift.objects:
            return None
        _, headers = self.swift.objects[name]
        parts = self.swift.parts(name)
        if self.swift.lag:
            self.swift.lag -= 1
            parts = []
        etag = (md5(''.join(map(md5, parts)).encode())
                if layout.MANIFEST in headers else md5(b''.join(parts)))
        return {**headers, 'etag': f'"{etag}"',
                'content-length': str(sum(map(len, parts)))}

    def delete(self, container: str, name: str) -> None:
        self.swift.request('DELETE', name)
        self.swift.objects.pop(name, None)

    def delete_bulk(self, container: str, names: Sequence[str]) -> list[str]:
        self.swift.request('BULK', names[0])
        for name in names:
            self.swift.objects.pop(name, None)
        return []

    def capabilities(self) -> dict[str, Any]:
        return self.swift.info

    def listing(self, container: str, prefix: str) -> Iterator[str]:
        self.swift.request('LIST', prefix)
        yield from [name for name in sorted(self.swift.objects)
                    if name.startswith(prefix)]
