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

"""What lies between swiftclient and the socket.

Three things that swiftclient has no option for: larger blocks than urllib3's
16 KiB, connections that another thread can break off, and answers that come
before all of a body is sent.
"""

import contextlib
import functools
import socket
import ssl
import threading
from typing import Any
from urllib import parse
import weakref

import requests.adapters
import swiftclient.client
import urllib3
import urllib3.connection

#: Bytes handed to the socket at a time. urllib3 copies each block that it
#: sends in chunked encoding: a copy of this size stays in the processor's
#: cache, and malloc does not map its memory anew each time.
BLOCK = 128 << 10


class Sockets:
    """The connections of an upload, to be broken off from outside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()
        self._broken = False

    def add(self, connection: Any) -> None:
        """Watch a connection that has just been made."""
        with self._lock:
            self._open.add(connection)
            if self._broken:
                _shut_down(connection)

    def break_off(self) -> None:
        """End what is being sent or awaited on any connection, for good."""
        with self._lock:
            self._broken = True
            for connection in self._open:
                _shut_down(connection)


def _shut_down(connection: Any) -> None:
    sock = connection.sock
    if sock is None:  # closed, and about to be opened again or dropped
        return
    # Nothing here may keep an upload from ending with its own error.
    with contextlib.suppress(Exception):
        if isinstance(sock, ssl.SSLSocket):
            # Past SSLSocket.shutdown(), which takes the TLS state away under
            # the thread that is using it.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        else:
            sock.shutdown(socket.SHUT_RDWR)


class _Watched:
    """A connection that sends large blocks and tells where its socket is.

    It stops sending a body when the answer is there, or the other end is
    gone: nginx 1.22 and HAProxy 2.6 pass on a 401 or their own 413 before
    the body has come, and then read no more or for some seconds only
    (lingering_timeout of nginx).
    """

    def __init__(self, sockets: Sockets, *args: Any, **kwargs: Any) -> None:
        kwargs['blocksize'] = BLOCK
        super().__init__(*args, **kwargs)
        self._sockets = sockets
        self._in_body = False
        self._cut = False

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._sockets.add(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request."""
        self._begin()
        super().request(*args, **kwargs)  # type: ignore[misc]

    def request_chunked(self, *args: Any, **kwargs: Any) -> None:
        """What urllib3 1.26 calls for a body of unknown length."""
        self._begin()
        super().request_chunked(*args, **kwargs)  # type: ignore[misc]

    def _begin(self) -> None:
        """Don't send behind half of another request.

        nginx says "keep-alive" to a body that was never sent whole.
        """
        if self._cut:
            self.close()  # type: ignore[attr-defined]
        self._in_body = self._cut = False

    def send(self, data: Any) -> None:
        """Send, or have urllib3 read the answer: BrokenPipeError says so.

        Linux gives what came before a reset, but urllib3 1.26 looks for it
        after this error alone.
        """
        if self._in_body and self._answered():
            self._cut = True
            raise BrokenPipeError('The answer came before the whole request')
        try:
            super().send(data)  # type: ignore[misc]
        except (ConnectionError, ssl.SSLEOFError) as exc:
            if not self._in_body:
                raise
            self._cut = True
            raise BrokenPipeError(str(exc)) from exc
        self._in_body = True

    def _answered(self) -> bool:
        """Whether an answer is there; what TLS hides is not looked for."""
        return False


class _HTTP(_Watched, urllib3.connection.HTTPConnection):
    def _answered(self) -> bool:
        return urllib3.util.wait_for_read(self.sock, timeout=0) and (
            _is_final(self.sock.recv(1 << 12, socket.MSG_PEEK)))


class _HTTPS(_Watched, urllib3.connection.HTTPSConnection):
    pass


def _is_final(come: bytes) -> bool:
    """Whether this begins an answer, or the other end is gone.

    "100 Continue" was not asked for, but HAProxy 2.6 passes it on.
    """
    if not come:
        return True
    while come.startswith((b'HTTP/1.1 1', b'HTTP/1.0 1')):
        come = come.partition(b'\r\n\r\n')[2]
    return len(come) >= len(b'HTTP/1.1 1')


def _pool(pool_class: Any, connection_class: Any, sockets: Sockets,
          *args: Any, **kwargs: Any) -> Any:
    pool = pool_class(*args, **kwargs)
    pool.ConnectionCls = functools.partial(connection_class, sockets)
    return pool


class _Adapter(requests.adapters.HTTPAdapter):
    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager: Any = self.poolmanager
        manager.pool_classes_by_scheme = {
            'http': functools.partial(
                _pool, urllib3.HTTPConnectionPool, _HTTP, self._sockets),
            'https': functools.partial(
                _pool, urllib3.HTTPSConnectionPool, _HTTPS, self._sockets)}

    def close(self) -> None:
        """Close the sockets now: urllib3 2 leaves that to the collector."""
        pools = self.poolmanager.pools
        for key in pools.keys():
            pools[key].close()
        super().close()


def _delete_slo(url: str, token: str, container: str, name: str,
                http_conn: tuple[Any, Any],
                service_token: str | None = None) -> bytes:
    """What swiftclient's retry calls, in the form of its functions."""
    parsed, http = http_conn
    path = f'{parsed.path}/{parse.quote(container)}/{parse.quote(name)}'
    http.request('DELETE', f'{path}?multipart-manifest=delete', '', {
        'X-Auth-Token': token, 'Accept': 'application/json'})
    response = http.getresponse()
    body: bytes = response.read()
    if not 200 <= response.status <= 299:
        raise swiftclient.ClientException.from_response(
            response, 'SLO DELETE failed', body)
    return body


class Connection(swiftclient.Connection):  # type: ignore[misc]
    """swiftclient's connection, on watched sockets.

    :ivar failure: what broke the last request that had no answer
    """

    def __init__(self, sockets: Sockets, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._sockets = sockets
        self._http: Any = None
        self.failure: Exception | None = None

    def close(self) -> None:
        """Close the socket, also one that swiftclient has dropped."""
        super().close()
        if self._http is not None:
            self._http.close()

    def http_connection(self, url: str | None = None) -> tuple[Any, Any]:
        """What swiftclient calls when it needs a fresh socket."""
        self.close()
        parsed, http = super().http_connection(url)
        self._http = http
        adapter = _Adapter(self._sockets)
        http.request_session.mount('http://', adapter)
        http.request_session.mount('https://', adapter)
        http.request = self._noting(http.request)
        return parsed, http

    def delete_slo(self, container: str, name: str) -> bytes:
        """Delete an SLO with its segments; gives the body of the answer.

        swiftclient's delete_object() keeps that to itself.
        """
        answer: bytes = self._retry(None, _delete_slo, container, name)
        return answer

    def _noting(self, request: Any) -> Any:
        """Keep what a request raises; swiftclient's retry drops it."""
        @functools.wraps(request)
        def noting(*args: Any, **kwargs: Any) -> Any:
            self.failure = None
            try:
                return request(*args, **kwargs)
            except Exception as exc:
                self.failure = exc
                raise
        return noting
