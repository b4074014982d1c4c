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

"""What the sink answers: Swift's and Keystone's side of a store."""

import collections
import dataclasses
import hashlib
import json
import re
import resource
import threading
from typing import Any
from urllib import parse

from glance_store_bufswift.tests.programs.bench import channel
from glance_store_bufswift.tests.programs.bench import pattern

ACCOUNT = '/v1/AUTH_bench'
REGION = 'bench'

#: What an object's PUT may set and its HEAD tells.
_KEPT = ('x-object-manifest', 'x-object-meta-', 'content-type')


@dataclasses.dataclass(frozen=True)
class Answer:
    """A response; what it has besides headers is not sent to a HEAD.

    :ivar content: behind the body, stretches of objects: where each begins,
        and its bytes
    """

    status: int
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b''
    content: tuple[tuple[int, int], ...] = ()


@dataclasses.dataclass(frozen=True)
class Stored:
    """An object: its length, ETag and the headers that it keeps."""

    size: int
    etag: str
    headers: dict[str, str]


#: What the site says of itself.
_INFO = {'slo': {'max_manifest_segments': 1000, 'yield_frequency': 10}}

_STATIC = 'x-static-large-object'

_RANGE = re.compile('bytes=([0-9]+)-([0-9]*)')

Objects = dict[str, Stored]


class Bucket:
    """An account with its containers, and who lets in; thread safe.

    :param url: of the server, without a path
    :param etags: of what is uploaded
    """

    def __init__(self, url: str, etags: pattern.Etags) -> None:
        self._url = url
        self._etags = etags
        self._lock = threading.Lock()
        self._containers: dict[str, Objects] = {}
        self._counts: collections.Counter[str] = collections.Counter()

    def answer(self, request: channel.Request, length: int) -> Answer:
        """Do what a request asks for.

        :param length: bytes in its body
        """
        path, _, query = request.path.partition('?')
        with self._lock:
            self._counts[request.method] += 1
            if path == '/stats':
                return _json(200, self._stats())
            if path == '/info':
                return _json(200, _INFO)
            if path.startswith('/v3'):
                return self._keystone(request, path)
            inside = parse.unquote(path.removeprefix(ACCOUNT + '/'))
            container, _, name = inside.partition('/')
            if name and request.method == 'GET':
                return self._give(request, container, name, query)
            if name:
                return self._object(request, container, name, length, query)
            return self._container(request, container, query)

    def _stats(self) -> dict[str, Any]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            'cpu': used.ru_utime + used.ru_stime,
            'missed': self._etags.missed,
            'requests': self._counts,
        }

    def _keystone(self, request: channel.Request, path: str) -> Answer:
        if request.method == 'POST' and path.endswith('/auth/tokens'):
            return _json(201, self._token(), {'X-Subject-Token': 'bench'})
        return _json(
            200,
            {
                'version': {
                    'id': 'v3.14',
                    'status': 'stable',
                    'links': [{'rel': 'self', 'href': f'{self._url}/v3/'}],
                }
            },
        )

    def _token(self) -> dict[str, Any]:
        domain = {'id': 'default', 'name': 'Default'}
        return {
            'token': {
                'methods': ['password'],
                'audit_ids': ['bench'],
                'issued_at': '2020-01-01T00:00:00.000000Z',
                'expires_at': '2099-01-01T00:00:00.000000Z',
                'user': {'id': 'bench', 'name': 'bench', 'domain': domain},
                'project': {'id': 'bench', 'name': 'bench', 'domain': domain},
                'roles': [{'id': 'bench', 'name': 'admin'}],
                'catalog': [
                    {
                        'id': 'swift',
                        'type': 'object-store',
                        'name': 'swift',
                        'endpoints': [
                            {
                                'id': 'swift',
                                'interface': 'public',
                                'region': REGION,
                                'region_id': REGION,
                                'url': self._url + ACCOUNT,
                            }
                        ],
                    }
                ],
            }
        }

    def _container(
        self, request: channel.Request, container: str, query: str
    ) -> Answer:
        if request.method == 'PUT':
            self._containers.setdefault(container, {})
            return Answer(201)
        objects = self._containers.get(container)
        if objects is None:
            return Answer(404)
        if request.method == 'DELETE':
            del self._containers[container]
        if request.method == 'GET':
            return _json(200, _listing(objects, query))
        return Answer(204, {'X-Container-Object-Count': str(len(objects))})

    def _object(
        self,
        request: channel.Request,
        container: str,
        name: str,
        length: int,
        query: str,
    ) -> Answer:
        objects = self._containers.get(container)
        if objects is None:
            return Answer(404)
        if request.method == 'PUT':
            kept = {
                key: value
                for key, value in request.headers.items()
                if key.startswith(_KEPT)
            }
            if 'multipart-manifest=put' in query:
                kept |= {_STATIC: 'True'}
                length = 0
            objects[name] = Stored(length, self._etags.of(length), kept)
            return Answer(201, {'Etag': objects[name].etag})
        if name not in objects:
            return Answer(404)
        if request.method == 'HEAD':
            return self._head(name, objects)
        if request.method == 'DELETE':
            del objects[name]
            return Answer(204)
        return Answer(501)

    def _head(self, name: str, objects: Objects) -> Answer:
        stored = objects[name]
        size, etag = stored.size, stored.etag
        names = self._parts(name, stored)
        if names is not None:
            parts = [objects[each] for each in names]
            size = sum(part.size for part in parts)
            md5 = hashlib.md5(
                ''.join(part.etag for part in parts).encode(),
                usedforsecurity=False,
            )
            etag = f'"{md5.hexdigest()}"'
        return Answer(
            200, stored.headers | {'Content-Length': str(size), 'Etag': etag}
        )

    def _parts(self, name: str, stored: Stored) -> list[str] | None:
        """The segments of a large object, None if it is none.

        They lie in its container. The manifest of an SLO is not read: it has
        what the driver has stored in the same attempt.
        """
        target = stored.headers.get('x-object-manifest')
        if target:
            prefix = parse.unquote(target).partition('/')[2]
        elif _STATIC in stored.headers:
            prefix = f'{name}/'
        else:
            return None
        objects = next(
            each
            for each in self._containers.values()
            if each.get(name) is stored
        )
        return [each for each in sorted(objects) if each.startswith(prefix)]

    def _give(
        self, request: channel.Request, container: str, name: str, query: str
    ) -> Answer:
        objects = self._containers.get(container, {})
        stored = objects.get(name)
        if stored is None:
            return Answer(404)
        head, names = self._head(name, objects), self._parts(name, stored)
        if 'multipart-manifest=get' in query:
            if _STATIC in stored.headers:
                return _manifest(container, names or [], objects)
            names = None
            head.headers.update(
                {'Content-Length': str(stored.size), 'Etag': stored.etag}
            )
        parts = [objects[each] for each in names or [name]]
        total = int(head.headers['Content-Length'])
        asked = _RANGE.fullmatch(request.headers.get('range', ''))
        if not asked:
            return dataclasses.replace(
                head, content=_stretches(parts, 0, total)
            )
        first, end = int(asked[1]), min(total, int(asked[2] or total) + 1)
        if first >= total:
            return Answer(416)
        return Answer(
            206,
            head.headers
            | {
                'Content-Length': str(end - first),
                'Content-Range': f'bytes {first}-{end - 1}/{total}',
            },
            content=_stretches(parts, first, end),
        )


