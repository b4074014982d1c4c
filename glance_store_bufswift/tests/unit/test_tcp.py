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

"""What is handed to sockets, and taking them away."""

import socket
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st
from oslotest import base

from glance_store_bufswift.swift import tcp
from glance_store_bufswift.tests.unit import wires


class Taker:
    """A socket that takes as many bytes at a time as it is told.

    :param counts: of bytes; in the end it takes whatever comes
    """

    def __init__(self, counts: list[int]) -> None:
        self._counts = counts
        self.steps: list[bytes] = []

    def send(self, data: memoryview) -> int:
        count = self._counts.pop() if self._counts else len(data)
        self.steps.append(bytes(data[:count]))
        return len(self.steps[-1])

    def sendmsg(self, parts: tuple[bytes, ...]) -> int:
        return self.send(memoryview(b''.join(parts)))


PARTS = st.lists(st.binary(max_size=9), min_size=1, max_size=3)
COUNTS = st.lists(st.integers(1, 12), max_size=9)


class TestSending(base.BaseTestCase):
    """A socket with a timeout takes what fits into its buffer."""

    def write(
        self, kind: Any, parts: list[bytes], counts: list[int]
    ) -> list[bytes]:
        """What a socket got, by step."""
        connection = kind(tcp.Sockets(), 1, 'host')
        connection.sock = taker = Taker(counts)
        connection._write(*parts)
        connection.sock = None
        return taker.steps

    @given(PARTS, COUNTS)
    def test_everything_goes_once_and_in_order(
        self, parts: list[bytes], counts: list[int]
    ) -> None:
        for kind in (tcp.HTTP, tcp.HTTPS):
            self.assertEqual(
                b''.join(parts), b''.join(self.write(kind, parts, counts[:]))
            )

    def test_a_chunk_goes_in_one_step(self) -> None:
        self.assertEqual(
            [b'3\r\nabc\r\n'],
            self.write(tcp.HTTP, [b'3\r\n', b'abc', b'\r\n'], []),
        )

    def test_no_chunk_is_empty(self) -> None:
        """It would end the body."""
        connection = tcp.HTTP(tcp.Sockets(), 1, 'host')
        with mock.patch.object(
            connection, '_send_body', autospec=True
        ) as send:
            self.assertEqual(
                [], list(connection._send_chunks([b'a', b'', b'b']))
            )
        self.assertEqual(
            [mock.call(b'1\r\n', data, b'\r\n') for data in (b'a', b'b')],
            send.mock_calls,
        )

    def test_tls_gets_small_blocks(self) -> None:
        """Each has the timeout to itself: a slow site gets time for all."""
        with mock.patch.object(tcp, 'TLS_BLOCK', 4):
            self.assertEqual(
                [b'9', b'0123', b'4567', b'8'],
                self.write(tcp.HTTPS, [b'9', b'012345678'], []),
            )


class TestSockets(base.BaseTestCase):
    """Breaking off connections that are in no state to be broken off."""

    def test_connection_without_a_socket(self) -> None:
        watched, connection = tcp.Sockets(), wires.Holder(None)
        watched.add(connection)
        watched.break_off()
        watched.add(connection)

    def test_connection_whose_socket_is_closed(self) -> None:
        near, far = socket.socketpair()
        far.close()
        near.close()
        watched, connection = tcp.Sockets(), wires.Holder(near)
        watched.add(connection)
        watched.break_off()
