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

"""What a site says about itself at ``/info``, kept for a while."""

from collections.abc import Callable
import threading
import time
from typing import Any

from oslo_log import log as logging

LOG = logging.getLogger(__name__)

#: Seconds for which an answer is kept, and the lack of one.
LIFETIME, LIFETIME_UNKNOWN = 3600.0, 300.0

#: More sites than any Glance has; the cache is emptied beyond that.
MOST = 100

_lock = threading.Lock()
_known: dict[str, tuple[float, dict[str, Any]]] = {}


def of_site(
    url: str,
    ask: Callable[[], Any],
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """What a site says about itself; {} if it says nothing.

    :param url: the storage URL, which stands for the site
    :param ask: asks the site; whatever it raises is no answer
    :param clock: gives the time in seconds
    """
    # All accounts of a site get the same answer.
    site = url.rpartition('/')[0]
    with _lock:
        until, told = _known.get(site, (clock(), {}))
    if clock() < until:
        return told
    told = _ask(site, ask)
    lifetime = LIFETIME if told else LIFETIME_UNKNOWN
    with _lock:
        if len(_known) >= MOST:
            _known.clear()
        _known[site] = clock() + lifetime, told
    return told


def forget() -> None:
    """Forget all answers, for tests."""
    with _lock:
        _known.clear()


def _ask(site: str, ask: Callable[[], Any]) -> dict[str, Any]:
    try:
        told = ask()
    except Exception as exc:  # a site may answer with anything
        LOG.debug(
            '%(site)s says nothing about itself: %(why)s',
            {'site': site, 'why': exc},
        )
        return {}
    return told if isinstance(told, dict) else {}
