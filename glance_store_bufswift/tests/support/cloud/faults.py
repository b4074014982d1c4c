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

"""The faults that a proxy can inject, and the rules that say where.

A place in a body is a number of bytes from its start, a negative number from
its end (for which Content-Length must be known), or WHOLE: when the body is
complete, however long.
"""

from collections.abc import Callable
from collections.abc import Iterable
import dataclasses
import re
import socket
from typing import ClassVar
from typing import Final
from typing import Literal

from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support.cloud import messages

WHOLE: Final = 'whole'
Place = int | Literal['whole']

# Seconds the upstream may take to answer a request that was held back.
RELEASE_TIMEOUT = 60.0


@dataclasses.dataclass(frozen=True)
class Fault:
    """What happens to a request; `modifies` ones combine with another."""

    modifies: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The name that the log shows."""
        return type(self).__name__


@dataclasses.dataclass(frozen=True)
class Break(Fault):
    """The request breaks off after so many bytes; none of it is stored.

    The piece that reaches the place never goes to the upstream.
    """

    after: Place = 0


@dataclasses.dataclass(frozen=True)
class Status(Break):
    """This answer instead of the upstream's."""

    code: int = 503
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b''


@dataclasses.dataclass(frozen=True)
class Reset(Break):
    """The client's connection is reset (RST)."""


@dataclasses.dataclass(frozen=True)
class Stall(Break):
    """Nothing is read or answered until the client closes, or clear()."""


@dataclasses.dataclass(frozen=True)
class LostAnswer(Fault):
    """The upstream does it all; instead of its answer the client is reset."""


@dataclasses.dataclass(frozen=True)
class BreakAnswer(Fault):
    """The upstream's answer breaks off after so many bytes of its body.

    The client's connection is closed or reset there, or nothing more comes
    over it until the client closes.
    """

    after: int = 0
    how: Literal['close', 'reset', 'stall'] = 'close'


@dataclasses.dataclass(frozen=True)
class LateLanding(Fault):
    """The request is taken whole and goes on when rule.release() is called.

    The client gets no answer: it waits until it gives up, or its connection
    is reset at once.
    """

    reset: bool = False


@dataclasses.dataclass(frozen=True)
class FlipByte(Fault):
    """One byte of the body arrives with all its bits turned over."""

    offset: int = 0


@dataclasses.dataclass(frozen=True)
class Rewrite(Fault):
    """The upstream's answer with another status and other headers.

    A header of None is removed.
    """

    status: int | None = None
    headers: dict[str, str | None] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Throttle(Fault):
    """At most so many bytes a second over this connection."""

    rate: float = 1e6
    modifies = True


@dataclasses.dataclass(frozen=True)
class Latency(Fault):
    """Seconds before the request goes on, and before its answer goes back."""

    before: float = 0.0
    after: float = 0.0
    modifies = True


@dataclasses.dataclass(frozen=True)
class Hook(Fault):
    """Call this before the request goes on, for instance revoke its token.

    :ivar answered: called before the answer goes back
    """

    call: Callable[[journal.Exchange], object] = lambda exchange: None
    answered: Callable[[journal.Exchange], object] = lambda exchange: None
    modifies = True


def place(after: Place, length: int | None) -> int | None:
    """Return how many bytes that is in a body; None: wait for its end."""
    if after == WHOLE:
        return length
    assert isinstance(after, int)
    if after >= 0:
        return after
    if length is None:
        raise ValueError('a place from the end needs a Content-Length')
    return length + after


@dataclasses.dataclass(frozen=True)
class Held:
    """A complete request that waits to be sent to the upstream."""

    address: tuple[str, int]
    message: bytes

    def send(self) -> int:
        """Send it; return the status of the answer."""
        with socket.create_connection(self.address, RELEASE_TIMEOUT) as sock:
            sock.sendall(self.message)
            answer = sock.makefile('rb')
            while True:
                raw = b''
                for line in answer:
                    raw += line
                    if not line.strip():
                        break
                head = messages.Head.parse(raw)
                if head.status >= 200:
                    return head.status


@dataclasses.dataclass(eq=False)
class Rule:
    """Which requests meet a fault.

    :param method: only this method
    :param path: only a path (with query) where this regex is found
    :param skip: so many matching requests go by first
    :param times: so many meet the fault then; None: all
    """

    fault: Fault
    method: str | None = None
    path: str = ''
    skip: int = 0
    times: int | None = 1
    seen: int = dataclasses.field(default=0, init=False)
    applied: int = dataclasses.field(default=0, init=False)
    _held: list[Held] = dataclasses.field(default_factory=list, init=False)

    def take(self, exchange: journal.Exchange) -> bool:
        """Return whether this request meets the fault, and count it."""
        if self.method not in (None, exchange.method):
            return False
        if not re.search(self.path, exchange.path):
            return False
        self.seen += 1
        if self.seen <= self.skip or self.applied == self.times:
            return False
        self.applied += 1
        return True

    def hold(self, held: Held) -> None:
        """Keep a request for release()."""
        self._held.append(held)

    def drop(self) -> None:
        """Forget what is held: it never lands."""
        self._held.clear()

    def release(self) -> list[int]:
        """Send what is held to the upstream; return the statuses it gave.

        What it does is done when this returns. To be sure that a request is
        held, wait for an exchange that is `held`.
        """
        held, self._held = self._held, []
        return [request.send() for request in held]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What happens to one request: any modifiers, and one fault at most."""

    rule: Rule | None
    fault: Fault | None
    rate: float | None
    before: float
    after: float
    hooks: tuple[Hook, ...]


def plan(rules: Iterable[Rule], exchange: journal.Exchange) -> Plan:
    """Return what the rules say on a request.

    All modifiers that match count. Of the other faults the first that takes
    the request gets it, and the rules behind don't see it: so two rules
    alike are two faults one after the other.
    """
    chosen: Rule | None = None
    modifiers: list[Fault] = []
    for rule in rules:
        if rule.fault.modifies:
            modifiers += [rule.fault] if rule.take(exchange) else []
        elif chosen is None and rule.take(exchange):
            chosen = rule
    rates = [m.rate for m in modifiers if isinstance(m, Throttle)]
    waits = [m for m in modifiers if isinstance(m, Latency)]
    return Plan(
        rule=chosen,
        fault=chosen.fault if chosen else None,
        rate=min(rates, default=None),
        before=sum(wait.before for wait in waits),
        after=sum(wait.after for wait in waits),
        hooks=tuple(m for m in modifiers if isinstance(m, Hook)),
    )