def _stretches(
    parts: list[Stored], first: int, end: int
) -> tuple[tuple[int, int], ...]:
    """What of each object lies in a range of all of them."""
    found, at = [], 0
    for part in parts:
        begin, stop = max(first - at, 0), min(end - at, part.size)
        if begin < stop:
            found.append((begin, stop - begin))
        at += part.size
    return tuple(found)


def _listing(objects: Objects, query: str) -> list[dict[str, Any]]:
    asked = dict(parse.parse_qsl(query))
    names = [
        name
        for name in sorted(objects)
        if name.startswith(asked.get('prefix', ''))
        and name > asked.get('marker', '')
    ]
    return [
        {'name': name, 'bytes': objects[name].size, 'hash': objects[name].etag}
        for name in names[: int(asked.get('limit', 10_000))]
    ]


def _manifest(container: str, names: list[str], objects: Objects) -> Answer:
    """The manifest of an SLO, as Swift gives it back."""
    return _json(
        200,
        [
            {
                'name': f'/{container}/{name}',
                'bytes': objects[name].size,
                'hash': objects[name].etag,
            }
            for name in names
        ],
        {_STATIC: 'True'},
    )


def _json(
    status: int, body: Any, headers: dict[str, str] | None = None
) -> Answer:
    return Answer(
        status,
        {'Content-Type': 'application/json'} | (headers or {}),
        json.dumps(body).encode(),
    )
