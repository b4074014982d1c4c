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

"""A store as Glance uses it, for small images of several segments."""

from collections.abc import Iterator
import contextlib
import dataclasses
import tempfile
from typing import Any
from typing import BinaryIO

from glance_store import location

from glance_store_bufswift import driver
from glance_store_bufswift import service


@contextlib.contextmanager
def store(
    user: service.ServiceUser, segment_size: int
) -> Iterator['GlanceStore']:
    """The store of a user, after sign_in().

    Its buffers are in a directory of their own: a quota file made by another
    user than glance-api's would turn buffering off.

    :param segment_size: bytes
    """
    with contextlib.ExitStack() as held:
        directory = user.settings.directory
        try:
            own = held.enter_context(
                tempfile.TemporaryDirectory(
                    dir=directory, prefix='.bufswift-check-'
                )
            )
        except OSError:  # the upload goes unbuffered then
            own = directory
        made = user.store(
            directory=own, segment_size=segment_size, plain_limit=segment_size
        )
        yield GlanceStore(made, _context(user))


class GlanceStore:
    """A store with what Glance hands to it.

    :param store: the driver's
    :param context: of the requests
    """

    def __init__(self, store: Any, context: 'Context') -> None:
        self._store = store
        self._context = context

    def add(self, image: str, stream: BinaryIO, size: int) -> str:
        """Store an image; returns its URI."""
        return str(
            self._store.add(
                image, stream, size, 'sha512', context=self._context
            )[0]
        )

    def get(
        self, uri: str, offset: int = 0, length: int | None = None
    ) -> bytes:
        """The bytes of an image, or of a part of it.

        :param offset: the first byte
        :param length: bytes, None = to the end
        """
        chunks, _ = self._store.get(
            self._location(uri),
            offset=offset,
            chunk_size=length,
            context=self._context,
        )
        return b''.join(chunks)

    def delete(self, uri: str) -> None:
        """Delete an image."""
        self._store.delete(self._location(uri), context=self._context)

    def _location(self, uri: str) -> location.Location:
        return location.Location(
            driver.NAME,
            driver.StoreLocation,
            self._store.conf,
            uri=uri,
            backend=self._store.backend_group,
        )


@dataclasses.dataclass(frozen=True)
class Context:
    """What a multi-tenant store reads from Glance's request context."""

    auth_token: str = dataclasses.field(repr=False)
    user_id: str
    project_id: str
    service_catalog: list[dict[str, Any]]


def _context(user: service.ServiceUser) -> Context:
    """What Glance would hand to a multi-tenant store for this user."""
    access = user.access()
    return Context(
        access.auth_token,
        access.user_id,
        access.project_id,
        [old_style(each) for each in access.service_catalog.catalog],
    )


def old_style(service: dict[str, Any]) -> dict[str, Any]:
    """A service of the catalog in the form of the Identity API 2.

    keystonemiddleware hands it to Glance in that form, and Glance to a store.
    """
    regions: dict[str, dict[str, Any]] = {}
    for endpoint in service['endpoints']:
        region = endpoint['region']
        entry = regions.setdefault(region, {'region': region})
        entry[f'{endpoint["interface"]}URL'] = endpoint['url']
    return {
        'type': service['type'],
        'name': service.get('name'),
        'endpoints': list(regions.values()),
    }
