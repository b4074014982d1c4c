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

"""A filter of Swift's proxy that stands in for memcached.

Without one, each request has its token validated by Keystone and asks for the
account and the container first: most of the work of a run of tests. What is
kept here is as fresh as what was asked for: the others who may change it say
so, see changes.py.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
import pickle
import time
from typing import Any

from glance_store_bufswift.tests.support.cloud import changes

_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# What keystonemiddleware's keys begin with; the others are Swift's.
_TOKENS = 'tokens/'


class Cache:
    """As much of swift.common.memcached.MemcacheRing as is used.

    :param root: where the counts of what was changed are
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        # Key: value, when it ends, the count of changes it is good for.
        self._values: dict[str, tuple[bytes, float, int]] = {}
        # Key: that count when the answer was asked for. It counts from then
        # on: what changed in the meantime may not be in it.
        self._asked: dict[str, int] = {}
        self._counters: dict[str, int] = {}
        # Key: what counts its changes. Made once: each request has some.
        self._counted: dict[str, changes.Changes] = {}

    def get(self, key: str, **how: Any) -> Any:
        """Return a copy of what is kept; None to have it asked for."""
        count = self._changes(key).count()
        value, end, good_for = self._values.get(key, (b'', 0.0, count))
        if good_for == count and time.monotonic() < end:
            return pickle.loads(value)  # noqa: S301  # from set()
        self._asked.setdefault(key, count)
        return None

    def set(self, key: str, value: Any, **how: Any) -> None:
        """Keep it for `time` seconds, if it was asked for through get()."""
        if key in self._counters:
            self._counters[key] = int(value)
        asked = self._asked.pop(key, None)
        if asked is None:
            return  # of two who asked at once, the first one's is kept
        # What a quota is compared with changes with each PUT of an object.
        if not (isinstance(value, dict) and 'quota-bytes' in str(value)):
            end = time.monotonic() + how.get('time', 0)
            self._values[key] = pickle.dumps(value), end, asked

    def delete(self, key: str, **how: Any) -> None:
        """Drop it, here and in the other proxies."""
        self._values.pop(key, None)
        self._changes(key).note()

    def incr(self, key: str, delta: int = 1, **how: Any) -> int:
        """Count for Swift's `ratelimit`."""
        self._counters[key] = max(0, self._counters.get(key, 0) + delta)
        return self._counters[key]

    def decr(self, key: str, delta: int = 1, **how: Any) -> int:
        """Count down for Swift's `ratelimit`."""
        return self.incr(key, -delta)

    def _changes(self, key: str) -> changes.Changes:
        if key not in self._counted:
            self._counted[key] = self._changes_of(key)
        return self._counted[key]

    def _changes_of(self, key: str) -> changes.Changes:
        if key.startswith(_TOKENS):
            return changes.Changes(self._root / changes.TOKENS)
        # Of a container there are several keys, alike but for their start.
        return changes.of_path(self._root, key.partition('/')[2])


def filter_factory(
    common: Mapping[str, str], root: str, **swift: Any
) -> Callable[[_Application], _Application]:
    """What paste.deploy calls with this filter's section.

    :param root: where the counts of what was changed are
    :param swift: what Swift adds to each section
    """

    def put_before(server: _Application) -> _Application:
        cache = Cache(Path(root))

        def application(
            environ: dict[str, Any], start_response: Callable[..., Any]
        ) -> Iterable[bytes]:
            environ['swift.cache'] = cache
            return server(environ, start_response)

        return application

    return put_before
