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

"""The requests for the Static Large Objects of one Swift account."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import swiftclient

from glance_store_bufswift import errors
from glance_store_bufswift.swift import bulk
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import connections
from glance_store_bufswift.swift import listings
from glance_store_bufswift.swift import slo_manifest


class StaticLargeObjects:
    """What is asked of Swift about SLOs.

    :param client: sends the requests
    """

    def __init__(self, client: client.Client) -> None:
        self._client = client

    def put(
        self,
        container: str,
        name: str,
        segments: Sequence[slo_manifest.ManifestEntry],
        heartbeat: bool,
        headers: Mapping[str, str],
        done: Callable[[], bool] = lambda: False,
    ) -> None:
        """Store the manifest of an SLO.

        Swift looks at each segment first, and compares size and MD5.

        :param heartbeat: whether Swift is to give signs of life meanwhile
        :param done: called before each retry; returns whether an earlier try
            has stored it
        :raises RequestFailed: it is not stored, or that is in doubt
        """
        tries = self._client.tries(f'PUT of the SLO {container}/{name}')
        manifest = slo_manifest.manifest(segments)

        def put(connection: connections.Connection) -> None:
            if tries.made > 1 and done():
                return
            try:
                slo_manifest.stored(
                    *connection.put_slo(
                        container, name, manifest, headers, heartbeat
                    )
                )
            except swiftclient.ClientException as exc:
                raise slo_manifest.explained(exc) from exc

        self._client.run(tries, put)

    def segments(
        self, container: str, name: str, nested: bool = True
    ) -> list[tuple[str, str]]:
        """Container and name of each segment of an SLO; none if it is gone.

        :param nested: whether to include SLOs among them, without what those
            are made of
        :raises RequestFailed: the manifest can't be read
        :raises NoList: the answer has no list; Ceph RGW answers so: 200
            without a body
        """

        def read(connection: connections.Connection) -> list[tuple[str, str]]:
            _, body = connection.get_object(
                container,
                name,
                resp_chunk_size=connections.ANSWER_BLOCK,
                query_string=slo_manifest.GET_MANIFEST,
                headers={'X-Newest': 'true'},
            )
            try:
                return listings.slo_segments(
                    listings.manifest_of(connections.AnswerBody(body).read),
                    nested,
                )
            except BaseException:
                connection.close()
                raise

        what = f'GET of the manifest {container}/{name}'
        try:
            return self._client.ask(what, read) or []
        except errors.RequestFailed as exc:
            if isinstance(exc.__cause__, errors.Unreadable):
                raise errors.NoList(str(exc)) from exc
            raise

    def delete(self, container: str, name: str) -> list[str]:
        """Have Swift delete an SLO, its manifest and its segments.

        :returns: what Swift did not delete, with its errors
        :raises RequestFailed: it is not known what was deleted
        """
        left = self._client.ask(
            f'DELETE of the SLO {container}/{name}',
            lambda connection: bulk.slo_left(
                connection.delete_slo(container, name)
            ),
            absent=client.GONE_STATUSES,
        )
        return left or []
