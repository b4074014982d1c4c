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

"""An HTTP/1.1 proxy between a client and one server, that injects faults.

    with FaultProxy('127.0.0.1', 8080) as proxy:
        proxy.add(Rule(Reset(after=1000), method='PUT', path='/seg'))
        ...                         # a client uses proxy.url
        proxy.wait_for(lambda log: any(e.fired for e in log))

Without rules it relays truly, byte by byte, in both directions at once.
"""

from collections.abc import Callable
import socket
import threading
import types

from glance_store_bufswift.tests.support.cloud import channel
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support.cloud import messages
from glance_store_bufswift.tests.support.cloud import relay

HOST = '127.0.0.1'

# Seconds that clear() lets normal exchanges end by themselves.
PATIENCE = 30.0


class _Link(threading.Thread):
    """One connection of a client: its requests one after the other."""

    def __init__(self, proxy: 'FaultProxy', sock: socket.socket) -> None:
        super().__init__(daemon=True, name=f'{proxy.name}-link')
        self._proxy = proxy
        self._client = channel.Channel(sock)
        self._relay: relay.Relay | None = None
        self.exchange: journal.Exchange | None = None

    def run(self) -> None:
        try:
            while self._serve():
                pass
        finally:
            self._client.close()
            self._proxy.forget(self)

    def abort(self) -> None:
        """End it from another thread."""
        self._client.abort()
        if self._relay:
            self._relay.abort()

    def _head(self) -> messages.Head | None:
        """Return the next request's head, None if there is none."""
        raw = b''
        data = self._client.spare
        while messages.HEAD_END not in raw + data:
            raw += data
            channel.wait([self._client], [])
            data = bytes(self._client.receive())
            if not data or len(raw) > messages.MAX_HEAD:
                return None
        raw, _, self._client.spare = (raw + data).partition(messages.HEAD_END)
        return messages.Head.parse(raw)

    def _serve(self) -> bool:
        head = self._head()
        if head is None or self._client.aborted:
            return False
        proxy = self._proxy
        exchange, plan = proxy.begin(head)
        self.exchange = exchange
        try:
            self._relay = relay.Relay(
                self._client,
                proxy.upstream,
                head,
                exchange,
                plan,
                proxy.journal,
            )
            return self._relay.run()
        except Exception as error:
            # Whatever it is, a test's mistake in a hook too: the log has it.
            proxy.journal.update(exchange, error=f'{error!r}')
            self._client.reset()
            return False
        finally:
            proxy.journal.finish(exchange)


class FaultProxy:
    """The proxy; see the module. It may be started once.

    :param name: what its threads are called
    """

    def __init__(
        self, upstream_host: str, upstream_port: int, name: str = 'fault-proxy'
    ) -> None:
        self.upstream = (upstream_host, upstream_port)
        self.name = name
        self.journal = journal.Journal()
        self._lock = threading.Lock()
        self._rules: list[faults.Rule] = []
        self._links: set[_Link] = set()
        self._listener = socket.create_server((HOST, 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(
            target=self._accept, daemon=True, name=f'{name}-accept'
        )

    def __enter__(self) -> 'FaultProxy':
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where clients reach it, without a path."""
        return f'http://{HOST}:{self.port}'

    def start(self) -> None:
        """Accept connections from now on."""
        self._acceptor.start()

    def stop(self) -> None:
        """Close all connections, and join all threads."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        except OSError:
            pass  # not listening
        self._acceptor.join()
        self._listener.close()
        for rule in self._rules:
            rule.drop()
        for link in self._all_links():
            link.abort()
            link.join()

    # Rules

    def add(self, rule: faults.Rule) -> faults.Rule:
        """Inject what this rule says, from the next request on."""
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self, patience: float = PATIENCE) -> None:
        """Make it as new: no rules, nothing in flight, an empty log.

        What is stalled is broken off, what is held never lands; anything
        else has `patience` seconds to end by itself.
        """
        with self._lock:
            dropped, self._rules = self._rules, []

        def quiet(log: journal.Log) -> bool:
            # As the log changes, whatever parks later is broken off too.
            for link in self._all_links():
                if link.exchange and link.exchange.parked:
                    link.abort()
            return all(exchange.finished for exchange in log)

        try:
            self.journal.wait_for(quiet, patience)
        finally:
            for rule in dropped:
                rule.drop()
            self.journal.clear()

    # Log

    @property
    def log(self) -> journal.Log:
        """The exchanges so far, oldest first; those in flight are live."""
        return self.journal.snapshot()

    def wait_for(
        self,
        predicate: Callable[[journal.Log], object],
        timeout: float = journal.TIMEOUT,
    ) -> journal.Log:
        """Block until predicate(log) is true, and return that log."""
        return self.journal.wait_for(predicate, timeout)

    def peak(self, method: str) -> int:
        """Return how many requests have been in flight at once."""
        return self.journal.peak(method)

    # For the links

    def begin(
        self, head: messages.Head
    ) -> tuple[journal.Exchange, faults.Plan]:
        """Enter a request into the log, and say what happens to it."""
        exchange = self.journal.begin(head, messages.request_body(head).length)
        with self._lock:
            plan = faults.plan(self._rules, exchange)
        if plan.fault:
            self.journal.update(exchange, fault=plan.fault.name)
        return exchange, plan

    def forget(self, link: _Link) -> None:
        """The link is closed."""
        with self._lock:
            self._links.discard(link)

    def _all_links(self) -> list[_Link]:
        with self._lock:
            return list(self._links)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return  # stop() was called
            link = _Link(self, sock)
            with self._lock:
                self._links.add(link)
            link.start()
