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

"""One try of an object's GET."""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
from typing import Any

import swiftclient

from glance_store_bufswift import errors
from glance_store_bufswift.swift import connections


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


def answer(
    connection: connections.Connection,
    container: str,
    name: str,
    headers: Mapping[str, str],
    query: str | None,
) -> Answer:
    """Ask for an object once.

    Swift's 409 to a GET is a failure that can pass: a segment can't be read
    now (swift/common/middleware/dlo.py, a SegmentError).

    :param query: what stands behind the "?" of the URL
    """
    response: dict[str, Any] = {}
    try:
        _, body = connection.get_object(
            container,
            name,
            resp_chunk_size=connections.ANSWER_BLOCK,
            headers=dict(headers),
            response_dict=response,
            query_string=query,
        )
    except swiftclient.ClientException as exc:
        if exc.http_status == 409:
            raise errors.Incomplete(f'no segment to be read: {exc}') from exc
        raise
    return Answer(
        response['status'],
        dict(response['headers']),
        connections.AnswerBody(body),
        connection.close,
    )
