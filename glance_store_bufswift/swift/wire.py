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

Two things that swiftclient has no option for: larger blocks than urllib3's
16 KiB, and connections that another thread can break off.
"""

import contextlib
import functools
import socket
import ssl
import threading
from typing import Any
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
    """A connection that sends large blocks and tells where its socket is."""

    def __init__(self, sockets: Sockets, *args: Any, **kwargs: Any) -> None:
        kwargs['blocksize'] = BLOCK
        super().__init__(*args, **kwargs)
        self._sockets = sockets

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._sockets.add(self)


class _HTTP(_Watched, urllib3.connection.HTTPConnection):
    pass


class _HTTPS(_Watched, urllib3.connection.HTTPSConnection):
    pass


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
