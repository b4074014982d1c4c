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

"""swiftclient's connection, with what swiftclient has no option for.

It sends over :mod:`.tcp`, in larger blocks than urllib3's 16 KiB, and returns
the answers to the PUT and the DELETE of an SLO. It follows no redirects:
requests would send a PUT's token without its body to wherever they point, or
send a GET instead.
"""

from collections.abc import Callable
from collections.abc import Mapping
import functools
from typing import Any
from urllib import parse

import requests.adapters
import swiftclient.client
import urllib3

from glance_store_bufswift.swift import guard
from glance_store_bufswift.swift import tcp
from glance_store_bufswift.swift import tokens
from glance_store_bufswift import units

#: Bytes in a block, which swiftclient has to be told for it to hand out a body
#: unread; whoever reads the body asks for as many as needed.
ANSWER_BLOCK = 128 << 10


class AnswerBody:
    """The body of an answer, as it comes."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int) -> bytes:
        """Some bytes; b'' at the end. What it raises is a failed try."""
        with guard.ours():
            block: bytes = self._body.read(size)
            return block


def _pool(
    pool_class: Any,
    connection_class: Any,
    watched: tcp.Sockets,
    *args: Any,
    **kwargs: Any,
) -> Any:
    pool = pool_class(*args, **kwargs)
    pool.ConnectionCls = functools.partial(
        connection_class, watched, units.BLOCK
    )
    return pool


class _Adapter(requests.adapters.HTTPAdapter):
    def __init__(self, watched: tcp.Sockets) -> None:
        self._sockets = watched
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager: Any = self.poolmanager
        manager.pool_classes_by_scheme = {
            'http': functools.partial(
                _pool, urllib3.HTTPConnectionPool, tcp.HTTP, self._sockets
            ),
            'https': functools.partial(
                _pool, urllib3.HTTPSConnectionPool, tcp.HTTPS, self._sockets
            ),
        }

    def close(self) -> None:
        """Close the sockets now; urllib3 2 waits for garbage collection."""
        pools = self.poolmanager.pools
        for key in pools.keys():
            pools[key].close()
        super().close()


def _delete_slo(
    url: str,
    token: str,
    container: str,
    name: str,
    http_conn: tuple[Any, Any],
    service_token: str | None = None,
) -> bytes:
    """Called by swiftclient's retry; has the signature of its functions."""
    return _send_slo(
        'DELETE',
        http_conn,
        token,
        container,
        name,
        'multipart-manifest=delete',
    )[1]


def _put_slo(
    url: str,
    token: str,
    container: str,
    name: str,
    manifest: bytes,
    headers: Mapping[str, str],
    heartbeat: bool,
    http_conn: tuple[Any, Any],
    service_token: str | None = None,
) -> tuple[int, bytes]:
    """Called by swiftclient's retry; has the signature of its functions."""
    query = 'multipart-manifest=put' + '&heartbeat=on' * heartbeat
    return _send_slo(
        'PUT', http_conn, token, container, name, query, manifest, headers
    )


def _send_slo(
    method: str,
    http_conn: tuple[Any, Any],
    token: str,
    container: str,
    name: str,
    query: str,
    body: bytes | str = '',
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Send a request for an SLO; gives status and body of the answer."""
    parsed, http = http_conn
    path = f'{parsed.path}/{parse.quote(container)}/{parse.quote(name)}'
    http.request(
        method,
        f'{path}?{query}',
        body,
        {
            **(headers or {}),
            'X-Auth-Token': token,
            'Accept': 'application/json',
        },
    )
    response = http.getresponse()
    told: bytes = response.read()
    if not 200 <= response.status <= 299:
        raise swiftclient.ClientException.from_response(
            response, f'SLO {method} failed', told
        )
    return response.status, told


class Connection(swiftclient.Connection):  # type: ignore[misc]
    """swiftclient's connection, on watched sockets; makes single tries.

    :param url: the account's storage URL
    :param token: the user's own, None with a session
    :param session: gives tokens, None if there is only ``token``
    """

    def __init__(
        self,
        watched: tcp.Sockets,
        url: str,
        token: str | None,
        session: tokens.Tokens | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            preauthurl=url,
            preauthtoken=token,
            session=session,
            retries=0,
            **kwargs,
        )
        self._given = url, token
        self._sockets = watched
        self._http: Any = None

    @property
    def renew(self) -> Callable[[], None] | None:
        """A call that switches to another token, None if there is none."""
        return self.session.renew if self.session else None

    def close(self) -> None:
        """Close the socket, even one that swiftclient has dropped."""
        super().close()
        if self._http is not None:
            self._http.close()

    def http_connection(self, url: str | None = None) -> tuple[Any, Any]:
        """Called by swiftclient when it needs a fresh socket."""
        self.close()
        parsed, http = super().http_connection(url)
        self._http = http
        adapter = _Adapter(self._sockets)
        http.request_session.mount('http://', adapter)
        http.request_session.mount('https://', adapter)
        # Have requests neither follow nor read redirects.
        http.request_session.get_redirect_target = lambda response: None
        return parsed, http

    def _retry(self, *args: Any, **kwargs: Any) -> Any:
        """All of swiftclient's requests to an account go through this."""
        with guard.ours():
            try:
                return super()._retry(*args, **kwargs)
            finally:
                if self.session is None:
                    # swiftclient drops them after a 401.
                    self.url, self.token = self._given

    def get_capabilities(self, url: str | None = None) -> Any:
        """The capabilities of the site."""
        with guard.ours():
            return super().get_capabilities(url)

    def delete_slo(self, container: str, name: str) -> bytes:
        """Delete an SLO with its segments; gives the body of the answer.

        swiftclient's delete_object() does not return it.
        """
        answer: bytes = self._retry(None, _delete_slo, container, name)
        return answer

    def put_slo(
        self,
        container: str,
        name: str,
        manifest: bytes,
        headers: Mapping[str, str],
        heartbeat: bool,
    ) -> tuple[int, bytes]:
        """Store the manifest of an SLO; gives status and body of the answer.

        swiftclient's put_object() does not return the body.

        :param heartbeat: whether to ask for signs of life until it is done
        """
        answer: tuple[int, bytes] = self._retry(
            None, _put_slo, container, name, manifest, headers, heartbeat
        )
        return answer
