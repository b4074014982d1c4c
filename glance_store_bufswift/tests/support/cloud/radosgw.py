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

"""Ceph of a test cloud, whose RADOS gateway takes the place of Swift.

One monitor, one OSD that keeps all in memory, one copy of everything. What
counts is that the gateway is the real one, that it needs neither root nor
systemd, and that it is up in seconds.
"""

from pathlib import Path
import shutil
import subprocess
import textwrap
import uuid

from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support.cloud import process

#: What has to be installed, besides what these bring with them.
PROGRAMS = ('ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw')
INSTALL = """\
Debian, Ubuntu: apt-get install --no-install-recommends \
ceph-common ceph-mon ceph-osd radosgw
CentOS, with the repository of its Storage SIG or of RDO: dnf install \
ceph-common ceph-mon ceph-osd ceph-radosgw"""

#: What stands before /v1 in the URL of an account (rgw_swift_url_prefix).
PREFIX = '/swift'

# The file with the token of gateways, in the directory of the cluster.
_TOKEN = 'gateway-token'

# Seconds that a command of Ceph's may take.
_TIMEOUT = 60

# Without a manager nobody places groups, so there are few. The collector of
# garbage soon frees the memory of what tests have deleted.
_COMMON = """\
    [global]
    fsid = {fsid}
    mon_host = v2:{host}:{port}
    public_addr = {host}
    cluster_addr = {host}
    auth_cluster_required = none
    auth_service_required = none
    auth_client_required = none
    keyring = {root}/no-keyring
    run_dir = {root}
    crash_dir = {root}/crash
    admin_socket =
    pid_file =
    log_file =
    log_to_stderr = true
    err_to_stderr = true
    mon_cluster_log_file =
    debug_rocksdb = 0
    mon_data = {root}/mon
    mon_allow_pool_size_one = true
    osd_data = {root}/osd
    osd_objectstore = memstore
    memstore_device_bytes = 8589934592
    osd_crush_chooseleaf_type = 0
    osd_pool_default_size = 1
    osd_pool_default_min_size = 1
    osd_pool_default_pg_num = 8
    osd_pool_default_pgp_num = 8
    osd_pool_default_pg_autoscale_mode = off
    rgw_rados_pool_pg_num_min = 8
    rgw_gc_obj_min_wait = 60
    rgw_gc_processor_period = 60
    """

# A gateway would speak to the monitor in secret, which takes authentication.
# Without a cache of tokens a revoked one is refused at once, but a gateway
# would also sign in for each request: unless it finds a token in a file.
# Every project has its own names of containers, as in Swift.
_GATEWAY = """
    [client]
    ms_mon_client_mode = crc
    rgw_data = {root}
    rgw_enable_apis = swift
    rgw_frontends = beast endpoint={host}:{port} request_timeout_ms={patience}
    rgw_thread_pool_size = 64
    rgw_swift_account_in_url = true
    rgw_swift_versioning_enabled = true
    rgw_keystone_api_version = 3
    rgw_keystone_url = {keystone}
    rgw_keystone_admin_token_path = {token}
    rgw_keystone_admin_user = {username}
    rgw_keystone_admin_password = {password}
    rgw_keystone_admin_project = {project}
    rgw_keystone_admin_domain = {domain}
    rgw_keystone_accepted_roles = admin, swiftoperator, member, ResellerAdmin
    rgw_keystone_accepted_admin_roles = ResellerAdmin
    rgw_keystone_implicit_tenants = true
    rgw_keystone_token_cache_size = 0
    """


def missing() -> list[str]:
    """Return those of the programs that are not installed."""
    return [name for name in PROGRAMS if not shutil.which(name)]


def start_cluster(keeper: process.Keeper, root: Path, port: int) -> None:
    """Start the monitor and the OSD; don't wait for the latter.

    :param root: where their configuration and data go
    :param port: of the monitor; the OSD finds some for itself
    """
    fsid, disk = uuid.uuid4(), uuid.uuid4()
    config = root / 'ceph.conf'
    config.write_text(
        textwrap.dedent(_COMMON).format(
            root=root, host=process.HOST, port=port, fsid=fsid
        )
    )
    for name in ('mon', 'osd', 'crash'):
        (root / name).mkdir()
    common = ('--conf', str(config))
    _run(
        'monmaptool',
        '--create',
        '--fsid',
        str(fsid),
        '--addv',
        'a',
        f'[v2:{process.HOST}:{port}]',
        str(root / 'monmap'),
    )
    _run(
        'ceph-mon',
        *common,
        '--mkfs',
        '--id',
        'a',
        '--monmap',
        str(root / 'monmap'),
    )
    keeper.start(
        'ceph-mon', 'program', 'ceph-mon', *common, '--foreground', '--id', 'a'
    )
    _run(
        'ceph',
        *common,
        '--connect-timeout',
        str(_TIMEOUT),
        'osd',
        'new',
        str(disk),
    )
    _run('ceph-osd', *common, '--mkfs', '--id', '0', '--osd-uuid', str(disk))
    keeper.start(
        'ceph-osd', 'program', 'ceph-osd', *common, '--foreground', '--id', '0'
    )


def give_token(root: Path, auth_url: str, user: keystone.User) -> None:
    """Have the gateways use one token of this user for as long as it lasts.

    Before they sign in for every request, which is slow.
    """
    (root / _TOKEN).write_text(str(user.session(auth_url).get_token()))


def start_gateway(
    keeper: process.Keeper,
    root: Path,
    port: int,
    client_timeout: float,
    auth_url: str,
    user: keystone.User,
) -> process.Server:
    """Start a gateway; don't wait for it.

    :param root: where start_cluster() has put the configuration
    :param client_timeout: seconds until a silent client is hung up on
    :param auth_url: the Keystone where it gets its own token, as `user`,
        and has tokens validated
    """
    name = f'radosgw-{port}'
    config = keeper.root / f'{name}.conf'
    config.write_text(
        (root / 'ceph.conf').read_text()
        + textwrap.dedent(_GATEWAY).format(
            root=keeper.root,
            host=process.HOST,
            port=port,
            patience=int(client_timeout * 1000),
            keystone=auth_url.removesuffix('/v3'),
            token=root / _TOKEN,
            username=user.name,
            password=user.password,
            project=user.project,
            domain=keystone.DOMAIN_NAME,
        )
    )
    return keeper.start(
        name,
        'program',
        'radosgw',
        '--conf',
        str(config),
        '--foreground',
        '--name',
        f'client.{name}',
    )


def _run(*command: str) -> None:
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.STDOUT,
        timeout=_TIMEOUT,
    )
    if done.returncode:
        raise process.ServerError(
            f'{command[0]} ended with {done.returncode}:\n{done.stdout}'
        )
