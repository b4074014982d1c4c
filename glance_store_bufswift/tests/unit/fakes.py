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
import io
import itertools
import json
import re
import threading
from typing import Any
from typing import TypeVar

from swiftclient import client as swiftclient

from glance_store_bufswift.buffer import segment
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import connections
from glance_store_bufswift.swift import containers
from glance_store_bufswift.swift import gets
from glance_store_bufswift.swift import listings
from glance_store_bufswift.swift import objects
from glance_store_bufswift.swift import pool
from glance_store_bufswift.swift import retry
from glance_store_bufswift.swift import sites
from glance_store_bufswift.swift import slo_manifest
from glance_store_bufswift.swift import slos

T = TypeVar('T')


def md5(data: bytes) -> str:
    """The MD5 in hex."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def failed(status: int) -> swiftclient.ClientException:
    """What swiftclient raises for an answer."""
    return swiftclient.ClientException('GET', http_status=status)


def _is_large(headers: Mapping[str, str]) -> bool:
    return layout.DLO_HEADER in headers or layout.is_slo(headers)


_TIMES = itertools.count(1_000_000_000)


@dataclasses.dataclass
class Swift:
    """One container's objects, with the headers they were stored with.

    :ivar before: called with method and name before each request; may raise
    :ivar lag: listings to come that show nothing
    :ivar unlisted: names that no listing shows
    :ivar gateway: whether it is like Ceph RGW: it heeds no condition, and of
        two PUTs at a time the one that ends last counts, not the one that
        began last
    :ivar info: what the site says about itself
    """

    objects: dict[str, tuple[bytes, dict[str, str]]] = dataclasses.field(
        default_factory=dict
    )
    before: Callable[[str, str], object] = lambda method, name: None
    lag: int = 0
    unlisted: set[str] = dataclasses.field(default_factory=set)
    gateway: bool = False
    info: dict[str, Any] = dataclasses.field(default_factory=dict)
    requests: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    lengths: dict[str, int | None] = dataclasses.field(default_factory=dict)

    def request(self, method: str, name: str) -> None:
        """Note a request, and let it fail if the test wants it."""
        self.requests.append((method, name))
        self.before(method, name)

    def now(self) -> int:
        """A time later than all before."""
        return next(_TIMES)

    def store(
        self,
        name: str,
        data: bytes,
        headers: Mapping[str, str],
        began: int | None = None,
    ) -> None:
        """Keep an object, with its headers as swiftclient tells them.

        :param began: when its PUT did, now by default
        :raises RequestFailed: an object is there whose PUT began later
        """
        if began is None or self.gateway:
            began = self.now()
        if name in self.objects and began < layout.timestamp(
            self.objects[name][1]
        ):
            raise errors.RequestFailed('202 Accepted', 202)
        self.objects[name] = (
            data,
            {'x-timestamp': str(began)}
            | {
                key.lower(): swiftclient.parse_header_string(headers[key])
                for key in headers
            },
        )

    def parts(self, name: str) -> list[bytes]:
        """What a GET gives, by segment."""
        data, headers = self.objects[name]
        target = layout.dlo_target(headers)
        if layout.is_slo(headers):
            return [
                self.objects.get(name, (b'',))[0]
                for _, name in listings.slo_segments(data)
            ]
        if target is None:
            return [data]
        return [self.objects[each][0] for each in self.listed(target[1])]

    def listed(self, prefix: str) -> list[str]:
        """The names that a listing shows."""
        return [
            name
            for name in sorted(self.objects)
            if name.startswith(prefix) and name not in self.unlisted
        ]


class Client(client.Client):
    """Notes the requests to a Swift in memory, and sends none.

    :param retries: further tries of a manifest's PUT, and of a GET
    :param before: as Swift's, for the requests of this client alone
    """

    def __init__(
        self,
        swift: Swift,
        retries: int = 0,
        before: Callable[[str, str], object] = lambda method, name: None,
    ) -> None:
        super().__init__(
            pool.Endpoint('http://nowhere'), retry.Policy(retries, 0)
        )
        self.swift = swift
        self.before = before
        self.cancelled = threading.Event()
        self.closed = False

    def cancel(self) -> None:
        self.cancelled.set()

    def close(self) -> None:
        self.closed = True

    def request(self, method: str, name: str) -> None:
        """Note a request, when its turn has come."""
        self.before(method, name)
        self.swift.request(method, name)

    def store(
        self, name: str, headers: Mapping[str, str], data: bytes = b''
    ) -> None:
        """Keep a manifest, under the condition in its headers."""
        kept = dict(headers)
        self.request('PUT', name)
        if (
            kept.pop('If-None-Match', None)
            and not self.swift.gateway
            and name in self.swift.objects
        ):
            raise errors.RequestFailed('412 Precondition Failed', 412)
        self.swift.store(name, data, kept)


class Containers(containers.Containers):
    """What the one container in memory lists."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.client = client
        self.swift = client.swift

    def entries(
        self, container: str, prefix: str = '', marker: str = '', end: str = ''
    ) -> Iterator[listings.Entry]:
        self.client.request('LIST', prefix)
        for name in self.swift.listed(prefix):
            data = self.swift.objects[name][0]
            yield listings.Entry(name, len(data), etag=md5(data))

    def object_names(self, container: str, prefix: str) -> Iterator[str]:
        self.client.request('LIST', prefix)
        yield from self.swift.listed(prefix)


