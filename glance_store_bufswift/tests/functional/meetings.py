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

"""PUTs of segments that are on their way at the same time."""

import itertools
import threading

from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support.cloud import proxy

#: Seconds until a meeting of requests fails; reached only then.
PATIENCE = 20.0


class Meeting:
    """As many PUTs as an upload has threads, and one more.

    It begins while the answer to another is awaited.

    :param through: what they go through
    :param threads: of the upload, which stores more segments than that
    :ivar size: how many meet
    """

    def __init__(self, through: proxy.FaultProxy, threads: int) -> None:
        self.size = threads + (threads > 1)
        self._threads = threads
        self._numbers = itertools.count(1)
        self._first = threading.Barrier(threads)
        self._all = threading.Event()
        for fault in (
            faults.Hook(self._begun, self._answered),
            # Would more be sent, they came in that time.
            faults.Latency(after=0.2),
        ):
            through.add(faults.Rule(fault, 'PUT', r'/\d{8}$', times=None))

    def _begun(self, exchange: journal.Exchange) -> None:
        number = next(self._numbers)
        if number == self.size:
            self._all.set()
        if number <= self._threads:
            self._first.wait(PATIENCE)

    def _answered(self, exchange: journal.Exchange) -> None:
        self._all.wait(PATIENCE)
