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

"""The upstream's answer on its way through the fault proxy."""

from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import messages


class Answer:
    """An answer as it comes in, and what of it goes on to the client."""

    def __init__(self, method: str, fault: faults.Fault | None) -> None:
        self._method = method
        self._fault = fault
        self._raw = b''
        self._body: messages.Body | None = None
        self.upstream_status: int | None = None
        self.status: int | None = None
        self.keeps_alive = True
        self.broken = False  # the place of a BreakAnswer is reached

    @property
    def done(self) -> bool:
        """Whether it is complete."""
        return self._body is not None and self._body.done

    def end(self) -> bool:
        """The upstream has closed: return whether that makes sense."""
        return self._body is not None and self._body.end()

    def feed(self, data: memoryview) -> bytes | memoryview:
        """Take bytes from the upstream; return those for the client."""
        head = b''
        while self._body is None:
            raw, found, rest = (self._raw + data).partition(messages.HEAD_END)
            if not found:
                self._raw = raw
                return head
            head += self._head(messages.Head.parse(raw))
            self._raw, data = b'', memoryview(rest)
        stop = (
            self._fault.after
            if isinstance(self._fault, faults.BreakAnswer)
            else None
        )
        data = data[: self._body.advance(data, stop)]
        self.broken = self._body.payload == stop and not self._body.done
        return head + data if head else data

    def _head(self, head: messages.Head) -> bytes:
        if head.status < 200:
            return head.encode()
        self._body = messages.answer_body(head, self._method)
        self.upstream_status = head.status
        if isinstance(self._fault, faults.Rewrite):
            head = head.replace(self._fault.status, self._fault.headers)
        body = messages.answer_body(head, self._method)
        # A body that no longer fits its head can't be followed by another.
        same = body.length == self._body.length
        endless = isinstance(body, messages.EndlessBody)
        self.keeps_alive = head.keeps_alive and same and not endless
        self.status = head.status
        return head.encode()
