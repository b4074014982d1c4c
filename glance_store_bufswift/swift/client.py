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

"""Sends requests to one Swift account, each until it is done or given up."""

from collections.abc import Callable
from collections.abc import Collection
import dataclasses
import threading
from typing import TypeVar

from glance_store_bufswift import errors
from glance_store_bufswift import stopwatch
from glance_store_bufswift.swift import connections
from glance_store_bufswift.swift import failures
from glance_store_bufswift.swift import pace
from glance_store_bufswift.swift import pool
from glance_store_bufswift.swift import retry

T = TypeVar('T')

#: Statuses of a DELETE that say that nothing is left.
GONE_STATUSES = 404, 410


class Client:
    """Sends requests to an account; what they have in common.

    Threads may share it: each gets a connection of its own.

    :param endpoint: where the account is
    :param policy: how often requests are tried
    """

    def __init__(self, endpoint: pool.Endpoint, policy: retry.Policy) -> None:
        self._endpoint = endpoint
        self._policy = policy
        self._pool = pool.Pool(endpoint)
        self._pace = pace.Pace(policy.cancelled, policy.max_backoff)
        self._lock = threading.Lock()
        #: Tries beyond the first, over all requests.
        self.retries = 0

    def fresh(self) -> 'Client':
        """Another one to the same account, not cancelled."""
        policy = dataclasses.replace(
            self._policy,
            cancelled=threading.Event(),
            pauses=stopwatch.Stopwatch(),
        )
        return Client(self._endpoint, policy)

    def of_project(self, project: str) -> 'Client':
        """Another one to another project's account on the same site.

        :raises ConfigError: its URL is not known
        """
        return Client(self._endpoint.of_project(project), self._policy)

    @property
    def url(self) -> str:
        """The account's storage URL."""
        return self._endpoint.url

    @property
    def paused(self) -> float:
        """Seconds between tries, of all threads together."""
        return self._policy.pauses.spent(stopwatch.RETRIES)

    def cancel(self) -> None:
        """End all requests, also those on the wire; for good."""
        self._policy.cancelled.set()
        self._pace.wake()
        self._pool.break_off()

    def close(self) -> None:
        """Close all connections. None may be in use."""
        self._pool.close()

    def pause(self, seconds: float) -> None:
        """Wait; raises Aborted as soon as the requests are cancelled."""
        self._policy.pause(seconds)

    def connection_limit(self, most: int) -> int:
        """How many of ``most`` connections the site has use for."""
        return self._pace.allows(most)

    def tries(
        self,
        what: str,
        passing: Collection[int] = (),
        retries: int | None = None,
    ) -> retry.Tries:
        """The tries of a request.

        :param what: names the request in log lines and errors
        :param passing: statuses that can pass for this request alone
        :param retries: further tries at most; None = as of any request
        """
        policy = self._policy
        if retries is not None:
            policy = dataclasses.replace(
                policy, retries=min(retries, policy.retries)
            )
        return retry.Tries(policy, what, passing)

    def repeat(self, what: str, call: Callable[[], T]) -> T:
        """Repeat a call that raises Doubtful about what its requests returned.

        Each of its requests has tries of its own.

        :param what: names the call in log lines and errors
        :raises RequestFailed: it can't be relied on in the end, or a request
            has failed
        """
        tries = self.tries(what)
        while True:
            tries.begin()
            try:
                return call()
            except errors.Doubtful as exc:
                tries.again(
                    failures.Failure(str(exc), may_pass=exc.may_pass), exc
                )

    def ask(
        self,
        what: str,
        request: Callable[[connections.Connection], T],
        absent: Collection[int] = (404,),
        passing: Collection[int] = (),
    ) -> T | None:
        """Send a request without a body; None if there is nothing.

        :param absent: the statuses that say so
        :param passing: as for tries()
        """
        try:
            return self.run(self.tries(what, passing), request)
        except errors.RequestFailed as exc:
            if exc.status in absent:
                return None
            raise

    def once(self, request: Callable[[connections.Connection], T]) -> T:
        """Send a request once; it raises whatever its try does."""
        connection = self._pool.connection()
        try:
            return request(connection)
        finally:
            # Half an answer may still be on its way.
            connection.close()

    def run(
        self,
        tries: retry.Tries,
        request: Callable[[connections.Connection], T],
        rewind: Callable[[], object] | None = None,
    ) -> T:
        """Send a request until it succeeds or is to be given up.

        :param request: sends it once
        :param rewind: sets the request's body back, if it has one
        """
        before = max(1, tries.made)
        try:
            while True:
                tries.begin()
                connection = self._pool.connection()
                try:
                    return self._try(connection, request)
                except Exception as exc:
                    failure = _failure(exc, connection)
                    tries.again(failure, exc, connection.renew, rewind)
        finally:
            with self._lock:
                self.retries += max(0, tries.made - before)

    def _try(
        self,
        connection: connections.Connection,
        request: Callable[[connections.Connection], T],
    ) -> T:
        """Send a request once, when it is its turn."""
        with self._pace.turn() as began:
            self._policy.check()
            try:
                _renew_token(connection)
                result = request(connection)
            except Exception as exc:
                failure = failures.of_exception(exc)
                if failure and failure.status in failures.TOO_MANY:
                    self._pace.refused(began, failure.retry_after)
                raise
        self._pace.answered()
        return result


def _failure(
    exc: Exception, connection: connections.Connection
) -> failures.Failure:
    """What made a request fail; other exceptions are raised again."""
    failure = failures.of_exception(exc)
    if failure is None:
        raise exc
    if failure.status is None or failure.may_pass:
        # Half an answer, or half a request, can still be on its way; and
        # another proxy may do better.
        connection.close()
    return failure


def _renew_token(connection: connections.Connection) -> None:
    """Take another token before the connection's own expires.

    swiftclient keeps one until Swift refuses it, and an unbuffered segment
    does not survive that. The session asks Keystone only when its token is
    about to expire.
    """
    if connection.session is not None and connection.token:
        connection.token = connection.session.get_token()
