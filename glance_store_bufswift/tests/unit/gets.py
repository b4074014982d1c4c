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

"""An object on the wire, given in whole or in ranges, or broken off."""

import hashlib
import re
from typing import Any

from glance_store_bufswift.tests.unit import sockets


class Thing:
    """An object, as a server gives it.

    :param data: what is in it
    :param etag: the header's value; its MD5 if None, no header if empty
    :param written: when, as X-Timestamp; None for no such header
    """

    def __init__(
        self, data: bytes, etag: str | None = None, written: str | None = None
    ) -> None:
        self.data = data
        self._written = written
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        self.etag = f'"{md5}"' if etag is None else etag

    def give(self, request: sockets.Request) -> None:
        """Answer a GET in whole, or the range that it asks for."""
        self._answer(request, None)

    def cut(self, after: int, reset: bool = False) -> sockets.Action:
        """Close, or reset, after so many bytes of the answer's body."""

        def act(request: sockets.Request) -> None:
            self._answer(request, after)
            request.hang_up(reset)

        return act

    def stall(self, after: int) -> sockets.Action:
        """Say nothing more after so many bytes, until the client goes."""

        def act(request: sockets.Request) -> None:
            self._answer(request, after)
            request.wait_for_hang_up()

        return act

    def head(self, request: sockets.Request) -> None:
        """Answer a HEAD."""
        request.send(
            200,
            {
                'ETag': self.etag or None,
                'X-Timestamp': self._written,
                'Content-Length': str(len(self.data)),
            },
        )

    def whole(self, request: sockets.Request) -> None:
        """Answer as one does who does not know of ranges."""
        self._answer(request, None, ranges=False)

    def _answer(
        self, request: sockets.Request, after: int | None, ranges: bool = True
    ) -> None:
        first, last = 0, len(self.data) - 1
        headers: dict[str, Any] = {
            'ETag': self.etag or None,
            'X-Timestamp': self._written,
        }
        asked = re.match(
            r'bytes=(\d+)-(\d*)',
            request.headers.get('range', '') if ranges else '',
        )
        if asked:
            first = int(asked[1])
            last = min(last, int(asked[2] or last))
            headers['Content-Range'] = f'bytes {first}-{last}/{len(self.data)}'
        headers['Content-Length'] = last - first + 1
        body = self.data[first : last + 1]
        request.send(206 if asked else 200, headers, body[:after])


def ranges(server: sockets.Server) -> list[str | None]:
    """What ranges were asked for."""
    return [each.headers.get('range') for each in server.requests]
