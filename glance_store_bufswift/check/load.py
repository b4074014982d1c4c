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

"""Measuring Swift: about 200 MB there and back over several connections."""

from collections.abc import Callable
from collections.abc import Sequence
import functools
import statistics
import time

from glance_store_bufswift.check import ending
from glance_store_bufswift.check import figures
from glance_store_bufswift.check import temporary
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.swift import accounts
from glance_store_bufswift import units
from glance_store_bufswift import workers

#: How many connections are measured together, in turn.
CONNECTION_COUNTS = 1, 2, 4, 8

#: Objects that each number of connections sends, and then reads; bytes in each
#: at most and at least.
OBJECTS_PER_PHASE, MAX_SIZE = 8, 6 * units.MIB
MIN_SIZE = 64 << 10

#: Seconds after which a phase, of one number of connections in one direction,
#: begins no further object; after which no more connections are tried; and
#: after which all is broken off.
PHASE_SECONDS, ALL_PHASES_SECONDS, TOTAL_SECONDS = 4.0, 30.0, 45.0

#: How many HEADs and small PUTs are made, and seconds after which no further
#: one of either kind is begun.
HEAD_COUNT, PUT_COUNT, SMALL_SECONDS = 9, 3, 4.0

#: Gives seconds.
now = time.monotonic

#: Sizes that are tried in turn to learn a site's speed; none follows one that
#: takes longer than so many seconds.
PROBE_SIZES, MAX_PROBE_SECONDS = (MIN_SIZE, units.MIB), 0.5


def measure(
    account: accounts.Account,
    dest: layout.Layout,
    may_create: bool,
    step: Callable[[str], object],
) -> figures.Traffic:
    """Measure how fast an account's site is; leaves nothing there.

    :param account: for this alone; it can be cancelled
    :param dest: the container, and what the objects' names begin with
    :param may_create: swift_store_create_container_on_put
    :param step: called with what is done now
    :raises RequestFailed: it can't be measured, or something is left
    """
    try:
        with (
            ending.Ending(account.client, TOTAL_SECONDS),
            temporary.objects(account, dest, may_create, step) as sent,
        ):
            return _Load(account, dest, sent, step).traffic()
    except errors.Aborted as exc:
        raise errors.RequestFailed(
            f'Swift took more than {TOTAL_SECONDS:.0f} s'
        ) from exc


class _Load:
    """What is sent and read, and how long it takes."""

    def __init__(
        self,
        account: accounts.Account,
        dest: layout.Layout,
        sent: temporary.TemporaryObjects,
        step: Callable[[str], object],
    ) -> None:
        self._account = account
        self._dest = dest
        self._sent = sent
        self._step = step

    def traffic(self) -> figures.Traffic:
        """Measure all of it."""
        until = now() + ALL_PHASES_SECONDS
        self._step('small requests')
        self._sent.size = 1
        name = self._sent.put()  # makes the connection
        put = _median(self._sent.put, PUT_COUNT)
        head = _median(
            functools.partial(
                self._account.objects.head, self._dest.container, name
            ),
            HEAD_COUNT,
        )
        self._sent.size = self._fitting(put)
        rates: list[figures.Rate] = []
        for connections in CONNECTION_COUNTS:
            if not rates or now() < until:
                rates.append(self._rate(connections))
        return figures.Traffic(rates, self._sent.size, head, put)

    def _fitting(self, put: float) -> int:
        """The size of objects that one connection sends all in time."""
        rate = 0.0
        for size in PROBE_SIZES:
            self._sent.size = size
            began = now()
            self._sent.put()
            lasted = now() - began
            rate = size / max(lasted - put, lasted / 4)
            if lasted > MAX_PROBE_SECONDS:
                break
        fitting = rate * (PHASE_SECONDS / OBJECTS_PER_PHASE - put)
        return int(min(MAX_SIZE, max(MIN_SIZE, fitting)))

    def _rate(self, connections: int) -> figures.Rate:
        words = f'{connections} connection{"s" * (connections > 1)}'
        self._step(f'{words} to Swift')
        sent: list[str] = []
        up = self._together(
            connections,
            [lambda: sent.append(self._sent.put())] * OBJECTS_PER_PHASE,
        )
        self._step(f'{words} from Swift')
        down = self._together(
            connections,
            [functools.partial(self._sent.get, name) for name in sent],
        )
        return figures.Rate(connections, up, down)

    def _together(
        self, connections: int, calls: Sequence[Callable[[], object]]
    ) -> float:
        """Bytes a second of calls that each move an object."""
        until = now() + PHASE_SECONDS

        def in_time(call: Callable[[], object]) -> bool:
            if now() >= until:
                return False
            call()
            return True

        with workers.Workers(connections, 'bufswift-measure') as pool:
            began = now()
            try:
                begun = [
                    pool.submit(functools.partial(in_time, call))
                    for call in calls
                ]
                while pool.threadless and pool.run_next():
                    pass
                moved = sum(each.result() for each in begun)
            except BaseException:
                # Those under way are waited for.
                self._account.client.cancel()
                raise
            return moved * self._sent.size / (now() - began)


def _median(call: Callable[[], object], times: int) -> float:
    """Seconds that a call takes; it is made less often if it is slow."""
    until = now() + SMALL_SECONDS
    lasted: list[float] = []
    while len(lasted) < times:
        began = now()
        if lasted and began > until:
            break
        call()
        lasted.append(now() - began)
    return statistics.median(lasted)
