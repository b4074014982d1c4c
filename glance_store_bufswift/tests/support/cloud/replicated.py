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

"""A Swift of three replicas, and what goes wrong in one.

Three container and three object servers are processes of their own. Here a
listing can lag behind the objects, a server be down, and copies be lost:

    with swift.lagging_listings():
        ...          # objects are stored and deleted, listings don't tell
    swift.update_listings()
    ...              # now they do

What a test has broken is whole again after clear() and delete_container().
"""

import atexit
from collections.abc import Iterator
from collections.abc import Sequence
import configparser
import contextlib
import dataclasses
import functools
import hashlib
import os
from pathlib import Path
import signal
import unittest
import uuid

from glance_store_bufswift.tests.support.cloud import cloud
from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support.cloud import site
from glance_store_bufswift.tests.support.cloud import swift

#: Copies of an object, and of a container's listing.
REPLICAS = 3

#: A majority: so many servers must agree.
QUORUM = 2

# Which parent of a copy's directory is the device:
# disk1/objects/<partition>/<suffix>/<hash>
_DEVICE = 3


class Node:
    """A storage server that can be stopped and started again.

    :ivar config: its configuration file
    :ivar device: the directory of its disk
    :ivar switch: the file that makes a container server refuse rows
    """

    def __init__(
        self,
        keeper: process.Keeper,
        swift_dir: Path,
        kind: str,
        port: int,
        device: str,
    ) -> None:
        self._keeper = keeper
        self._swift_dir = swift_dir
        self._kind = kind
        self._port = port
        self._server: process.Server | None = None
        self.config = swift.config_file(keeper, kind, port)
        self.device = swift_dir / 'devices' / device
        self.switch = swift.switch(swift_dir, port)

    @property
    def pid(self) -> int | None:
        """Its process id; None when it is stopped."""
        return self._server.pid if self._server else None

    def start(self) -> None:
        """Start it; don't wait."""
        assert not self._server
        self._server = swift.start_storage(
            self._keeper, self._swift_dir, self._kind, self._port
        )

    def wait(self) -> None:
        """Wait until it answers."""
        assert self._server
        self._keeper.wait(self._server, self._port, '/healthcheck')

    def stop(self) -> None:
        """Kill it: connections to it are refused from now on."""
        if self._server:
            os.kill(self._server.pid, signal.SIGKILL)
            self._keeper.stop(self._server)
            self._server = None