class Objects(objects.Objects):
    """Requests for objects that end in memory."""

    def __init__(
        self, client: Client, site: sites.Site, containers: Containers
    ) -> None:
        super().__init__(client, site, containers)
        self.client = client
        self.swift = client.swift

    def put(
        self,
        container: str,
        name: str,
        body: segment.SegmentBody,
        length: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.swift.lengths[name] = length
        self.client.request('PUT', name)
        began = self.swift.now()
        blocks = []
        while block := body.read(1 << 20):
            blocks.append(block)
        data = b''.join(blocks)
        if length is not None and len(data) != length:
            raise errors.RequestFailed('499 Client Disconnect', 499)
        if md5(data) != body.md5():
            raise errors.RequestFailed('422 Unprocessable', 422)
        self.client.before('END', name)
        self.swift.store(name, data, headers or {}, began)

    def put_empty(
        self,
        container: str,
        name: str,
        headers: Mapping[str, str],
        done: Callable[[], bool] = lambda: False,
    ) -> None:
        for left in reversed(range(self.client.tries('PUT').left)):
            try:
                self.client.store(name, headers)
                return
            except errors.RequestFailed as exc:
                if not left or exc.status == 412:
                    raise
            if done():
                return

    def head(
        self,
        container: str,
        name: str,
        newest: bool = False,
        query: str | None = None,
    ) -> dict[str, str] | None:
        self.client.request('HEAD', name)
        if name not in self.swift.objects:
            return None
        data, headers = self.swift.objects[name]
        if query:
            return {
                **headers,
                'etag': f'"{md5(data)}"',
                'content-length': str(len(data)),
            }
        parts = self.swift.parts(name)
        if self.swift.lag and layout.DLO_HEADER in headers:
            self.swift.lag -= 1
            parts = []
        etag = (
            md5(''.join(map(md5, parts)).encode())
            if _is_large(headers)
            else md5(b''.join(parts))
        )
        return {
            **headers,
            'etag': f'"{etag}"',
            'content-length': str(sum(map(len, parts))),
        }

    def get(
        self,
        container: str,
        name: str,
        headers: Mapping[str, str],
        tries: retry.Tries,
        take: Callable[[gets.Answer], T],
        query: str | None = None,
    ) -> T:
        def get(connection: connections.Connection) -> T:
            self.client.request('GET', name)
            if self.client.cancelled.is_set():
                raise errors.Aborted('cancelled')
            return take(self._answer(name, headers.get('Range', ''), query))

        return self.client.run(tries, get)

    def _answer(self, name: str, asked: str, query: str | None) -> gets.Answer:
        if name not in self.swift.objects:
            raise failed(404)
        data, kept = self.swift.objects[name]
        etag = md5(data)
        if not query:
            parts = self.swift.parts(name)
            data = b''.join(parts)
            etag = (
                md5(''.join(map(md5, parts)).encode())
                if _is_large(kept)
                else etag
            )
        told = {**kept, 'etag': f'"{etag}"'}
        found = re.fullmatch(r'bytes=(\d+)-(\d*)', asked)
        if found:
            first, end = int(found[1]), int(found[2] or len(data) - 1) + 1
            end = min(end, len(data))
            if first >= end:
                raise failed(416)
            told['content-range'] = f'bytes {first}-{end - 1}/{len(data)}'
            data = data[first:end]
        told['content-length'] = str(len(data))
        return gets.Answer(
            206 if found else 200,
            told,
            connections.AnswerBody(io.BytesIO(data)),
            lambda: None,
        )

    def delete(self, container: str, name: str) -> None:
        self.client.request('DELETE', name)
        self.swift.objects.pop(name, None)

    def delete_bulk(self, container: str, names: Sequence[str]) -> list[str]:
        self.client.request('BULK', names[0])
        for name in names:
            self.swift.objects.pop(name, None)
        return []


class StaticLargeObjects(slos.StaticLargeObjects):
    """Requests for SLOs that end in memory."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.client = client
        self.swift = client.swift

    def put(
        self,
        container: str,
        name: str,
        segments: Sequence[slo_manifest.ManifestEntry],
        heartbeat: bool,
        headers: Mapping[str, str],
        done: Callable[[], bool] = lambda: False,
    ) -> None:
        for each in segments:
            stored = self.swift.objects.get(each.path.split('/', 1)[1])
            if stored is None or (len(stored[0]), md5(stored[0])) != (
                each.size,
                each.md5,
            ):
                raise errors.RequestFailed(f'{each.path}: Mismatch')
        data = json.dumps(
            [
                {'name': f'/{each.path}', 'bytes': each.size, 'hash': each.md5}
                for each in segments
            ]
        ).encode()
        self.client.store(
            name, {**headers, 'X-Static-Large-Object': 'True'}, data
        )

    def segments(
        self, container: str, name: str, nested: bool = True
    ) -> list[tuple[str, str]]:
        self.client.request('GET', name)
        found = self.swift.objects.get(name)
        return listings.slo_segments(found[0]) if found else []

    def delete(self, container: str, name: str) -> list[str]:
        self.client.request('DELETE', name)
        data, _ = self.swift.objects.pop(name, (b'[]', {}))
        for _, segment_name in listings.slo_segments(data):
            self.swift.objects.pop(segment_name, None)
        return []


class Site(sites.Site):
    """What the Swift in memory says about itself."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.swift = client.swift

    def capabilities(self) -> dict[str, Any]:
        return self.swift.info


class Account(accounts.Account):
    """An account whose requests end in memory; as Client."""

    client: Client

    def __init__(
        self,
        swift: Swift,
        retries: int = 0,
        before: Callable[[str, str], object] = lambda method, name: None,
    ) -> None:
        client = Client(swift, retries, before)
        super().__init__(client)
        self.site = Site(client)
        self.containers = Containers(client)
        self.objects = Objects(client, self.site, self.containers)
        self.slos = StaticLargeObjects(client)

    def fresh(self) -> 'Account':
        return Account(self.client.swift, before=self.client.before)
