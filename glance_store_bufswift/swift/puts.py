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

"""One try of an object's PUT, and the proof that Swift has what was sent."""

from collections.abc import Mapping
import dataclasses
from typing import Any

import swiftclient

from glance_store_bufswift.buffer import segment
from glance_store_bufswift import errors
from glance_store_bufswift import notices
from glance_store_bufswift.swift import answers
from glance_store_bufswift.swift import connections
from glance_store_bufswift.swift import failures
from glance_store_bufswift import units


@dataclasses.dataclass
class Front:
    """What is in front of Swift, as far as answers to PUTs have shown it.

    :ivar url: the account's storage URL
    :ivar needs_lengths: whether a proxy refuses chunked encoding
    """

    url: str
    needs_lengths: bool = False


class Put:
    """An object that is sent until Swift has exactly its bytes.

    :param front: shared by all PUTs to an account
    :param body: what is sent
    :param length: bytes in the body; None = not known yet
    :ivar not_found: whether the last answer was a 404: no container
    """

    def __init__(
        self,
        front: Front,
        container: str,
        name: str,
        body: segment.SegmentBody,
        length: int | None,
        headers: Mapping[str, str] | None,
    ) -> None:
        self._front = front
        self._object = (container, name)
        self._body = body
        self._length = length
        self._headers = headers
        self._start = body.tell()
        self.not_found = False
        if length is None and front.needs_lengths:
            self.rewind()  # waits for its end, if it is buffered

    def rewind(self) -> None:
        """Set the body back, to be sent again."""
        self._body.seek(self._start)

    def send(self, connection: connections.Connection) -> None:
        """Send it once, and make sure that it is stored."""
        size = self._length
        if size is None and self._front.needs_lengths and self._body.finished:
            size = self._body.size
        answer: dict[str, Any] = {}
        try:
            connection.put_object(
                *self._object,
                self._body,
                content_length=size,
                chunk_size=units.BLOCK,
                headers=self._headers,
                response_dict=answer,
            )
        except Exception as exc:
            self.not_found = answer.get('status') == 404
            if size is None and answer.get('status') == 411:
                self._front.needs_lengths = True
                raise self._length_needed(answer) from exc
            raise
        self._confirm(connection, answer, self._body.md5())

    def _length_needed(
        self, answer: Mapping[str, Any]
    ) -> errors.BufswiftError:
        """The error to raise when data of unknown length is refused.

        Swift itself accepts it (api-ref, Transfer-Encoding of an object's
        PUT); old proxies in front of it answer 411.
        """
        if self._body.buffered:
            return errors.NotStored(failures.describe(answer))
        return errors.RequestFailed(
            f'PUT of {"/".join(self._object)} failed: a proxy in front of '
            'Swift refuses data of unknown length '
            f'({failures.describe(answer)}), and without a buffer it is '
            'known too late. Make room in swift_buffered_dir, or have the '
            'proxy accept chunked encoding',
            status=411,
        )

    def _confirm(
        self,
        connection: connections.Connection,
        answer: dict[str, Any],
        md5: str,
    ) -> None:
        """Make sure that it was stored with this MD5.

        :param answer: to its PUT
        :raises NotStored: it was not, or nothing says so
        """
        described = failures.describe(answer)
        etag = answers.md5_of(answer['headers'])
        if answer['status'] == 202 or etag not in (md5, None):
            raise errors.NotStored(
                f'{described}, with ETag {etag!r} for bytes of MD5 {md5}'
            )
        if etag is not None:
            return
        notices.warn_once(
            'What is in front of Swift at %s removes the ETag from '
            'answers to a PUT: a HEAD has to follow each',
            self._front.url,
        )
        etag = self._etag(connection)
        if etag is None:
            raise errors.NeverConfirmed(
                f'{described}, without an ETag, and a HEAD has none either: '
                f'nothing says that Swift has the bytes of MD5 {md5}. A proxy '
                "in front of it removes the ETag; have it pass on Swift's "
                '(nginx: no gzip, sub_filter or proxy_hide_header there)'
            )
        if etag != md5:
            raise errors.NotStored(
                f'{described}, without an ETag, and a HEAD tells ETag '
                f'{etag!r} for bytes of MD5 {md5}'
            )

    def _etag(self, connection: connections.Connection) -> str | None:
        """The ETag of what was just stored, None if it has none."""
        try:
            return answers.md5_of(
                connection.head_object(
                    *self._object, headers={'X-Newest': 'true'}
                )
            )
        except swiftclient.ClientException as exc:
            if exc.http_status == 404:
                raise errors.NotStored(
                    'there is no such object after it was stored'
                ) from exc
            raise
