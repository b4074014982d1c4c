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

"""What a fault does to a client once its place in the request is reached."""

from collections.abc import Callable
import http

from glance_store_bufswift.tests.support.cloud import channel
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support.cloud import messages


class Broken(Exception):
    """A side is gone, so the exchange can't go on."""


def read_body(
    client: channel.Channel,
    body: messages.Body,
    take: Callable[[memoryview], object],
) -> bool:
    """Give what is left of a body to `take`; False: it broke off."""
    data = memoryview(client.spare)
    while True:
        used = body.advance(data) if not body.done else 0
        take(data[:used])
        client.spare = bytes(data[used:])
        if body.done:
            return True
        channel.wait([client], [])
        data = client.receive()
        if not data:
            return False


def drain(
    client: channel.Channel,
    body: messages.Body,
    exchange: journal.Exchange,
    log: journal.Journal,
) -> None:
    """End the client's side, but take the rest of its body.

    Closing with bytes unread would send an RST, and that can eat the answer
    before the client reads it.
    """
    log.update(exchange, parked=True)
    client.end_output()
    read_body(
        client, body, lambda data: log.update(exchange, received=body.payload)
    )


class Strike:
    """The faults that end an exchange on the client's side."""

    def __init__(
        self,
        client: channel.Channel,
        exchange: journal.Exchange,
        log: journal.Journal,
    ) -> None:
        self._client = client
        self._exchange = exchange
        self._log = log

    def fire(self, fault: faults.Fault | None, body: messages.Body) -> bool:
        """Carry it out; return whether the connection can go on."""
        self._log.update(self._exchange, fired=True)
        if isinstance(fault, faults.Status):
            return self._refuse(fault, body)
        how = fault.how if isinstance(fault, faults.BreakAnswer) else None
        if how == 'close':
            return False
        if isinstance(fault, faults.Stall) or how == 'stall':
            self._log.update(self._exchange, parked=True)
            self._client.wait_closed()
            return False
        return self._reset()

    def _reset(self) -> bool:
        self._log.finish(self._exchange)
        self._client.reset()
        return False

    def _refuse(self, fault: faults.Status, body: messages.Body) -> bool:
        reason = {s.value: s.phrase for s in http.HTTPStatus}
        fields = {'Content-Length': str(len(fault.body)), **fault.headers}
        if not body.done:
            fields['Connection'] = 'close'
        first = f'HTTP/1.1 {fault.code} {reason.get(fault.code, "Fault")}'
        head = messages.Head(first, tuple(fields.items()))
        self._log.update(self._exchange, status=fault.code)
        self._log.answered(self._exchange)
        self._client.queue(head.encode())
        if self._exchange.method != 'HEAD':
            self._client.queue(fault.body)
        self._client.flush_all()
        if not body.done:
            drain(self._client, body, self._exchange, self._log)
            return False
        return head.keeps_alive

    def hold(
        self,
        rule: faults.Rule,
        address: tuple[str, int],
        head: messages.Head,
        body: messages.Body,
    ) -> bool:
        """Take the request whole, and keep it for rule.release()."""
        assert isinstance(rule.fault, faults.LateLanding)
        if '100-continue' in head.get('expect').lower():
            self._client.queue(b'HTTP/1.1 100 Continue\r\n\r\n')
            self._client.flush_all()
        message = bytearray(head.encode())

        def take(data: memoryview) -> None:
            message.extend(data)
            self._log.update(self._exchange, received=body.payload)

        if not read_body(self._client, body, take):
            raise Broken('the client has closed in the middle of the body')
        rule.hold(faults.Held(address, bytes(message)))
        self._log.update(self._exchange, fired=True, held=True, parked=True)
        if rule.fault.reset:
            return self._reset()
        self._client.wait_closed()
        return False
