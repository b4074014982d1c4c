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

"""A filter of Swift's proxy that counts for its `ratelimit`.

That keeps what it counts in memcached, and limits nothing without. Here it is
in the memory of the proxy, which is one process. Nothing else is kept: what
else Swift would put into memcached is asked for each time.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Counters:
    """As much of swift.common.memcached.MemcacheRing as is used."""

    def __init__(self) -> None:
        self._values: dict[str, int] = {}

    def incr(self, key: str, delta: int = 1, **how: Any) -> int:
        self._values[key] = max(0, self._values.get(key, 0) + delta)
        return self._values[key]

    def decr(self, key: str, delta: int = 1, **how: Any) -> int:
        return self.incr(key, -delta)

    def set(self, key: str, value: object, **how: Any) -> None:
        if key.startswith('ratelimit'):
            self._values[key] = int(str(value))

    def get(self, key: str, **how: Any) -> None:
        return None

    def delete(self, key: str, **how: Any) -> None:
        pass


def filter_factory(
    common: Mapping[str, str], **swift: Any
) -> Callable[[_Application], _Application]:
    """What paste.deploy calls with this filter's section.

    :param swift: what Swift adds to each section
    """

    def put_before(server: _Application) -> _Application:
        counters = _Counters()

        def application(
            environ: dict[str, Any], start_response: Callable[..., Any]
        ) -> Iterable[bytes]:
            environ['swift.cache'] = counters
            return server(environ, start_response)

        return application

    return put_before
