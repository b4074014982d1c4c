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

"""Warnings that a process logs only once.

Glance opens its stores anew for each operation, and each would warn again.
"""

import threading

from oslo_log import log as logging

LOG = logging.getLogger(__name__)


class Notices:
    """The warnings that were logged so far; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: set[tuple[str, ...]] = set()

    def is_new(self, *notice: str) -> bool:
        """Whether a notice is given for the first time."""
        with self._lock:
            known = notice in self._given
            self._given.add(notice)
        return not known


#: Those of this process.
SHARED = Notices()


def warn_once(message: str, *about: str) -> None:
    """Log a warning, unless it was logged about the same before.

    :param message: with a ``%s`` for each of ``about``
    """
    if SHARED.is_new(message, *about):
        LOG.warning(message, *about)
