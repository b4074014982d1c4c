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

"""Making, sharing and removing the containers that images are in."""

from collections.abc import Iterable
from collections.abc import Mapping
import contextlib

from oslo_log import log as logging

from glance_store_bufswift import deletes
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift import notices
from glance_store_bufswift.swift import accounts

LOG = logging.getLogger(__name__)

#: Headers of a container that keeps deleted objects, each with the header that
#: ends it.
VERSIONING = {
    'x-versions-enabled': 'X-Versions-Enabled: false',
    'x-versions-location': 'X-Remove-Versions-Location: x',
    'x-history-location': 'X-Remove-History-Location: x',
}

#: Seconds before each try to remove a container that ought to be empty.
REMOVE_PAUSES = (0, 0.5, 1, 2)

#: The most names in one message.
MAX_NAMES_SHOWN = 20


def ensure(account: accounts.Account, container: str, create: bool) -> bool:
    """Make sure that a container exists; returns whether it was created.

    :param create: whether it may be created
    :raises RequestFailed: it does not exist, and may not or can not be created
    """
    headers = account.containers.head(container)
    if headers is not None:
        _warn_of_versioning(container, headers)
        return False
    if not create:
        raise errors.RequestFailed(
            f'Container {container} does not exist in Swift; create it '
            'or set swift_store_create_container_on_put'
        )
    LOG.info('Creating container %s in Swift', container)
    account.containers.create(container)
    return True


def versioning(headers: Mapping[str, str]) -> list[str]:
    """Those of a container's headers that make it keep deleted objects."""
    return [
        name
        for name in VERSIONING
        if (headers.get(name) or 'false').lower() != 'false'
    ]


def _warn_of_versioning(container: str, headers: Mapping[str, str]) -> None:
    names = versioning(headers)
    if names:
        notices.warn_once(
            'Container %s has %s: what Glance deletes there, and the '
            'segments of failed uploads, go on taking space. Switch '
            'versioning off for it.',
            container,
            ', '.join(names),
        )


def share(
    account: accounts.Account,
    container: str,
    image: str,
    public: bool,
    readers: Iterable[str],
    writers: Iterable[str],
) -> None:
    """Let only these projects read, and write, the container of an image.

    :param public: whether all projects may read it
    :param readers: ids of projects
    :param writers: ids of projects
    :raises NoImage: there is no such image
    :raises RequestFailed: Swift did not do it
    """
    read = '*:*' if public else _acl(readers)
    if account.containers.update(
        container,
        {'X-Container-Read': read, 'X-Container-Write': _acl(writers)},
    ):
        return
    # Glance deletes an image that a store reports as not found.
    if account.objects.head(container, image) is None:
        raise errors.NoImage(container, image)
    raise errors.RequestFailed(
        f'Swift finds the image in container {container}, but not the '
        'container: who may read and write it was not changed'
    )


def _acl(projects: Iterable[str]) -> str:
    return ','.join(f'{project}:*' for project in projects)


def remove(account: accounts.Account, container: str, image: str) -> None:
    """Remove the container of an image that was deleted.

    If the container stays, that is only a warning: the image is gone, and
    trying again would not help.
    """
    try:
        for pause in REMOVE_PAUSES:
            account.client.pause(pause)
            if _remove(account, container, image):
                return
        why = 'Swift says that it is not empty, but lists nothing there'
    except errors.RequestFailed as exc:
        why = f'{exc}'
    LOG.warning(
        'Container %(container)s of a deleted image stays: %(why)s',
        {'container': container, 'why': why},
    )


def _remove(account: accounts.Account, container: str, image: str) -> bool:
    """Try to remove it; returns whether trying again makes no sense."""
    try:
        account.containers.delete(container)
        return True
    except errors.RequestFailed as exc:
        if exc.status != 409:
            raise
    if account.objects.head(container, image) is not None:
        return True  # uploaded again
    names = list(account.containers.object_names(container, ''))
    foreign = [
        name
        for name in names
        if name != image and not layout.is_segment(image, name)
    ]
    if foreign:
        LOG.warning(
            'Container %(container)s of a deleted image stays, as '
            "there are objects that are not the image's: %(names)s",
            {
                'container': container,
                'names': ', '.join(foreign[:MAX_NAMES_SHOWN]),
            },
        )
        return True
    deletes.delete_and_log(account.objects, container, names)
    return False


def remove_created(account: accounts.Account, container: str) -> None:
    """Remove a container that was made for an upload that failed.

    :param account: closed at the end
    """
    with contextlib.closing(account):
        try:
            account.containers.delete(container)
            return
        except errors.RequestFailed as exc:
            why = exc
    LOG.warning(
        'Container %(container)s, made for an image that was not '
        'stored, stays: %(why)s',
        {'container': container, 'why': why},
    )
