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

"""Requests for the objects of one Swift account.

Every request either succeeds or, after its last try, raises RequestFailed,
whichever library the error came from.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from typing import Any
from typing import TypeVar

import swiftclient

from glance_store_bufswift.buffer import segment
from glance_store_bufswift import errors
from glance_store_bufswift import notices
from glance_store_bufswift.swift import answers
from glance_store_bufswift.swift import bulk
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import connections
from glance_store_bufswift.swift import failures
from glance_store_bufswift.swift import retry
from glance_store_bufswift import units

T = TypeVar('T')


@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer to a GET, its body not read yet.

    :ivar status: of the answer, 2xx
    :ivar headers: names in lower case
    :ivar body: has ``read(size)``; what it raises is one try's failure
    :ivar hang_up: closes the connection
    """

    status: int
    headers: dict[str, str]
    body: Any
    hang_up: Callable[[], None]


class Objects(client.Client):
    """What is asked of Swift about single objects."""

    def put(
        self,
        container: str,
        name: str,
        body: segment.Segment,
        length: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Store an object and make sure that Swift has exactly these bytes.

        :param body: what is sent; rewound to be sent again
        :param length: bytes in the body; None = not known yet
        :raises RequestFailed: it is not stored, or that is in doubt
        """
        tries = self.tries(
            f'PUT of {container}/{name}', self._not_known_yet(container)
        )
        start = body.tell()
        if length is None and self._needs_lengths:
            body.seek(start)  # waits for its end, if it is buffered

        def put(
            connection: connections.Connection, answer: dict[str, Any]
        ) -> None:
            size = length
            if size is None and self._needs_lengths and body.finished:
                size = body.size
            try:
                connection.put_object(
                    container,
                    name,
                    body,
                    content_length=size,
                    chunk_size=units.BLOCK,
                    headers=headers,
                    response_dict=answer,
                )
            except Exception as exc:
                if size is None and answer.get('status') == 411:
                    self._needs_lengths = True
                    raise _length_needed(tries.what, body, answer) from exc
                raise
            self._confirm(connection, container, name, answer, body.md5())

        self._run(tries, put, lambda: body.seek(start))

    def _confirm(
        self,
        connection: connections.Connection,
        container: str,
        name: str,
        answer: dict[str, Any],
        md5: str,
    ) -> None:
        """Make sure that an object was stored with this MD5.

        :param answer: to its PUT
        :raises NotStored: it was not, or nothing says so
        """
        told = failures.describe(answer)
        etag = answers.md5_of(answer['headers'])
        if answer['status'] == 202 or etag not in (md5, None):
            raise errors.NotStored(
                f'{told}, with ETag {etag!r} for bytes of MD5 {md5}'
            )
        if etag is not None:
            return
        notices.warn_once(
            'What is in front of Swift at %s removes the ETag from '
            'answers to a PUT: a HEAD has to follow each',
            self.url,
        )
        etag = self._etag_of(connection, container, name)
        if etag is None:
            raise errors.NeverConfirmed(
                f'{told}, without an ETag, and a HEAD has none either: '
                f'nothing says that Swift has the bytes of MD5 {md5}. A proxy '
                "in front of it removes the ETag; have it pass on Swift's "
                '(nginx: no gzip, sub_filter or proxy_hide_header there)'
            )
        if etag != md5:
            raise errors.NotStored(
                f'{told}, without an ETag, and a HEAD tells ETag {etag!r} '
                f'for bytes of MD5 {md5}'
            )

    def _etag_of(
        self, connection: connections.Connection, container: str, name: str
    ) -> str | None:
        """The ETag of what was just stored, None if there is none."""
        try:
            return answers.md5_of(
                connection.head_object(
                    container, name, headers={'X-Newest': 'true'}
                )
            )
        except swiftclient.ClientException as exc:
            if exc.http_status == 404:
                raise errors.NotStored(
                    'there is no such object after it was stored'
                ) from exc
            raise

    def put_empty(
        self,
        container: str,
        name: str,
        headers: Mapping[str, str],
        done: Callable[[], bool] = lambda: False,
    ) -> None:
        """Store an object without content, a manifest.

        :param done: called before each retry; returns whether an earlier try
            has stored it
        """
        tries = self.tries(
            f'PUT of {container}/{name}', self._not_known_yet(container)
        )

        def put(
            connection: connections.Connection, answer: dict[str, Any]
        ) -> None:
            if tries.made > 1 and done():
                return
            connection.put_object(
                container, name, '', headers=headers, response_dict=answer
            )
            # A 202 says that an object with a later timestamp is there
            # (swift/proxy/controllers/obj.py): ours was not stored.
            if answer.get('status') == 202:
                raise errors.NotStored(failures.describe(answer))

        self._run(tries, put)

    def _not_known_yet(self, container: str) -> Collection[int]:
        """Statuses of a PUT that can pass.

        A proxy caches for a while that a container is missing, though another
        one has created it (set_info_cache() in
        swift/proxy/controllers/base.py).
        """
        return (404,) if container in self._made else ()

    def get(
        self,
        container: str,
        name: str,
        headers: Mapping[str, str],
        tries: retry.Tries,
        take: Callable[[Answer], T],
        query: str | None = None,
    ) -> T:
        """Ask for an object, to read its body from a connection.

        :param tries: of the request, counted on
        :param take: turns an answer into what is returned, and may read from
            it; raises what is wrong with it, Doubtful for a failed try
        :param query: what stands behind the "?" of the URL
        :raises RequestFailed: there is no good answer
        """

        def get(connection: connections.Connection, told: dict[str, Any]) -> T:
            _, body = _unless_conflict(
                lambda: connection.get_object(
                    container,
                    name,
                    resp_chunk_size=connections.ANSWER_BLOCK,
                    headers=dict(headers),
                    response_dict=told,
                    query_string=query,
                )
            )
            answer = Answer(
                told['status'],
                dict(told['headers']),
                connections.Content(body),
                connection.close,
            )
            try:
                return take(answer)
            except BaseException:
                answer.hang_up()
                raise

        return self._run(tries, get)

    def head(
        self,
        container: str,
        name: str,
        newest: bool = False,
        query: str | None = None,
    ) -> dict[str, str] | None:
        """The headers of an object, None if there is none.

        :param newest: whether Swift is to ask all replicas, not the first
            that answers
        :param query: what stands behind the "?" of the URL
        """
        headers = {'X-Newest': 'true'} if newest else None
        return self._ask(
            f'HEAD of {container}/{name}',
            lambda connection: dict(
                connection.head_object(
                    container, name, headers=headers, query_string=query
                )
            ),
        )

    def delete(self, container: str, name: str) -> None:
        """Delete an object, if it exists."""
        self._ask(
            f'DELETE of {container}/{name}',
            lambda connection: connection.delete_object(container, name),
            none=client.GONE,
        )

    def delete_bulk(self, container: str, names: Sequence[str]) -> list[str]:
        """Delete objects by one request of Swift's middleware "bulk".

        For sites that offer it (``bulk_delete`` in :meth:`capabilities`).
        A failure is tried once more: the caller has another way.

        :param names: at most ``max_deletes_per_request``
        :returns: the names of those that Swift did not delete
        :raises RequestFailed: it is not known what was deleted
        """
        policy = dataclasses.replace(
            self._policy, retries=min(1, self._policy.retries)
        )
        tries = retry.Tries(
            policy, f'bulk delete of {len(names)} objects in {container}'
        )
        body = bulk.request(container, names)

        def post(
            connection: connections.Connection, _: dict[str, Any]
        ) -> list[str]:
            _, answer = connection.post_account(
                bulk.HEADERS, query_string='bulk-delete', data=body
            )
            return bulk.failed(answer, container, names)

        return self._run(tries, post)


def _unless_conflict(get: Callable[[], T]) -> T:
    """Take Swift's 409 to a GET for a failure that can pass.

    It means that a segment can't be read now
    (swift/common/middleware/dlo.py, a SegmentError).
    """
    try:
        return get()
    except swiftclient.ClientException as exc:
        if exc.http_status == 409:
            raise errors.Incomplete(f'no segment to be read: {exc}') from exc
        raise


def _length_needed(
    what: str, body: segment.Segment, answer: Mapping[str, Any]
) -> errors.BufswiftError:
    """The error to raise when data of unknown length is refused.

    Swift itself accepts it (api-ref, Transfer-Encoding of an object's PUT);
    old proxies in front of it answer 411.
    """
    if body.buffered:
        return errors.NotStored(failures.describe(answer))
    return errors.RequestFailed(
        f'{what} failed: a proxy in front of Swift refuses data of unknown '
        f'length ({failures.describe(answer)}), and without a buffer it is '
        'known too late. Make room in swift_buffered_dir, or have the proxy '
        'accept chunked encoding',
        status=411,
    )
