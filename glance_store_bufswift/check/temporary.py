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

"""Objects that are sent to Swift for a moment, and must not stay there.

They are named like the segments of an upload: if this process is killed,
``glance-bufswift orphans`` finds them.
"""

from collections.abc import Callable
from collections.abc import Iterator
from concurrent import futures
import contextlib
import hashlib
import itertools
import os

from oslo_log import log as logging

from glance_store_bufswift.buffer import segment
from glance_store_bufswift import cleanup
from glance_store_bufswift import deletes
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift import provisioning
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import reading
from glance_store_bufswift import units

LOG = logging.getLogger(__name__)

#: Seconds before each try to delete what is left.
DELETE_PAUSES = 0, cleanup.SETTLE_SECONDS, 2 * cleanup.SETTLE_SECONDS


class TemporaryObjects:
    """Objects of random bytes; threads may share them.

    :param account: requests end early if it is cancelled
    :param dest: the container, and what the names begin with
    :param step: called with what is done now
    """

    def __init__(
        self,
        account: accounts.Account,
        dest: layout.Layout,
        step: Callable[[str], object],
    ) -> None:
        self._account = account
        self._dest = dest
        self._step = step
        self._numbers = itertools.count(1)
        self._attempted: set[str] = set()
        self._stored: set[str] = set()
        self._data = b''
        self._md5 = ''

    @property
    def size(self) -> int:
        """Bytes in each that is put from now on."""
        return len(self._data)

    @size.setter
    def size(self, size: int) -> None:
        self._data = os.urandom(size)
        self._md5 = hashlib.md5(self._data, usedforsecurity=False).hexdigest()

    def put(self) -> str:
        """Send an object; returns its name."""
        name = self._dest.segment(next(self._numbers))
        self._attempted.add(name)
        self._account.objects.put(
            self._dest.container, name, self._body(), len(self._data)
        )
        self._stored.add(name)
        return name

    def _body(self) -> segment.SegmentBody:
        """An object on its way, written on the thread that sends it."""
        md5: futures.Future[str] = futures.Future()
        md5.set_result(self._md5)
        body = segment.SegmentBody()
        blocks = iter(
            [
                self._data[at : at + units.BLOCK]
                for at in range(0, len(self._data), units.BLOCK)
            ]
        )

        def feed() -> None:
            block = next(blocks, None)
            if block is None:
                body.finish(md5)
            else:
                body.write(block)

        body.feed_from(feed)
        return body

    def get(self, name: str) -> None:
        """Read an object, to its end."""
        opened = reading.ObjectReader(
            self._account, self._dest.container, name
        )
        while opened.read():
            pass

    def clean_up(self) -> str:
        """Delete all of them; returns what is left in words, '' if nothing."""
        if not self._attempted:
            return ''
        self._step('deleting what was sent')
        doubt = self._attempted != self._stored
        with contextlib.closing(self._account.fresh()) as account:
            for pause in DELETE_PAUSES:
                account.client.pause(pause)
                left = self._delete(account)
                # A PUT that broke off can land after its client gave up.
                if not left and (pause or not doubt):
                    return ''
        return (
            f'{len(left)} objects are left in container '
            f'{self._dest.container} ({next(iter(left.values()))}): delete '
            f'those whose names begin with {self._dest.prefix}'
        )

    def _delete(
        self, account: accounts.Account
    ) -> dict[str, errors.RequestFailed]:
        names, _ = deletes.list_names(
            account.containers, self._dest.container, self._dest.prefix
        )
        return deletes.delete_all(
            account.objects,
            self._dest.container,
            sorted(self._attempted.union(names)),
        )


@contextlib.contextmanager
def objects(
    account: accounts.Account,
    dest: layout.Layout,
    may_create: bool,
    step: Callable[[str], object],
) -> Iterator[TemporaryObjects]:
    """Objects that are deleted at the end, however it ends.

    :param account: for them alone; cancelled if it ends by an exception
    :param dest: the container, and what their names begin with
    :param may_create: swift_store_create_container_on_put
    :param step: called with what is done now
    :raises RequestFailed: something is left
    """
    with _container(account, dest, may_create):
        sent = TemporaryObjects(account, dest, step)
        try:
            yield sent
        except BaseException:
            account.client.cancel()
            if left := sent.clean_up():
                LOG.error('%s', left)
            raise
        if left := sent.clean_up():
            raise errors.RequestFailed(left)


@contextlib.contextmanager
def _container(
    account: accounts.Account, dest: layout.Layout, may_create: bool
) -> Iterator[None]:
    """The container; removed afterwards if it was missing before.

    :raises RequestFailed: there is none, or it keeps deleted objects
    """
    headers = account.containers.head(dest.container) or {}
    if kept_by := provisioning.versioning(headers):
        raise errors.RequestFailed(
            f'Container {dest.container} keeps what is deleted '
            f'({kept_by[0]}): nothing is sent there to measure'
        )
    if not provisioning.ensure(account, dest.container, may_create):
        yield
        return
    try:
        yield
    finally:
        with contextlib.closing(account.fresh()) as other:
            provisioning.remove(other, dest.container, dest.image)
