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

"""A filter of Swift's container server that refuses the rows of objects.

While the file `switch` is there, PUT and DELETE of a row are answered 503:
the object server keeps the update for its updater, as it does when a
container server is down or too busy. All else works, so the listing is
served, and lags.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import os
from typing import Any

_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def _is_row(method: str, path: str) -> bool:
    # /device/partition/account/container/object
    return method in ('PUT', 'DELETE') and path.count('/') >= 5


def filter_factory(
    common: Mapping[str, str], switch: str, **swift: Any
) -> Callable[[_Application], _Application]:
    """What paste.deploy calls with this filter's section.

    :param swift: what Swift adds to each section
    """

    def put_before(server: _Application) -> _Application:
        def application(
            environ: dict[str, Any], start_response: Callable[..., Any]
        ) -> Iterable[bytes]:
            if _is_row(
                environ['REQUEST_METHOD'], environ['PATH_INFO']
            ) and os.path.exists(switch):
                start_response(
                    '503 Service Unavailable', [('Content-Length', '0')]
                )
                return [b'']
            return server(environ, start_response)

        return application

    return put_before
