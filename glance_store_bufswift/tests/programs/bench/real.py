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

"""A real Swift and a Keystone, as operators run them.

The test cloud's own proxy server has no limit on the rate of a DLO.
"""

from collections.abc import Iterator
import contextlib
from pathlib import Path
from typing import Any

from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support.cloud import site
from glance_store_bufswift.tests.support.cloud import swift

#: Of the test cloud's proxy server, what is not as it comes: line by line
#: what stands there instead.
_AS_IT_COMES = {
    'rate_limit_after_segment = 1000000': '',
}

_REGION = 'as-it-comes'


@contextlib.contextmanager
def _keeper() -> Iterator[process.Keeper]:
    keeper = process.Keeper()
    try:
        yield keeper
    finally:
        keeper.close()


def start(held: contextlib.ExitStack) -> dict[str, Any]:
    """Start them; gives the store's options for them."""
    servers = held.enter_context(_keeper())
    where = site.start(servers)
    [port] = process.free_ports(1)
    server = swift.start_proxy(
        servers,
        Path(where.swift_dir),
        port,
        60.0,
        where.auth_url,
        where.swift,
        keystone.REGION,
        Path(where.root),
        otherwise=_AS_IT_COMES,
    )
    admin = keystone.Admin(where.auth_url, where.admin)
    admin.create('region', id=_REGION)
    admin.create_endpoints('object-store', _REGION, where.account_url(port))
    admin.create_endpoints('identity', _REGION, where.auth_url)
    servers.wait(server, port, '/healthcheck')
    glance = where.glance
    return {
        'swift_store_auth_address': where.auth_url,
        'swift_store_auth_version': '3',
        'swift_store_user': f'{glance.project}:{glance.name}',
        'swift_store_key': glance.password,
        'swift_store_region': _REGION,
    }
