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

from glance_store_bufswift.tests.cloud import keystone
from glance_store_bufswift.tests.cloud import process
from glance_store_bufswift.tests.cloud import swift

VARIABLE = 'BUFSWIFT_TEST_CLOUD'


@dataclasses.dataclass(frozen=True)
class Site:
    """Where a running cloud is, and who may enter: what attaching takes.

    :ivar root: the directory of all that it keeps
    :ivar swift_dir: where Swift's rings and data are
    :ivar region: the region of the catalog where Swift is that one, past
        every fault proxy
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

    @property
    def auth_url(self) -> str:
        """Keystone, past the fault proxies."""
        return f'http://{process.HOST}:{self.keystone_port}/v3'

    def environment(self) -> dict[str, str]:
        """Return what to export to a command that uses this cloud.

        The OS_ variables are for people who look at it with clients.
        """
        return {VARIABLE: json.dumps(dataclasses.asdict(self)),
                'OS_AUTH_URL': self.auth_url,
                'OS_IDENTITY_API_VERSION': '3',
                'OS_USERNAME': self.glance.name,
                'OS_PASSWORD': self.glance.password,
                'OS_PROJECT_NAME': self.glance.project,
                'OS_USER_DOMAIN_ID': keystone.DOMAIN,
                'OS_PROJECT_DOMAIN_ID': keystone.DOMAIN,
                'OS_REGION_NAME': self.region}

    @classmethod
    def load(cls, text: str) -> 'Site':
        """Return the site that environment() has put into VARIABLE."""
        fields = json.loads(text)
        for name in ('admin', 'swift', 'glance', 'demo'):
            fields[name] = keystone.User(**fields[name])
        return cls(**fields)


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
    admin.create_endpoints('object-store', site.region,
                           account_url(site.swift_port))


def account_url(port: int) -> str:
    """Return the catalog's URL of an account of a Swift at this port."""
    return f'http://{process.HOST}:{port}/v1/AUTH_%(project_id)s'


def start(keeper: process.Keeper, token_seconds: int = 3600,
          client_timeout: float = 60.0) -> Site:
    """Start all servers of a new cloud, and wait until they answer."""
    ports = process.free_ports(2 + len(swift.STORAGE))
    storage = list(zip(swift.STORAGE, ports[2:], strict=True))
    new = keystone.new_user
    site = Site(str(keeper.root), ports[0], ports[1],
                admin=new('admin', 'admin'), swift=new('swift', 'service'),
                glance=new('glance', 'service'), demo=new('demo', 'demo'),
                swift_dir=str(keeper.root))
    identity = keystone.start(keeper, site.keystone_port, keeper.root,
                              token_seconds, site.admin)
    swift.make(keeper.root, {kind: [port] for kind, port in storage})
    servers = [swift.start_storage(keeper, keeper.root, kind, port)
               for kind, port in storage]
    front = swift.start_proxy(keeper, keeper.root, site.swift_port,
                              client_timeout, site.auth_url, site.swift,
                              keystone.REGION)
    keeper.wait(identity, site.keystone_port, '/v3')
    _people(site)
    for server, (_, port) in zip(servers, storage, strict=True):
        keeper.wait(server, port, '/healthcheck')
    keeper.wait(front, site.swift_port, '/healthcheck')
    return site