class Replicated(cloud.Cloud):
    """A view of a Swift of three replicas, which is this view's own.

    :param where: the cloud whose Keystone and people it has
    :param keeper: of this process's own servers, to be closed with it

    :ivar containers: the container servers
    :ivar objects: the object servers
    """

    def __init__(
        self, where: site.Site, keeper: process.Keeper | None = None
    ) -> None:
        keeper = keeper or process.Keeper(where.root)
        try:
            self._build(where, keeper)
        except BaseException:
            keeper.close()
            raise

    def _build(self, where: site.Site, keeper: process.Keeper) -> None:
        [front, account, *more] = process.free_ports(2 + 2 * REPLICAS)
        where = dataclasses.replace(
            where,
            swift_port=front,
            region=f'replicated-{uuid.uuid4().hex}',
            swift_dir=str(keeper.root / 'replicated'),
        )
        ports = {
            'account': [account],
            'container': more[:REPLICAS],
            'object': more[REPLICAS:],
        }
        root = Path(where.swift_dir)
        swift.make(root, ports)
        nodes = {
            kind: [
                Node(keeper, root, kind, port, f'disk{number}')
                for number, port in enumerate(those, start=1)
            ]
            for kind, those in ports.items()
        }
        self._nodes = [node for those in nodes.values() for node in those]
        self.containers, self.objects = nodes['container'], nodes['object']
        server = swift.start_proxy(
            keeper,
            root,
            front,
            60.0,
            where.auth_url,
            where.swift,
            keystone.REGION,
            Path(where.root),
        )
        admin = keystone.Admin(where.auth_url, where.admin)
        admin.create('region', id=where.region)
        admin.create_endpoints(
            'object-store', where.region, where.account_url(front)
        )
        super().__init__(where, keeper)
        self._differ = False
        self._lost: list[tuple[Path, Path]] = []
        self.start_all()
        keeper.wait(server, front, '/healthcheck')

    @classmethod
    def attach(cls) -> 'Replicated':
        """Return this process's replicated Swift, beside the run's cloud.

        It starts on first use, and ends when the process exits.

        :raises SkipTest: the run is about another object store
        """
        if site.on_rgw():
            raise unittest.SkipTest('Ceph RGW stands in the place of Swift')
        return _attached()

    # Listings that lag

    @contextlib.contextmanager
    def lagging_listings(
        self, nodes: Sequence[Node] | None = None
    ) -> Iterator[None]:
        """Have container servers refuse to enter and to remove objects.

        What has changed is not in the listings afterwards either: not before
        update_listings().

        :param nodes: which of `containers`; by default all
        """
        for node in nodes or self.containers:
            node.switch.touch()
        try:
            yield
        finally:
            for node in nodes or self.containers:
                node.switch.unlink(missing_ok=True)

    def pending_rows(self) -> list[Path]:
        """Return the updates of listings that object servers keep."""
        return [
            path
            for node in self.objects
            for path in node.device.glob('async_pending*/*/*')
        ]

    def update_listings(self) -> None:
        """Run the object updater once, as a site does every five minutes.

        What container servers still refuse stays pending.

        :raises ServerError: it has failed
        """
        if self.pending_rows():
            # It finds the devices of all of them.
            self._run_once('object-updater', self.objects[:1])

    def replicate_listings(self) -> None:
        """Run the container replicators once, so that all listings agree.

        While an object server is down, nobody tells one of the container
        servers of a deletion: the updater does not know of it.

        :raises ServerError: one has failed
        """
        self._run_once('container-replicator', self.containers)

    def _run_once(self, daemon: str, nodes: Sequence[Node]) -> None:
        """Run a daemon beside each of these servers; wait for them all."""
        assert self._keeper
        running = [
            self._keeper.start(
                f'{node.config.stem}-{daemon}',
                'once',
                daemon,
                str(node.config),
            )
            for node in nodes
        ]
        statuses = [self._keeper.join(each) for each in running]
        for each, status in zip(running, statuses, strict=True):
            if status:
                raise process.ServerError(
                    f'{each.name} ended with {status}:\n{each.tail()}'
                )

    # Servers that are down

    @contextlib.contextmanager
    def stopped(self, *nodes: Node) -> Iterator[None]:
        """Kill these servers; start them again at the end."""
        self._differ = True
        for node in nodes:
            node.stop()
        try:
            yield
        finally:
            self.start_all()

    def start_all(self) -> None:
        """Start what is stopped, and wait until it answers."""
        stopped = [node for node in self._nodes if not node.pid]
        for node in stopped:
            node.start()
        for node in stopped:
            node.wait()

    # Copies that are lost

    def copies(
        self, container: str, name: str, user: keystone.User | None = None
    ) -> list[Path]:
        """Return the directories of an object's copies, by device.

        Each has a .data file, or a .ts file that tells of a deletion.
        """
        account = self.connection(user).get_auth()[0].rpartition('/')[2]
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(Path(self.site.swift_dir) / 'swift.conf')
        suffix = parser['swift-hash']['swift_hash_path_suffix']
        digest = hashlib.md5(
            f'/{account}/{container}/{name}{suffix}'.encode(),
            usedforsecurity=False,
        ).hexdigest()
        return [
            path
            for node in self.objects
            for path in sorted(
                node.device.glob(f'objects/*/{digest[-3:]}/{digest}')
            )
        ]

    @contextlib.contextmanager
    def lost(
        self,
        container: str,
        name: str,
        copies: int = REPLICAS,
        user: keystone.User | None = None,
    ) -> Iterator[None]:
        """Take so many copies of an object away; bring them back at the end.

        The listing has it all the time.

        :raises ValueError: there are not so many
        """
        paths = self.copies(container, name, user)[:copies]
        if len(paths) < copies:
            raise ValueError(f'{container}/{name} has {len(paths)} copies')
        for path in paths:
            aside = path.parents[_DEVICE] / 'lost' / path.name
            aside.parent.mkdir(exist_ok=True)
            self._lost.append((path, path.rename(aside)))
        try:
            yield
        finally:
            self._bring_back()

    @contextlib.contextmanager
    def unreachable(
        self, container: str, name: str, user: keystone.User | None = None
    ) -> Iterator[None]:
        """Lose two copies of an object, and the server of the third.

        Swift answers 404, as a majority of the servers does. Other objects
        can be read, written and deleted.
        """
        with (
            self.lost(container, name, QUORUM, user),
            self.stopped(*self.objects[QUORUM:]),
        ):
            yield

    def _bring_back(self) -> None:
        for path, aside in self._lost:
            # What was written since is newer.
            if not path.exists():
                aside.rename(path)
        self._lost.clear()

    # Whole again

    def heal(self) -> None:
        """End what a test has broken; bring the listings up to date."""
        for node in self.containers:
            node.switch.unlink(missing_ok=True)
        self._bring_back()
        self.start_all()
        self.update_listings()
        if self._differ:
            self.replicate_listings()
            self._differ = False

    def clear(self) -> None:
        """Make all as new: call it before each test."""
        super().clear()
        self.heal()

    def delete_container(
        self, name: str, user: keystone.User | None = None
    ) -> None:
        """Delete a container and all in it, if it is there."""
        self.heal()
        super().delete_container(name, user)


@functools.cache
def _attached() -> Replicated:
    replicated = Replicated(cloud.Cloud.attach().site)
    atexit.register(replicated.close)
    return replicated
