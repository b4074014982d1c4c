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

"""The requests for the objects of one Swift account.

Every request either succeeds or, after its last try, raises RequestFailed,
whichever library the error came from.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TypeVar

from glance_store_bufswift.buffer import segment
from glance_store_bufswift import errors
from glance_store_bufswift.swift import bulk
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import connections
from glance_store_bufswift.swift import containers
from glance_store_bufswift.swift import failures
from glance_store_bufswift.swift import gets
from glance_store_bufswift.swift import puts
from glance_store_bufswift.swift import retry
from glance_store_bufswift.swift import sites

T = TypeVar('T')


class Objects:
    """What is asked of Swift about single objects.

    :param client: sends the requests
    :param site: tells how many objects a bulk delete may have
    :param containers: tells which may be missing
    """

    def __init__(
        self,
        client: client.Client,
        site: sites.Site,
        containers: containers.Containers,
    ) -> None:
        self._client = client
        self._site = site
        self._containers = containers
        self._front = puts.Front(client.url)

    def put(
        self,
        container: str,
        name: str,
        body: segment.SegmentBody,
        length: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Store an object and make sure that Swift has exactly these bytes.

        :param body: what is sent; rewound to be sent again
        :param length: bytes in the body; None = not known yet
        :raises RequestFailed: it is not stored, or that is in doubt
        """
        put = puts.Put(self._front, container, name, body, length, headers)

        def rewind() -> None:
            put.rewind()
            if put.not_found:
                self._containers.ensure_assumed(container)

        self._client.run(self._put_tries(container, name), put.send, rewind)

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
        tries = self._put_tries(container, name)

        def put(connection: connections.Connection) -> None:
            if tries.made > 1 and done():
                return
            answer: dict[str, Any] = {}
            connection.put_object(
                container, name, '', headers=headers, response_dict=answer
            )
            # A 202 says that an object with a later timestamp is there
            # (swift/proxy/controllers/obj.py): ours was not stored.
            if answer.get('status') == 202:
                raise errors.NotStored(failures.describe(answer))

        self._client.run(tries, put)

    def _put_tries(self, container: str, name: str) -> retry.Tries:
        """The tries of a PUT.

        A 404 can pass: a proxy caches for a while that a container is missing,
        though another one has created it (set_info_cache() in
        swift/proxy/controllers/base.py), or the container is created only now.
        """
        unsure = container in self._containers.unsure
        passing: Collection[int] = (404,) if unsure else ()
        return self._client.tries(f'PUT of {container}/{name}', passing)

    def get(
        self,
        container: str,
        name: str,
        headers: Mapping[str, str],
        tries: retry.Tries,
        take: Callable[[gets.Answer], T],
        query: str | None = None,
    ) -> T:
        """Ask for an object, to read its body from a connection.

        :param tries: of the request, counted on
        :param take: turns an answer into what is returned, and may read from
            it; raises what is wrong with it, Doubtful for a failed try
        :param query: what stands behind the "?" of the URL
        :raises RequestFailed: there is no good answer
        """

        def get(connection: connections.Connection) -> T:
            answer = gets.answer(connection, container, name, headers, query)
            try:
                return take(answer)
            except BaseException:
                answer.hang_up()
                raise

        return self._client.run(tries, get)

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
        return self._client.ask(
            f'HEAD of {container}/{name}',
            lambda connection: dict(
                connection.head_object(
                    container, name, headers=headers, query_string=query
                )
            ),
        )

    def delete(self, container: str, name: str) -> None:
        """Delete an object, if it exists."""
        self._client.ask(
            f'DELETE of {container}/{name}',
            lambda connection: connection.delete_object(container, name),
            absent=client.GONE_STATUSES,
        )

    def bulk_limit(self) -> int:
        """How many objects a bulk delete may have; 0 if there is none."""
        return bulk.limit(self._site.capabilities())

    def delete_bulk(self, container: str, names: Sequence[str]) -> list[str]:
        """Delete objects by one request of Swift's middleware "bulk".

        A failure is tried once more: the caller has another way.

        :param names: at most bulk_limit()
        :returns: the names of those that Swift did not delete
        :raises RequestFailed: it is not known what was deleted
        """
        what = f'bulk delete of {len(names)} objects in {container}'
        body = bulk.request(container, names)

        def post(connection: connections.Connection) -> list[str]:
            _, answer = connection.post_account(
                bulk.HEADERS, query_string='bulk-delete', data=body
            )
            return bulk.failed(answer, container, names)

        return self._client.run(self._client.tries(what, retries=1), post)
