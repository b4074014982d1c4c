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

"""What a failed upload leaves in Swift, and its removal."""

import contextlib

from oslo_log import log as logging

from glance_store_bufswift import deletes
from glance_store_bufswift import errors
from glance_store_bufswift import former
from glance_store_bufswift import layout
from glance_store_bufswift.swift import accounts

LOG = logging.getLogger(__name__)

#: Seconds until names in doubt are looked at once more: a PUT can land after
#: its client gave up on it.
SETTLE_SECONDS = 2.0


def after_failure(
    failed: accounts.Account,
    dest: layout.Layout,
    attempted: set[str],
    in_doubt: bool,
    former: former.FormerImages,
) -> list[str] | None:
    """Remove whatever a failed attempt may have left; errors are only logged.

    :param failed: the attempt's account. Other connections are made: a DELETE
        has to come after the end of the PUT's connection
    :param attempted: every name for which a PUT was begun
    :param in_doubt: whether a PUT can still land
    :param former: what was there before
    :returns: the names of what is left; None if that is not known
    """
    try:
        with contextlib.closing(failed.fresh()) as account:
            return _clean_up(account, dest, attempted, in_doubt, former)
    except BaseException as exc:
        LOG.exception(
            'Cleaning up after the failed upload of image %(image)s '
            'broke off. These objects may be left in container '
            '%(container)s: %(names)s',
            {
                'image': dest.image,
                'container': dest.container,
                'names': ', '.join(sorted(attempted)),
            },
        )
        if not isinstance(exc, Exception):
            raise  # an interrupt
        return None


def _clean_up(
    account: accounts.Account,
    dest: layout.Layout,
    attempted: set[str],
    in_doubt: bool,
    former: former.FormerImages,
) -> list[str] | None:
    """Remove all, twice if in doubt; one log line tells what is left."""
    left, unlisted = _delete_once(account, dest, attempted, former)
    if in_doubt and attempted:
        account.client.pause(SETTLE_SECONDS)
        left, unlisted = _delete_once(account, dest, attempted, former)
    if left:
        LOG.error(
            'These objects of the failed upload of image %(image)s '
            'could not be deleted from container %(container)s and '
            'are orphans now. %(why)s. Their names: %(names)s',
            {
                'image': dest.image,
                'container': dest.container,
                'why': next(iter(left.values())),
                'names': ', '.join(sorted(left)),
            },
        )
    elif unlisted:
        LOG.warning(
            'All objects known of the failed upload of image '
            '%(image)s were deleted, but what else may have been '
            'stored is not known: %(why)s',
            {'image': dest.image, 'why': unlisted},
        )
        return None
    return sorted(left)


def _delete_once(
    account: accounts.Account,
    dest: layout.Layout,
    attempted: set[str],
    former: former.FormerImages,
) -> tuple[dict[str, errors.RequestFailed], errors.RequestFailed | None]:
    """Delete all once; return what is left, and why it can't be listed.

    The object with the image's name goes first: Ceph RGW answers 404 for an
    SLO that has lost a segment.
    """
    failed = None
    if dest.image in attempted:
        failed = _delete_own(account, dest, former)
    names, unlisted = attempted - {dest.image}, None
    if names:
        more, unlisted = deletes.list_names(
            account.containers, dest.container, dest.prefix
        )
        names = names.union(more)
    left = deletes.delete_all(account.objects, dest.container, sorted(names))
    return left | ({dest.image: failed} if failed else {}), unlisted


def _delete_own(
    account: accounts.Account,
    dest: layout.Layout,
    former: former.FormerImages,
) -> errors.RequestFailed | None:
    """Delete the object with the image's name if this attempt wrote it.

    Another attempt may have stored the image meanwhile. This attempt's object
    may have replaced a former image; nothing refers to that one's segments
    then.

    :returns: why it could not be deleted
    """
    try:
        headers = account.objects.head(dest.container, dest.image, newest=True)
        if headers is not None:
            if dest.wrote(headers):
                account.objects.delete(dest.container, dest.image)
            former.remove(account, headers)
    except errors.RequestFailed as exc:
        return exc
    return None
