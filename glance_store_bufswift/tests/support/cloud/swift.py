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

Devices on the ordinary file system, one worker each: what counts is that the
protocol is the real one, and that it is up in seconds.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import getpass
from pathlib import Path
import secrets
import textwrap

from glance_store_bufswift.tests.support.cloud import cache
from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support.cloud import rows

STORAGE = ('account', 'container', 'object')

# What else is in the pipeline of a server of that kind.
_FILTERS = {'container': 'rows'}

# Bytes that a server reads and hands on at a time. With Swift's own 64 KiB a
# segment of these tests is sixteen pieces, on its way through two servers.
_PIECE = 512 << 10

_COMMON = """\
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
    log_level = WARNING
    client_timeout = {client_timeout}
    recon_cache_path = {swift_dir}
    """

# An object's update of its container gets long enough to succeed: an updater
# runs only when a test wants it, and tests look at listings at once.
_STORAGE = (
    _COMMON
    + """
    [pipeline:main]
    pipeline = healthcheck {filters} {kind}-server
    [filter:healthcheck]
    use = egg:swift#healthcheck
    [filter:rows]
    paste.filter_factory = {rows}:filter_factory
    switch = {switch}
    [app:{kind}-server]
    use = egg:swift#{kind}
    # A line that is put together for each request, below the log's level.
    log_requests = false
    node_timeout = 60
    conn_timeout = 10
    container_update_timeout = 30
    network_chunk_size = {piece}
    disk_chunk_size = {piece}
    # What a test runs by hand, not at its own pace.
    [object-updater]
    node_timeout = 60
    conn_timeout = 10
    objects_per_second = 1000000
    [container-replicator]
    node_timeout = 60
    conn_timeout = 10
    """
)

_PROXY = (
    _COMMON
    + """
    [pipeline:main]
    pipeline = catch_errors gatekeeper healthcheck {cache} listing_formats \
bulk {limits} authtoken keystoneauth copy container-quotas account-quotas slo \
dlo versioned_writes symlink proxy-server
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
    # It would go on to the backend servers, which take no line so long.
    include_service_catalog = false
    cache = swift.cache
    token_cache_time = {token_cache_time}
    [filter:cache]
    paste.filter_factory = {cache_module}:filter_factory
    root = {root}
    [filter:ratelimit]
    use = egg:swift#ratelimit
    container_ratelimit_0 = {writes_a_second}
    max_sleep_time_seconds = 0.3
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
    client_chunk_size = {piece}
    object_chunk_size = {piece}
    # An answer waits for the last replica too, so that a test finds all alike.
    # A server that a test has stopped is asked as soon as it is back.
    post_quorum_timeout = 60
    error_suppression_limit = 1000000
    """
)


def _write_rings(swift_dir: Path, ports: Mapping[str, Sequence[int]]) -> None:
    from swift.common.ring import RingBuilder

    for kind, servers in ports.items():
        builder = RingBuilder(
            part_power=2, replicas=len(servers), min_part_hours=0
        )
        for number, port in enumerate(servers, start=1):
            builder.add_dev(
                {
                    'region': 1,
                    'zone': number,
                    'ip': process.HOST,
                    'port': port,
                    'device': f'disk{number}',
                    'weight': 1.0,
                }
            )
        builder.rebalance()
        builder.get_ring().save(str(swift_dir / f'{kind}.ring.gz'))


def make(swift_dir: Path, ports: Mapping[str, Sequence[int]]) -> None:
    """Make a new Swift: its devices, its rings, and its secret.

    :param ports: of the servers of each kind, as many as it has replicas;
        the n-th one's device is disk<n>
    """
    for number in range(1, max(map(len, ports.values())) + 1):
        (swift_dir / 'devices' / f'disk{number}').mkdir(parents=True)
    (swift_dir / 'swift.conf').write_text(
        f'[swift-hash]\nswift_hash_path_suffix = {secrets.token_hex(8)}\n'
    )
    _write_rings(swift_dir, ports)


def config_file(keeper: process.Keeper, kind: str, port: int) -> Path:
    """Return the file that the server at this port is set up with."""
    return keeper.root / f'swift-{kind}-{port}.conf'


def switch(swift_dir: Path, port: int) -> Path:
    """Return the file that makes a container server refuse rows."""
    return swift_dir / f'refuse-rows-{port}'


def _start(
    keeper: process.Keeper,
    template: str,
    kind: str,
    port: int,
    **values: object,
) -> process.Server:
    config = config_file(keeper, kind, port)
    config.write_text(
        textwrap.dedent(template).format(
            kind=kind,
            host=process.HOST,
            port=port,
            user=getpass.getuser(),
            piece=_PIECE,
            **values,
        )
    )
    return keeper.start(config.stem, kind, str(config))


def start_storage(
    keeper: process.Keeper, swift_dir: Path, kind: str, port: int
) -> process.Server:
    """Start an account, container or object server; don't wait for it."""
    return _start(
        keeper,
        _STORAGE,
        kind,
        port,
        swift_dir=swift_dir,
        filters=_FILTERS.get(kind, ''),
        client_timeout=60,
        rows=rows.__name__,
        switch=switch(swift_dir, port),
    )


def start_proxy(
    keeper: process.Keeper,
    swift_dir: Path,
    port: int,
    client_timeout: float,
    auth_url: str,
    user: keystone.User,
    region: str,
    root: Path | None = None,
    keep_tokens: bool = True,
    writes_a_second: float | None = None,
    otherwise: Mapping[str, str] | None = None,
) -> process.Server:
    """Start a proxy server; don't wait for it.

    :param swift_dir: where the rings and the data of the storage servers are
    :param client_timeout: seconds until a silent client is answered 408
    :param auth_url: the Keystone where it gets its own token, as `user`
    :param region: whose Keystone validates tokens
    :param root: where the servers of this cloud say what they have changed;
        None to have each request ask anew
    :param keep_tokens: whether a token is validated once, or for each request
    :param writes_a_second: how many a container takes; None for no limit
    :param otherwise: lines of the configuration, and what stands there
        instead
    """
    template = _PROXY
    for line, instead in (otherwise or {}).items():
        template = template.replace(line, instead)
    return _start(
        keeper,
        template,
        'proxy',
        port,
        swift_dir=swift_dir,
        client_timeout=client_timeout,
        auth_url=auth_url,
        username=user.name,
        password=user.password,
        project=user.project,
        domain=keystone.DOMAIN,
        region=region,
        root=root,
        cache='cache' if root else '',
        cache_module=cache.__name__,
        token_cache_time=300 if root and keep_tokens else -1,
        limits='ratelimit' if writes_a_second else '',
        writes_a_second=writes_a_second,
    )
