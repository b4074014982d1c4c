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

"""Deleting an image: first its segments, then its manifest.

As long as any segment is left the manifest stays, so that the caller can try
again.
"""

from collections.abc import Mapping

from oslo_log import log as logging

from glance_store_bufswift import deletes
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift import notices
from glance_store_bufswift.swift import accounts

LOG = logging.getLogger(__name__)

#: How often an object that reappears is deleted: a container with
#: X-Versions-Location brings the former version back with each DELETE.
MAX_ROUNDS = 5

#: The most names in one message.
MAX_NAMES_SHOWN = 20

#: The most segments, listed again and again, that are asked for themselves.
MAX_NAMES_CHECKED = 20


def remove(account: accounts.Account, container: str, image: str) -> None:
    """Delete an image, whatever driver wrote it and however.

    :raises NoImage: there is none
    :raises RequestFailed: some of it is left, with its manifest
    """
    headers = account.objects.head(container, image)
    if headers is None:
        raise errors.NoImage(container, image)
    if layout.VERSION_HEADER in headers:
        notices.warn_once(
            'Container %s keeps what is deleted, as it has '
            'X-Versions-Enabled: no space becomes free',
            container,
        )
    first = headers
    for _ in range(MAX_ROUNDS):
        _remove(account, container, image, headers)
        there = account.objects.head(container, image)
        if there is None or layout.newer(there, first):
            return
        headers = there
    raise errors.RequestFailed(
        f'{container}/{image} is there again after {MAX_ROUNDS} deletes; does '
        'the container keep versions?'
    )


def _remove(
    account: accounts.Account,
    container: str,
    image: str,
    headers: Mapping[str, str],
) -> None:
    target = layout.dlo_target(headers)
    slo = layout.is_slo(headers)
    if slo:
        _remove_slo_segments(account, container, image)
    elif target is not None:
        _remove_dlo_segments(account, image, headers, target)
    if (slo or target) and _replaced(account, container, image, headers):
        LOG.warning(
            'Image %s was uploaded again while it was deleted; '
            'its new data stays',
            image,
        )
    elif slo:
        _remove_slo(account, container, image)
    else:
        account.objects.delete(container, image)


def _replaced(
    account: accounts.Account,
    container: str,
    image: str,
    headers: Mapping[str, str],
) -> bool:
    """Whether another upload has written the object meanwhile."""
    now = account.objects.head(container, image)
    return now is not None and (
        layout.timestamp(now) > layout.timestamp(headers)
    )


def _remove_dlo_segments(
    account: accounts.Account,
    image: str,
    headers: Mapping[str, str],
    target: tuple[str, str],
) -> None:
    """Delete the segments of a DLO, even those not listed yet."""
    container, prefix = target
    if not layout.is_segment_prefix(image, prefix):
        LOG.warning(
            'What the manifest of image %(image)s points to may not '
            'be its own, and stays: %(container)s/%(prefix)s*',
            {'image': image, 'container': container, 'prefix': prefix},
        )
        return
    names = {
        *account.containers.object_names(container, prefix),
        *layout.segment_names(image, headers),
    }
    for _ in range(MAX_ROUNDS):
        _delete(account, container, sorted(names))
        names = set(account.containers.object_names(container, prefix))
        if not names:
            return
    # A listing can show for a while what is gone.
    there = [
        name
        for name in sorted(names)[:MAX_NAMES_CHECKED]
        if account.objects.head(container, name) is not None
    ]
    if there:
        raise errors.RequestFailed(
            f'These segments of image {image} are there again after '
            f'{MAX_ROUNDS} deletes, in container {container}: '
            f'{", ".join(there)}; does it keep versions?'
        )


def _remove_slo_segments(
    account: accounts.Account, container: str, image: str
) -> None:
    """Delete the segments of an SLO, if its manifest can be read.

    Swift would delete the manifest even if it could not delete a segment
    (swift/common/middleware/slo.py hands all to bulk delete). A site that does
    not name the segments, as Ceph RGW, has to delete all of it: an SLO that
    lacks a segment is a 404 there, and could not be deleted again.
    """
    by_container: dict[str, list[str]] = {}
    try:
        segments = account.slos.segments(container, image, nested=False)
    except errors.NoList as exc:
        LOG.info('%s; Swift is to delete all of it', exc)
        segments = []
    for each, name in segments:
        by_container.setdefault(each, []).append(name)
    for each, names in by_container.items():
        _delete(account, each, names)


def _remove_slo(account: accounts.Account, container: str, image: str) -> None:
    """Delete an SLO, and what else Swift finds in it."""
    left = account.slos.delete(container, image)
    if left and not _gone_before(account, container, image, left):
        raise errors.RequestFailed(
            f'Swift could not delete all of the SLO {container}/{image}: '
            f'{", ".join(left[:MAX_NAMES_SHOWN])}'
        )


def _gone_before(
    account: accounts.Account, container: str, image: str, left: list[str]
) -> bool:
    """Whether only a manifest is left, and that does not exist.

    Ceph RGW says so of one that it deleted in an earlier try, whose answer
    was lost.
    """
    itself = f'{container}/{image} ('
    return (
        all(each.startswith(itself) for each in left)
        and account.objects.head(container, image) is None
    )


def _delete(
    account: accounts.Account, container: str, names: list[str]
) -> None:
    failed = deletes.delete_all(account.objects, container, names)
    if not failed:
        return
    first = next(iter(failed.values()))
    shown = ', '.join(sorted(failed)[:MAX_NAMES_SHOWN])
    raise errors.RequestFailed(
        f'{len(failed)} of {len(names)} segments could not be deleted from '
        f'container {container} ({shown}); the image stays until they are. '
        f'{first}',
        status=first.status,
        timed_out=first.timed_out,
    )
