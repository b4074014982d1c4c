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

"""Swift of a test cloud: configuration and start of its servers.

One device on the ordinary file system, one replica, one worker each: what
counts is that the protocol is the real one, and that it is up in seconds.
"""

import getpass
from pathlib import Path
import secrets
import textwrap

from glance_store_bufswift.tests.cloud import keystone
from glance_store_bufswift.tests.cloud import process

STORAGE = ('account', 'container', 'object')

_COMMON = '''\
    [DEFAULT]
    swift_dir = {swift_dir}
    devices = {swift_dir}/devices
    mount_check = false
    bind_ip = {host}
    bind_port = {port}
    workers = 0
    user = {user}
    fallocate_reserve = 0
    disable_fallocate = true
    log_level = INFO
    client_timeout = {client_timeout}
    '''

# An object's update of its container gets long enough to succeed: there is
# no updater here to make it good later, and tests look at listings at once.
_STORAGE = _COMMON + '''
    [pipeline:main]
    pipeline = healthcheck {kind}-server
    [filter:healthcheck]
    use = egg:swift#healthcheck
    [app:{kind}-server]
    use = egg:swift#{kind}
    node_timeout = 60
    conn_timeout = 10
    container_update_timeout = 30
    '''

# Without a cache of validations a revoked token is refused at once. Swift's
# own cache of container information needs memcached and so is absent too.
_PROXY = _COMMON + '''
    [pipeline:main]
    pipeline = catch_errors gatekeeper healthcheck listing_formats bulk \
authtoken keystoneauth copy container-quotas account-quotas slo dlo \
versioned_writes symlink proxy-server
    [filter:catch_errors]
    use = egg:swift#catch_errors
    [filter:gatekeeper]
    use = egg:swift#gatekeeper
    [filter:healthcheck]
    use = egg:swift#healthcheck
    [filter:listing_formats]
    use = egg:swift#listing_formats
    [filter:bulk]
    use = egg:swift#bulk
    [filter:authtoken]
    paste.filter_factory = keystonemiddleware.auth_token:filter_factory
    www_authenticate_uri = {auth_url}
    auth_url = {auth_url}
    auth_type = password
    username = {username}
    password = {password}
    project_name = {project}
    user_domain_id = {domain}
    project_domain_id = {domain}
    region_name = {region}
    delay_auth_decision = true
    token_cache_time = -1
    [filter:keystoneauth]
    use = egg:swift#keystoneauth
    operator_roles = admin, swiftoperator, member
    reseller_admin_role = ResellerAdmin
    [filter:copy]
    use = egg:swift#copy
    [filter:container-quotas]
    use = egg:swift#container_quotas
    [filter:account-quotas]
    use = egg:swift#account_quotas
    [filter:slo]
    use = egg:swift#slo
    [filter:dlo]
    use = egg:swift#dlo
    rate_limit_after_segment = 1000000
    [filter:versioned_writes]
    use = egg:swift#versioned_writes
    allow_versioned_writes = true
    allow_object_versioning = true
    [filter:symlink]
    use = egg:swift#symlink
    [app:proxy-server]
    use = egg:swift#proxy
    account_autocreate = true
    allow_account_management = true
    node_timeout = 60
    recoverable_node_timeout = 60
    conn_timeout = 10
    post_quorum_timeout = 5
    '''


def _write_rings(swift_dir: Path, ports: dict[str, int]) -> None:
    from swift.common.ring import RingBuilder

    for kind, port in ports.items():
        builder = RingBuilder(part_power=2, replicas=1, min_part_hours=0)
        builder.add_dev({'region': 1, 'zone': 1, 'ip': process.HOST,
                         'port': port, 'device': 'disk', 'weight': 1.0})
        builder.rebalance()
        builder.get_ring().save(str(swift_dir / f'{kind}.ring.gz'))


def _start(keeper: process.Keeper, template: str, kind: str,
           **values: object) -> process.Server:
    name = f'swift-{kind}-{values["port"]}'
    config = keeper.root / f'{name}.conf'
    config.write_text(textwrap.dedent(template).format(
        kind=kind, host=process.HOST, user=getpass.getuser(), **values))
    return keeper.start(name, kind, str(config))


def start_storage(keeper: process.Keeper, swift_dir: Path,
                  ports: dict[str, int]) -> list[process.Server]:
    """Start account, container and object server; don't wait for them."""
    (swift_dir / 'devices' / 'disk').mkdir(parents=True)
    (swift_dir / 'swift.conf').write_text(
        f'[swift-hash]\nswift_hash_path_suffix = {secrets.token_hex(8)}\n')
    _write_rings(swift_dir, ports)
    return [_start(keeper, _STORAGE, kind, port=port, swift_dir=swift_dir,
                   client_timeout=60)
            for kind, port in ports.items()]


def start_proxy(keeper: process.Keeper, swift_dir: Path, port: int,
                client_timeout: float, auth_url: str,
                user: keystone.User, region: str) -> process.Server:
    """Start a proxy server; don't wait for it.

    :param swift_dir: where the rings and the data of the storage servers are
    :param client_timeout: seconds until a silent client is answered 408
    :param auth_url: the Keystone where it gets its own token, as `user`
    :param region: whose Keystone validates tokens
    """
    return _start(keeper, _PROXY, 'proxy', port=port, swift_dir=swift_dir,
                  client_timeout=client_timeout, auth_url=auth_url,
                  username=user.name, password=user.password,
                  project=user.project, domain=keystone.DOMAIN,
                  region=region)
