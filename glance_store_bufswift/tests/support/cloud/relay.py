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

"""One exchange through the fault proxy: full duplex, with its fault.

Both directions run in one thread over non-blocking sockets, so that an early
answer gets through while the request's body is still coming.
"""

import time

from glance_store_bufswift.tests.support.cloud import answer
from glance_store_bufswift.tests.support.cloud import channel
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support.cloud import messages
from glance_store_bufswift.tests.support.cloud import strike


class _Fired(Exception):
    """The place of the fault is reached."""


class Relay:
    """One request of a client, whose head has come, and its answer."""

    def __init__(
        self,
        client: channel.Channel,
        address: tuple[str, int],
        head: messages.Head,
        exchange: journal.Exchange,
        plan: faults.Plan,
        log: journal.Journal,
    ) -> None:
        self._client = client
        self._upstream: channel.Channel | None = None
        self._address = address
        self._head = head
        self._exchange = exchange
        self._plan = plan
        self._log = log
        self._body = messages.request_body(head)
        self._answer = answer.Answer(exchange.method, plan.fault)
        self._answer_at = 0.0  # it does not go back before this time
        self._pace = channel.Pace(plan.rate)
        self._stop = self._first_stop()
        self._breaks = isinstance(plan.fault, faults.Break)
        self._deaf = False  # the upstream takes nothing more
        self._closed = False  # the upstream sends nothing more

    def _first_stop(self) -> int | None:
        """Return where in the body something happens, None: at its end."""
        fault, length = self._plan.fault, self._body.length
        if isinstance(fault, faults.Break):
            return faults.place(fault.after, length)
        if isinstance(fault, faults.FlipByte):
            return (faults.place(fault.offset, length) or 0) + 1
        return None

    def abort(self) -> None:
        """End it from another thread."""
        if self._upstream:
            self._upstream.abort()

    def run(self) -> bool:
        """Do it; return whether the connection can take another request."""
        for hook in self._plan.hooks:
            hook.call(self._exchange)
        self._client.pause(self._plan.before)
        action = strike.Strike(self._client, self._exchange, self._log)
        if self._plan.rule and isinstance(
            self._plan.fault, faults.LateLanding
        ):
            return action.hold(
                self._plan.rule, self._address, self._head, self._body
            )
        try:
            if self._due():
                raise _Fired
            return self._relay()
        except _Fired:
            self._client.pause(self._plan.after)
            return action.fire(self._plan.fault, self._body)

    def _relay(self) -> bool:
        with channel.connect(self._address) as upstream:
            self._upstream = upstream
            if self._client.aborted:
                raise strike.Broken('ended by the test')
            self._log.update(self._exchange, forwarded=True)
            upstream.queue(self._head.encode())
            spare, self._client.spare = self._client.spare, b''
            self._forward(upstream, memoryview(spare))
            while not self._complete():
                self._turn(upstream)
        if not self._body.done:
            strike.drain(self._client, self._body, self._exchange, self._log)
            return False
        return self._head.keeps_alive and self._answer.keeps_alive

    def _complete(self) -> bool:
        if not self._answer.done or self._client.pending:
            return False
        return self._body.done or self._closed or self._deaf

    def _turn(self, upstream: channel.Channel) -> None:
        """Wait for the sockets, then do what they are ready for."""
        now = time.monotonic()
        paced = self._pace.ready <= now
        writes = [upstream] if upstream.pending else []
        reads = []
        if paced and not upstream.pending and not self._body.done:
            reads.append(self._client)
        if self._client.pending and self._answer_at <= now:
            writes.append(self._client)
        if paced and not self._client.pending and not self._closed:
            reads.append(upstream)
        moments = (self._pace.ready, self._answer_at)
        readable, writable = channel.wait(
            reads,
            writes,
            min((moment for moment in moments if moment > now), default=None),
        )
        self._write(writable, upstream)
        self._read(readable, upstream)

    def _write(
        self, ready: set[channel.Channel], upstream: channel.Channel
    ) -> None:
        if upstream in ready:
            self._flush(upstream)
        if self._client in ready:
            self._client.flush()

    def _read(
        self, ready: set[channel.Channel], upstream: channel.Channel
    ) -> None:
        if upstream in ready and not self._client.pending:
            self._from_upstream(upstream)
        if self._client in ready and not upstream.pending:
            self._from_client(upstream)

    # The request's way

    def _from_client(self, upstream: channel.Channel) -> None:
        data = self._client.receive(self._pace.limit)
        if data:
            self._pace.spend(len(data))
            self._forward(upstream, data)
        elif self._answer.done:
            self._closed = True  # it has its answer, and hangs up
        else:
            raise strike.Broken('the client has closed in mid-body')

    def _forward(self, upstream: channel.Channel, data: memoryview) -> None:
        while data and not self._body.done:
            used = self._body.advance(data, self._stop)
            piece, data = data[:used], data[used:]
            self._log.update(self._exchange, received=self._body.payload)
            if self._due():
                self._client.spare = bytes(data)
                raise _Fired
            if not self._breaks and self._body.payload == self._stop:
                piece = self._flip(piece)
            upstream.queue(piece)
        self._client.spare += bytes(data)
        self._flush(upstream)

    def _due(self) -> bool:
        """Whether a fault that breaks off has its place here."""
        if self._stop is None:
            return self._breaks and self._body.done
        return self._breaks and self._body.payload == self._stop

    def _flip(self, piece: memoryview) -> memoryview:
        self._stop = None
        self._log.update(self._exchange, fired=True)
        return memoryview(bytes(piece[:-1]) + bytes([piece[-1] ^ 0xFF]))

    def _flush(self, upstream: channel.Channel) -> None:
        try:
            if not self._deaf:
                upstream.flush()
        except OSError:
            self._deaf = True  # but its answer may be there already
        if self._deaf:
            upstream.drop()

    # The answer's way

    def _from_upstream(self, upstream: channel.Channel) -> None:
        data = upstream.receive(self._pace.limit)
        ended = not data or self._answer.done
        if ended:
            self._upstream_closed()
            return
        self._pace.spend(len(data))
        headless = self._answer.status is None
        out = self._answer.feed(data)
        if headless and self._answer.status is not None:
            self._answered()
        if isinstance(self._plan.fault, faults.LostAnswer):
            if self._answer.done:
                raise _Fired
            return
        if self._answer.done:
            self._log.answered(self._exchange)
        self._client.queue(out)
        if self._answer.broken:
            self._client.flush_all()
            raise _Fired

    def _answered(self) -> None:
        """The head of the final answer has come."""
        for hook in self._plan.hooks:
            hook.answered(self._exchange)
        self._answer_at = time.monotonic() + self._plan.after
        lost = isinstance(self._plan.fault, faults.LostAnswer)
        rewritten = isinstance(self._plan.fault, faults.Rewrite)
        self._log.update(
            self._exchange,
            upstream_status=self._answer.upstream_status,
            status=None if lost else self._answer.status,
            fired=self._exchange.fired or rewritten,
        )

    def _upstream_closed(self) -> None:
        self._closed = True
        if self._answer.done:
            return
        if not self._answer.end():
            raise strike.Broken('the upstream has closed without an answer')
        if isinstance(self._plan.fault, faults.LostAnswer):
            raise _Fired
        self._log.answered(self._exchange)
