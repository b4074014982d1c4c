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

"""The segments of one upload that are on their way, and what fails first."""

from collections.abc import Iterator
from collections.abc import Mapping
from concurrent import futures
import functools
import threading

from glance_store_bufswift.buffer import segment
from glance_store_bufswift import errors
from glance_store_bufswift import stopwatch
from glance_store_bufswift.swift import accounts
from glance_store_bufswift import workers


class Transfers:
    """A few workers, each sending one segment at a time.

    The next one begins when the last byte of another has gone to its socket.

    The first failure ends all of it: every segment raises on both its sides,
    and requests on the wire are broken off. If no worker can be started, the
    caller's thread sends each segment while it writes it.

    :param account: what the workers send to; cancelled by the first failure
    :param container: where the objects go
    :param threads: how many segments may be sent at a time
    :param most_in_flight: how many may be under way, including those that only
        wait for an answer
    :param watch: counts the caller's waits for Swift
    """

    def __init__(
        self,
        account: accounts.Account,
        container: str,
        threads: int,
        most_in_flight: int,
        watch: stopwatch.Stopwatch,
    ) -> None:
        self._account = account
        self._container = container
        self._threads = threads
        self._most_in_flight = most_in_flight
        self._watch = watch
        self._workers = workers.Workers(most_in_flight, 'bufswift-put')
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._in_flight: dict[futures.Future[None], segment.SegmentBody] = {}
        #: Every name for which a PUT was begun, and those of segments that are
        #: known to be stored.
        self.attempted: set[str] = set()
        self.stored: set[str] = set()
        #: What has failed first, None so far.
        self.first_error: BaseException | None = None

    @property
    def in_doubt(self) -> bool:
        """Whether a PUT can still land, even one that was retried."""
        return bool(self._account.client.retries) or not (
            self.attempted <= self.stored
        )

    def begin_put(self, name: str) -> None:
        """Note that a PUT begins; from now on there may be such an object."""
        self.attempted.add(name)

    def send(
        self,
        name: str,
        body: segment.SegmentBody,
        length: int | None,
        headers: Mapping[str, str] | None,
        steps: Iterator[object],
    ) -> None:
        """Send an object while its bytes are written; raises as check().

        Its last bytes and its answer may still be under way on return.

        :param length: bytes in the object; None = not known yet
        :param steps: each writes a block of the segment, the last one finishes
            it; what they raise is raised as it is, or kept as the first error
        """
        self.begin_put(name)
        future = self._workers.submit(
            functools.partial(self._put, name, body, length, headers)
        )
        future.add_done_callback(self.wake)
        with self._lock:
            self._in_flight[future] = body
            if self.first_error is not None:
                # The abort came before this segment was in flight.
                body.abort(self.first_error)
        if self._workers.threadless:
            body.feed_from(functools.partial(self._write, steps))
            with self._watch.share(stopwatch.SWIFT):
                self._workers.run_next()
            self._forget_ended()
            return
        for _ in steps:
            self.check()

    def _write(self, steps: Iterator[object]) -> None:
        """Write a block of a segment that this thread is sending.

        swiftclient asks for it, and must not take the source's error for one
        of the network.
        """
        try:
            next(steps, None)
        except BaseException as exc:
            self.abort(exc)
            raise errors.Aborted('The segment can not be written') from exc

    def wait_for_slot(self) -> None:
        """Wait until another segment may begin; raises as check()."""
        self._forget_ended()
        while not self._has_slot():
            with self._watch.share(stopwatch.SWIFT):
                self._wait_for_change()
            self._forget_ended()

    def _wait_for_change(self) -> None:
        with self._changed:
            if not self._has_slot():
                self._changed.wait()

    def wake(self, *_: object) -> None:
        """Wake the upload: a segment has ended, or was sent; on any thread."""
        with self._changed:
            self._changed.notify_all()

    def _has_slot(self) -> bool:
        with self._lock:
            left = [
                body
                for future, body in self._in_flight.items()
                if not future.done()
            ]
        return len(left) < self._most_in_flight and (
            sum(not each.sent for each in left) < self._threads
        )

    def wait_for_one(self) -> None:
        """Wait until a segment in flight has ended; raises as check()."""
        with self._watch.share(stopwatch.SWIFT):
            futures.wait(self._in_flight, return_when=futures.FIRST_COMPLETED)
        self._forget_ended()

    def wait_for_all(self, seconds: float) -> bool:
        """Wait until all segments are stored, but no longer than this.

        :returns: whether all are; raises as check()
        """
        futures.wait(self._in_flight, seconds, futures.FIRST_EXCEPTION)
        self._forget_ended()
        return not self._in_flight

    def check(self) -> None:
        """Raise Aborted if anything has failed."""
        if self.first_error is not None:
            raise errors.Aborted('The upload has failed elsewhere')

    def abort(self, exc: BaseException) -> None:
        """Stop everything, unless it was stopped before; on any thread."""
        with self._lock:
            if self.first_error is not None:
                return
            self.first_error = exc
            for body in self._in_flight.values():
                body.abort(exc)
        self._account.client.cancel()

    def stop(self) -> None:
        """Wait for the workers and give all buffers back."""
        with self._watch.share(stopwatch.SWIFT):
            self._workers.close()
        for body in self._in_flight.values():
            body.close()

    def _put(
        self,
        name: str,
        body: segment.SegmentBody,
        length: int | None,
        headers: Mapping[str, str] | None,
    ) -> None:
        """Send an object, on a worker's thread."""
        try:
            self._account.objects.put(
                self._container, name, body, length, headers
            )
            self.stored.add(name)
            body.close()  # gives its room on the disk to what comes next
        except BaseException as exc:
            self.abort(exc)
            raise

    def _forget_ended(self) -> None:
        self.check()
        with self._lock:
            for future in [each for each in self._in_flight if each.done()]:
                # It may have failed just now.
                self._in_flight.pop(future).close()
