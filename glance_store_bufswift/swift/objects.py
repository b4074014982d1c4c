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

Every request either did what it was to do or raises RequestFailed, whatever
library the error came from, after its tries are used up.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from typing import Any
from typing import TypeVar

import swiftclient

from glance_store_bufswift.buffer import segment
from glance_store_bufswift import errors
from glance_store_bufswift.swift import body as bodies
from glance_store_bufswift.swift import bulk
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import failure as failures
from glance_store_bufswift.swift import listings
from glance_store_bufswift.swift import retry
from glance_store_bufswift.swift import wire

T = TypeVar('T')


@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer to a GET, its body not read yet.

    :ivar headers: names in lower case
    :ivar body: has ``read(size)``; what it raises is one try's failure
    :ivar hang_up: closes the connection
    """

    headers: dict[str, str]
    body: Any
    hang_up: Callable[[], None]


class Objects(client.Client):
    """What is asked of Swift about single objects."""

    def put(self, container: str, name: str, body: segment.Segment,
            length: int | None = None,
            headers: Mapping[str, str] | None = None) -> None:
        """Store an object and make sure that Swift has just these bytes.

        :param body: what is sent; rewound to be sent again
        :param length: bytes in the body; None = not known yet
        :raises RequestFailed: it is not stored, or it is in doubt
        """
        tries = self.tries(f'PUT of {container}/{name}')
        start = body.tell()
        if length is None and self._needs_lengths:
            body.seek(start)    # waits for its end, if it is buffered

        def put(connection: wire.Connection, answer: dict[str, Any]) -> None:
            reader = bodies.Body(body, tries, connection, answer)
            size = length
            if size is None and self._needs_lengths and body.finished:
                size = body.size
            try:
                etag = connection.put_object(
                    container, name, reader, content_length=size,
                    chunk_size=wire.BLOCK, headers=headers,
                    response_dict=answer)
            except Exception as exc:
                if size is None and answer.get('status') == 411:
                    self._needs_lengths = True
                    raise bodies.length_needed(
                        tries.what, body, answer) from exc
                raise
            if answer.get('status') == 202 or etag != body.md5():
                raise errors.NotStored(
                    f'{failures.describe(answer)}, with ETag {etag!r} for '
                    f'bytes of MD5 {body.md5()}')
        self._run(tries, put, lambda: body.seek(start))

    def put_empty(self, container: str, name: str,
                  headers: Mapping[str, str]) -> None:
        """Store an object without content, a manifest."""
        def put(connection: wire.Connection, answer: dict[str, Any]) -> None:
            connection.put_object(container, name, '', headers=headers,
                                  response_dict=answer)
            # A 202 says that an object with a later timestamp is there
            # (swift/proxy/controllers/obj.py): ours was not stored.
            if answer.get('status') == 202:
                raise errors.NotStored(failures.describe(answer))
        self._run(self.tries(f'PUT of {container}/{name}'), put)

    def get(self, container: str, name: str, headers: Mapping[str, str],
            tries: retry.Tries, check: Callable[[Answer], None]) -> Answer:
        """Ask for an object, to read its body from a connection.

        :param tries: of the request, counted on
        :param check: raises what is wrong with an answer, and may read of it
        :raises RequestFailed: there is no good answer
        """
        def get(connection: wire.Connection, _: dict[str, Any]) -> Answer:
            told, body = _unless_conflict(lambda: connection.get_object(
                container, name, resp_chunk_size=wire.ANSWER_BLOCK,
                headers=dict(headers)))
            answer = Answer(told, body, connection.close)
            check(answer)
            return answer
        return self._run(tries, get)

    def head(self, container: str, name: str,
             newest: bool = False) -> dict[str, str] | None:
        """The headers of an object, None if there is none.

        :param newest: whether Swift is to ask all replicas, not the first
            that answers
        """
        headers = {'X-Newest': 'true'} if newest else None
        return self._ask(f'HEAD of {container}/{name}',
                         lambda connection: dict(connection.head_object(
                             container, name, headers=headers)))

    def static_segments(self, container: str, name: str,
                        nested: bool = True) -> list[tuple[str, str]]:
        """Container and name of each segment of an SLO; none if it is gone.

        :param nested: whether to tell of SLOs among them; what those are
            made of is not told
        """
        answer = self._ask(
            f'GET of the manifest {container}/{name}',
            lambda connection: connection.get_object(
                container, name, query_string='multipart-manifest=get',
                headers={'X-Newest': 'true'}))
        return listings.static_segments(
            answer[1], nested) if answer else []

    def delete(self, container: str, name: str) -> None:
        """Delete an object; that there is none is fine."""
        self._ask(f'DELETE of {container}/{name}',
                  lambda connection: connection.delete_object(
                      container, name))

    def delete_slo(self, container: str, name: str) -> list[str]:
        """Delete an SLO, manifest and segments, all by Swift.

        :returns: what Swift did not delete, with its errors
        :raises RequestFailed: it is not known what was deleted
        """
        return self._run(
            self.tries(f'DELETE of the SLO {container}/{name}'),
            lambda connection, _: bulk.slo_left(
                connection.delete_slo(container, name)))

    def delete_bulk(self, container: str, names: Sequence[str]) -> list[str]:
        """Delete objects by one request of Swift's middleware "bulk".

        For sites that offer it (``bulk_delete`` in :meth:`capabilities`).
        A failure is tried once more: the caller has another way.

        :param names: at most ``max_deletes_per_request``
        :returns: the names of those that Swift did not delete
        :raises RequestFailed: it is not known what was deleted
        """
        policy = dataclasses.replace(
            self._policy, retries=min(1, self._policy.retries))
        tries = retry.Tries(
            policy, f'bulk delete of {len(names)} objects in {container}')
        body = bulk.request(container, names)

        def post(connection: wire.Connection, _: dict[str, Any]) -> list[str]:
            _, answer = connection.post_account(
                bulk.HEADERS, query_string='bulk-delete', data=body)
            return bulk.failed(answer, container, names)
        return self._run(tries, post)


def _unless_conflict(get: Callable[[], T]) -> T:
    """Take Swift's 409 to a GET for a failure that may pass.

    It means that a segment can't be read now
    (swift/common/middleware/dlo.py, a SegmentError).
    """
    try:
        return get()
    except swiftclient.ClientException as exc:
        if exc.http_status == 409:
            raise errors.Incomplete(f'no segment to be read: {exc}') from exc
        raise
