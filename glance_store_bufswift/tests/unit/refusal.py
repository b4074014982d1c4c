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

"""A process that gets no more threads."""

import threading

import fixtures


class Threads(fixtures.Fixture):
    """Refuse threads to the driver, after so many.

    :param most: how many it still gets
    :param why: what Python says
    """

    def __init__(self, most: int, why: str = "can't start new thread") -> None:
        super().__init__()
        self.left = most
        self._why = why

    def _setUp(self) -> None:
        start = threading.Thread.start

        def refuse(thread: threading.Thread) -> None:
            if thread.name.startswith('bufswift'):
                if not self.left:
                    raise RuntimeError(self._why)
                self.left -= 1
            start(thread)

        self.useFixture(fixtures.MonkeyPatch('threading.Thread.start', refuse))
