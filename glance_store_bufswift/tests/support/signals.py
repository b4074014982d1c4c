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

"""Ending in an orderly way, which leaves nothing behind."""

import signal
import sys
from typing import NoReturn

import fixtures


class Interrupts(fixtures.Fixture):
    """SIGINT raises KeyboardInterrupt, here and in processes started here.

    A shell has what it runs in the background ignore it.
    """

    def _setUp(self) -> None:
        self.addCleanup(
            signal.signal,
            signal.SIGINT,
            signal.signal(signal.SIGINT, signal.default_int_handler),
        )


def end_in_order() -> None:
    """Have SIGTERM and SIGHUP end this process as sys.exit() does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)


def _end(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)
