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

"""The test cloud as tests see it.

A run of tests shares one cloud (`python -m ...support.cloud exec -- COMMAND`
hands it on in the environment), and each of its processes sees it through
fault proxies of its own: they stand in a region of the catalog of their own,
so that processes don't disturb each other.
"""

import atexit
from collections.abc import Iterator
import dataclasses
import functools
import gc
import os
from pathlib import Path
import shutil
import threading
import types
from typing import Any
from urllib import parse
import uuid

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session
import swiftclient

from glance_store_bufswift.check import as_glance
from glance_store_bufswift.tests.support.cloud import balancer
from glance_store_bufswift.tests.support.cloud import glance
from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support.cloud import proxy
from glance_store_bufswift.tests.support.cloud import site
from glance_store_bufswift.tests.support import tokens

# How many names a listing is asked for at once: what both Swift and Ceph RGW
# give.
_PAGE = 1000

# Bytes: twice what all tests leave.
_ROOM = 8 << 30


@dataclasses.dataclass(frozen=True)
class TenantContext:
    """What a multi-tenant store takes of glance's request context."""

    auth_token: str
    user_id: str
    project_id: str
    service_catalog: list[dict[str, Any]]


class Cloud:
    """A cloud through its own pair of fault proxies.

    :param where: the running cloud
    :param keeper: of this process's own servers, to be closed with it
    :param through: what stands between clients and Swift's fault proxy, see
        balancer.py
    :ivar front_port: where clients reach Swift
    """

    def __init__(
        self,
        where: site.Site,
        keeper: process.Keeper | None = None,
        through: str | None = None,
    ) -> None:
        self.site = where
        self.region = f'region-{uuid.uuid4().hex}'
        self._keeper = keeper
        self._variants: list[Cloud] = []
        self._lock = threading.Lock()
        self._sessions: dict[keystone.User, ks_session.Session] = {}
        self._glances: list[process.Keeper] = []
        self.swift_proxy = proxy.FaultProxy(
            process.HOST, where.swift_port, 'swift-proxy'
        )
        self.keystone_proxy = proxy.FaultProxy(
            process.HOST, where.keystone_port, 'keystone-proxy'
        )
        self.swift_proxy.start()
        self.keystone_proxy.start()
        self.front_port = self.swift_proxy.port
        if keeper and through:
            self.front_port = balancer.start(
                keeper, through, self.front_port, where.health
            )
        self._admin = keystone.Admin(where.auth_url, where.admin)
        self._admin.create('region', id=self.region)
        self._admin.create_endpoints(
            'object-store', self.region, where.account_url(self.front_port)
        )
        self._admin.create_endpoints('identity', self.region, self.auth_url)

    @classmethod
    def start(cls, **settings: Any) -> 'Cloud':
        """Start a cloud of this process's own; see site.start()."""
        keeper = process.Keeper()
        try:
            return cls(site.start(keeper, **settings), keeper)
        except BaseException:
            keeper.close()
            raise

    @classmethod
    def attach(cls) -> 'Cloud':
        """Return this process's view of the run's cloud.

        Without a cloud in the environment the process starts its own, on
        first use, and ends it when it exits.
        """
        return _attached()

    def __enter__(self) -> 'Cloud':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the proxies, and the servers that this process has started."""
        for keeper in self._glances:
            keeper.close()
        for variant in self._variants:
            variant.close()
        self.swift_proxy.stop()
        self.keystone_proxy.stop()
        if self._keeper:
            self._keeper.close()

    def variant(
        self,
        client_timeout: float = 60.0,
        token_seconds: int | None = None,
        validate_through_proxy: bool = False,
        writes_a_second: float | None = None,
    ) -> 'Cloud':
        """Return a view of the same data through servers set up otherwise.

        It has a region and fault proxies of its own; it takes some seconds,
        so keep it for all tests that want the like.

        :param client_timeout: seconds until Swift answers a silent client 408
        :param token_seconds: lifetime of tokens, from a Keystone of its own;
            keystoneauth asks for a new token when 30 seconds are left
        :param validate_through_proxy: have Swift validate tokens through
            this variant's keystone_proxy, so that this can fail too
        :param writes_a_second: how many a container takes, by Swift's
            ratelimit; it answers 498 to what would wait 0.3 s and longer
        """
        keeper = process.Keeper(self.site.root)
        try:
            made = self._variant(
                keeper,
                client_timeout,
                token_seconds,
                validate_through_proxy,
                writes_a_second,
            )
        except BaseException:
            keeper.close()
            raise
        self._variants.append(made)
        return made

    def _variant(
        self,
        keeper: process.Keeper,
        client_timeout: float,
        token_seconds: int | None,
        through_proxy: bool,
        writes_a_second: float | None,
    ) -> 'Cloud':
        front, identity = process.free_ports(2)
        where = dataclasses.replace(self.site, swift_port=front)
        if token_seconds is not None:
            where = dataclasses.replace(where, keystone_port=identity)
            server = keystone.start(
                keeper, identity, Path(where.root), token_seconds
            )
            keeper.wait(server, identity, '/v3')
        view = Cloud(where, keeper)
        auth_url, region = self.site.auth_url, keystone.REGION
        if through_proxy:
            auth_url, region = view.auth_url, view.region
        server = where.start_front(
            keeper,
            client_timeout,
            auth_url,
            region,
            not through_proxy,
            writes_a_second,
        )
        where.wait_for_front(keeper, server)
        return view

    def through(self, kind: str) -> 'Cloud':
        """Return a view of the same servers through HAProxy or nginx.

        It has a region and fault proxies of its own, Swift's behind that; it
        takes a moment, so keep it for all tests that want the like.

        :param kind: a key of balancer.KINDS
        """
        keeper = process.Keeper(self.site.root)
        try:
            made = Cloud(self.site, keeper, kind)
        except BaseException:
            keeper.close()
            raise
        self._variants.append(made)
        return made

    def start_glance(
        self,
        config: glance.Sections,
        beside: glance.Glance | None = None,
        definitions: bool = False,
        server: str = 'uwsgi',
    ) -> glance.Glance:
        """Start a Glance, which lives as long as this view of the cloud.

        It takes some seconds, so keep it for all tests that want the like.
        The first one is entered into the catalog of this view's region.

        :param config: what a glance-api.conf has to say of stores, and
            whatever else it should have; `{root}` in a value stands for the
            directory of what this Glance keeps
        :param beside: a Glance whose images it shares
        :param definitions: load Glance's own metadata definitions
        :param server: of its workers: 'uwsgi' or 'gunicorn'
        """
        keeper = process.Keeper(self.site.root)
        self._glances.append(keeper)
        [port] = process.free_ports(1)
        root = beside.root if beside else keeper.root / 'glance'
        common = glance.sections(
            root, port, self.site.auth_url, self.site.glance, keystone.REGION
        )
        (keeper.root / 'glance-api.conf').write_text(
            glance.render(glance.merge(common, config), root)
        )
        made = glance.start(
            keeper, keeper.root, port, root, definitions, server
        )
        if len(self._glances) == 1:
            self._admin.create_endpoints('image', self.region, made.url)
        keeper.wait(made.server, port, '/healthcheck')
        return made

    # Through the fault proxies

    @property
    def auth_url(self) -> str:
        """Keystone through the fault proxy."""
        return f'{self.keystone_proxy.url}/v3'

    @property
    def direct_auth_url(self) -> str:
        """Keystone itself."""
        return self.site.auth_url

    def session(
        self, direct: bool = False, user: keystone.User | None = None
    ) -> ks_session.Session:
        """Return a new session of a user, by default glance.

        :param direct: past the fault proxies
        """
        url = self.direct_auth_url if direct else self.auth_url
        return (user or self.site.glance).session(url)

    def clear(self) -> None:
        """Make the fault proxies as new: call it before each test."""
        self.swift_proxy.clear()
        self.keystone_proxy.clear()

    def glance_store_options(self, container: str) -> dict[str, Any]:
        """Return the options of a single-tenant store's section."""
        glance = self.site.glance
        return {
            'swift_store_auth_address': self.auth_url,
            'swift_store_auth_version': '3',
            'swift_store_user': f'{glance.project}:{glance.name}',
            'swift_store_key': glance.password,
            'swift_store_region': self.region,
            'swift_store_container': container,
            'swift_store_create_container_on_put': True,
        }

    def config_file(self, reference: str = 'ref1') -> str:
        """Return the text of a file for swift_store_config_file."""
        glance = self.site.glance
        return (
            f'[{reference}]\n'
            f'user = {glance.project}:{glance.name}\n'
            f'key = {glance.password}\n'
            f'auth_version = 3\n'
            f'auth_address = {self.auth_url}\n'
            f'user_domain_id = {keystone.DOMAIN}\n'
            f'project_domain_id = {keystone.DOMAIN}\n'
        )

    def tenant_context(self) -> TenantContext:
        """Return the request context of the ordinary user, a new token."""
        session = self.session(direct=True, user=self.site.demo)
        assert isinstance(session.auth, v3.Password)
        access = session.auth.get_access(session)
        return TenantContext(
            auth_token=str(access.auth_token),
            user_id=str(access.user_id),
            project_id=str(access.project_id),
            service_catalog=[
                as_glance.old_style(each)
                for each in access.service_catalog.catalog
            ],
        )

    # Past the fault proxies

    def revoke(self, token: str) -> None:
        """Revoke a token at Keystone."""
        tokens.forget()
        self._admin.revoke(token)

    def connection(
        self, user: keystone.User | None = None
    ) -> swiftclient.Connection:
        """Return a client for looking at what is really stored.

        Those of one user share a token: don't revoke it.
        """
        user = user or self.site.glance
        with self._lock:
            session = self._sessions.setdefault(
                user, self.session(direct=True, user=user)
            )
        return swiftclient.Connection(
            session=session,
            os_options={'region_name': self.site.region},
        )

    def new_container(self, user: keystone.User | None = None) -> str:
        """Create a container; return its name."""
        name = f'container-{uuid.uuid4().hex}'
        try:
            self.connection(user).put_container(name)
        except swiftclient.ClientException as exc:
            # Ceph RGW, to one of two first requests of a project.
            if exc.http_status != 409:
                raise
            self.connection(user).put_container(name)
        return name

    def listing(
        self,
        container: str,
        prefix: str = '',
        user: keystone.User | None = None,
    ) -> list[str]:
        """Return the names of all objects there; [] without a container."""
        connection = self.connection(user)
        names: list[str] = []
        for page in _pages(connection, container, prefix):
            names += page
        return names

    def object_bytes(
        self, container: str, name: str, user: keystone.User | None = None
    ) -> bytes:
        """Return what a GET of the object gives."""
        body: bytes = self.connection(user).get_object(container, name)[1]
        return body

    def delete_container(
        self, name: str, user: keystone.User | None = None
    ) -> None:
        """Delete a container and all in it, if it is there."""
        connection = self.connection(user)
        if names := self.listing(name, user=user):
            connection.post_account(
                {'Content-Type': 'text/plain'},
                query_string='bulk-delete',
                data='\n'.join(
                    parse.quote(f'{name}/{key}') for key in names
                ).encode(),
            )
        try:
            connection.delete_container(name)
        except swiftclient.ClientException as error:
            if error.http_status != 404:
                raise

    @property
    def keeps_containers(self) -> bool:
        """Whether what tests have stored stays until the cloud ends.

        Ceph's objects are in memory. Swift's are files, if there is room.
        """
        return (
            not self.site.rgw
            and shutil.disk_usage(self.site.root).free >= _ROOM
        )

    def release_container(
        self, name: str, user: keystone.User | None = None
    ) -> None:
        """Delete a container at the end of a test, if room is short.

        It goes with the cloud: to delete it now would be a third of a test's
        requests.
        """
        if not self.keeps_containers:
            self.delete_container(name, user)


def _pages(
    connection: swiftclient.Connection, container: str, prefix: str
) -> Iterator[list[str]]:
    marker = ''
    while True:
        try:
            page = connection.get_container(
                container, marker=marker, prefix=prefix, limit=_PAGE
            )[1]
        except swiftclient.ClientException as error:
            if error.http_status != 404:
                raise
            return
        yield [entry['name'] for entry in page]
        if len(page) < _PAGE:
            return
        marker = page[-1]['name']


@functools.cache
def _attached() -> Cloud:
    # All modules are loaded by now: not to be walked through again each time
    # that a test collects garbage.
    gc.freeze()
    text = os.environ.get(site.VARIABLE)
    cloud = Cloud(site.Site.load(text)) if text else Cloud.start()
    atexit.register(cloud.close)
    return cloud
