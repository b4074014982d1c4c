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

"""The servers of a test cloud, started together, and where they are."""

import dataclasses
import json
import os
from pathlib import Path

from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support.cloud import radosgw
from glance_store_bufswift.tests.support.cloud import swift

VARIABLE = 'BUFSWIFT_TEST_CLOUD'


@dataclasses.dataclass(frozen=True)
class Site:
    """Where a running cloud is, and who may enter: what attaching takes.

    :ivar root: the directory of all that it keeps
    :ivar swift_dir: where the data of Swift, or of Ceph, are
    :ivar region: the region of the catalog where Swift is that one, past
        every fault proxy
    :ivar rgw: whether a RADOS gateway stands in the place of Swift
    """

    root: str
    keystone_port: int
    swift_port: int
    admin: keystone.User
    swift: keystone.User
    glance: keystone.User
    demo: keystone.User
    swift_dir: str
    region: str = keystone.REGION
    rgw: bool = False

    @property
    def auth_url(self) -> str:
        """Keystone, past the fault proxies."""
        return f'http://{process.HOST}:{self.keystone_port}/v3'

    def account_url(self, port: int) -> str:
        """Return the catalog's URL of an account, at this port."""
        return self.account_of(
            '%(project_id)s', f'http://{process.HOST}:{port}'
        )

    def account_of(self, project: str | None, url: str) -> str:
        """Return the URL of a project's account, at what answers here."""
        return f'{url}{self._prefix}/v1/AUTH_{project}'

    @property
    def _prefix(self) -> str:
        return radosgw.PREFIX if self.rgw else ''

    @property
    def health(self) -> str:
        """The path of what tells that Swift answers."""
        return f'{self._prefix}/healthcheck'

    def start_front(
        self,
        keeper: process.Keeper,
        client_timeout: float,
        auth_url: str,
        region: str,
        keep_tokens: bool = True,
        writes_a_second: float | None = None,
    ) -> process.Server:
        """Start what answers at swift_port; don't wait for it.

        :param client_timeout: seconds that a client may be silent for
        :param auth_url: the Keystone for what it asks for itself
        :param region: whose Keystone validates tokens; a gateway has but one
        :param keep_tokens: whether Swift validates a token once, or for each
            request
        :param writes_a_second: how many a container of Swift's takes; None
            for no limit
        """
        if self.rgw:
            return radosgw.start_gateway(
                keeper,
                Path(self.swift_dir),
                self.swift_port,
                client_timeout,
                auth_url,
                self.swift,
            )
        return swift.start_proxy(
            keeper,
            Path(self.swift_dir),
            self.swift_port,
            client_timeout,
            auth_url,
            self.swift,
            region,
            Path(self.root),
            keep_tokens,
            writes_a_second,
        )

    def wait_for_front(
        self, keeper: process.Keeper, front: process.Server
    ) -> None:
        """Wait until what start_front() has started answers."""
        keeper.wait(front, self.swift_port, self.health)

    def environment(self) -> dict[str, str]:
        """Return what to export to a command that uses this cloud.

        The OS_ variables are for people who look at it with clients.
        """
        return {
            VARIABLE: json.dumps(dataclasses.asdict(self)),
            'no_proxy': _and_no_proxy_for_us(),
            'OS_AUTH_URL': self.auth_url,
            'OS_IDENTITY_API_VERSION': '3',
            'OS_USERNAME': self.glance.name,
            'OS_PASSWORD': self.glance.password,
            'OS_PROJECT_NAME': self.glance.project,
            'OS_USER_DOMAIN_ID': keystone.DOMAIN,
            'OS_PROJECT_DOMAIN_ID': keystone.DOMAIN,
            'OS_REGION_NAME': self.region,
        }

    @classmethod
    def load(cls, text: str) -> 'Site':
        """Return the site that environment() has put into VARIABLE."""
        fields = json.loads(text)
        for name in ('admin', 'swift', 'glance', 'demo'):
            fields[name] = keystone.User(**fields[name])
        return cls(**fields)


def _and_no_proxy_for_us() -> str:
    # Otherwise requests goes through all variables, twice for each request,
    # to find a proxy for this host.
    others = os.environ.get('no_proxy') or os.environ.get('NO_PROXY')
    return ','.join(filter(None, [others, process.HOST]))


def on_rgw() -> bool:
    """Whether the run's cloud has a RADOS gateway in the place of Swift."""
    text = os.environ.get(VARIABLE)
    return bool(text) and Site.load(str(text)).rgw


def _people(site: Site) -> None:
    """Create who and what a new Keystone needs, as devstack does."""
    admin = keystone.Admin(site.auth_url, site.admin)
    for project in ('service', 'demo'):
        admin.create('project', name=project, domain_id=keystone.DOMAIN)
    service = admin.find('project', name='service')
    admin.create_user(site.swift, service, 'service', 'admin')
    admin.create_user(site.glance, service, 'service', 'ResellerAdmin')
    admin.create_user(site.demo, admin.find('project', name='demo'), 'member')
    admin.create('service', type='object-store', name='swift')
    admin.create('service', type='image', name='glance')
    admin.create_endpoints(
        'object-store', site.region, site.account_url(site.swift_port)
    )


def _start_storage(
    keeper: process.Keeper, ports: list[int], rgw: bool
) -> list[tuple[process.Server, int]]:
    """Start what is behind the front; return what has to be waited for."""
    if rgw:
        radosgw.start_cluster(keeper, keeper.root, ports[0])
        return []  # the gateway waits for it
    storage = list(zip(swift.STORAGE, ports, strict=True))
    swift.make(keeper.root, {kind: [port] for kind, port in storage})
    return [
        (swift.start_storage(keeper, keeper.root, kind, port), port)
        for kind, port in storage
    ]


def start(
    keeper: process.Keeper,
    token_seconds: int = 3600,
    client_timeout: float = 60.0,
    rgw: bool = False,
) -> Site:
    """Start all servers of a new cloud, and wait until they answer.

    :param rgw: Ceph with a RADOS gateway in the place of Swift
    """
    keeper.prepare('keystone', *([] if rgw else ['swift', 'proxy']))
    # All at once: else one could be given out twice.
    identity_port, front_port, *ports = process.free_ports(
        2 + len(swift.STORAGE)
    )
    new = keystone.new_user
    site = Site(
        str(keeper.root),
        identity_port,
        front_port,
        admin=new('admin', 'admin'),
        swift=new('swift', 'service'),
        glance=new('glance', 'service'),
        demo=new('demo', 'demo'),
        swift_dir=str(keeper.root),
        rgw=rgw,
    )
    identity = keystone.start(
        keeper, site.keystone_port, keeper.root, token_seconds, site.admin
    )
    storage = _start_storage(keeper, ports, rgw)
    front = site.start_front(
        keeper, client_timeout, site.auth_url, keystone.REGION
    )
    keeper.wait(identity, site.keystone_port, '/v3')
    _people(site)
    if rgw:
        radosgw.give_token(keeper.root, site.auth_url, site.swift)
    for server, port in storage:
        keeper.wait(server, port, '/healthcheck')
    site.wait_for_front(keeper, front)
    return site
