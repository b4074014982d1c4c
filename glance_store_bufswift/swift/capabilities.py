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

"""Capabilities of sites, which they tell at ``/info``, kept for a while."""

from collections.abc import Callable
import threading
import time
from typing import Any

from oslo_log import log as logging

LOG = logging.getLogger(__name__)

#: Seconds for which an answer is kept, and the lack of one.
LIFETIME, LIFETIME_UNKNOWN = 3600.0, 300.0

#: More sites than any Glance has; with so many the cache is emptied.
MAX_SITES = 100


class CapabilitiesCache:
    """What sites told, each kept for a while; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def get(self, site: str, now: float) -> dict[str, Any] | None:
        """The capabilities of a site, None if it has to be asked."""
        with self._lock:
            until, answer = self._kept.get(site, (now, {}))
        return answer if now < until else None

    def keep(self, site: str, answer: dict[str, Any], until: float) -> None:
        """Keep the capabilities of a site until then."""
        with self._lock:
            if len(self._kept) >= MAX_SITES:
                self._kept.clear()
            self._kept[site] = until, answer


#: The cache of this process.
SHARED = CapabilitiesCache()


def of_site(
    url: str,
    ask: Callable[[], Any],
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """The capabilities of a site; {} if it does not tell.

    :param url: the storage URL, which stands for the site
    :param ask: asks the site; whatever it raises is no answer
    :param clock: gives the time in seconds
    """
    # All accounts of a site get the same answer.
    site = url.rpartition('/')[0]
    answer = SHARED.get(site, clock())
    if answer is None:
        answer = _ask(site, ask)
        lifetime = LIFETIME if answer else LIFETIME_UNKNOWN
        SHARED.keep(site, answer, clock() + lifetime)
    return answer


def _ask(site: str, ask: Callable[[], Any]) -> dict[str, Any]:
    try:
        answer = ask()
    except Exception as exc:  # a site may answer with anything
        LOG.debug(
            '%(site)s says nothing about itself: %(why)s',
            {'site': site, 'why': exc},
        )
        return {}
    return answer if isinstance(answer, dict) else {}
