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

from collections.abc import Callable

from oslo_log import log as logging

from glance_store_bufswift import deletes
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.swift import account as swift

LOG = logging.getLogger(__name__)

#: Seconds after which names in doubt are looked at once more: a PUT may land
#: after its client gave up on it.
SETTLE = 2.0


def after_failure(account: swift.Account, where: layout.Layout,
                  attempted: set[str], in_doubt: bool,
                  settled: Callable[[dict[str, str]], object]
                  ) -> list[str] | None:
    """Remove whatever a failed attempt may have left.

    One line tells of what it could not do.

    :param account: on connections of its own, as a DELETE has to come after
        the end of the PUT's connection
    :param attempted: every name for which a PUT was begun
    :param in_doubt: whether a PUT may still land
    :param settled: called with the headers of the object with the image's
        name: this attempt's, when that is deleted, or another one's
    :returns: the names of what is left; None if that is not known
    """
    left, unlisted = _sweep(account, where, attempted, settled)
    if in_doubt and attempted:
        account.pause(SETTLE)
        left, unlisted = _sweep(account, where, attempted, settled)
    if left:
        LOG.error('These objects of the failed upload of image %(image)s '
                  'could not be deleted from container %(container)s and '
                  'are orphans now. %(why)s. Their names: %(names)s',
                  {'image': where.image, 'container': where.container,
                   'why': next(iter(left.values())),
                   'names': ', '.join(sorted(left))})
    elif unlisted:
        LOG.warning('All objects known of the failed upload of image '
                    '%(image)s were deleted, but what else may have been '
                    'stored is not known: %(why)s',
                    {'image': where.image, 'why': unlisted})
        return None
    return sorted(left)


def _sweep(account: swift.Account, where: layout.Layout, attempted: set[str],
           settled: Callable[[dict[str, str]], object]
           ) -> tuple[dict[str, errors.RequestFailed],
                      errors.RequestFailed | None]:
    """Delete all once; what could not be, and why it could not be listed.

    First the object with the image's name: Ceph RGW answers 404 for an SLO
    that has lost a segment.
    """
    failed = None
    if where.image in attempted:
        failed = _delete_own(account, where, settled)
    names, unlisted = attempted - {where.image}, None
    if names:
        more, unlisted = deletes.listed(account, where.container, where.prefix)
        names = names.union(more)
    left = deletes.failed_deletes(account, where.container, sorted(names))
    return left | ({where.image: failed} if failed else {}), unlisted


def _delete_own(account: swift.Account, where: layout.Layout,
                settled: Callable[[dict[str, str]], object]
                ) -> errors.RequestFailed | None:
    """Delete the object with the image's name if this attempt wrote it.

    Another attempt may have stored the image meanwhile. What this one wrote
    may have replaced a former image, to whose segments nothing points then.

    :returns: why it could not
    """
    try:
        headers = account.head(where.container, where.image, newest=True)
        if headers is not None:
            if where.wrote(headers):
                account.delete(where.container, where.image)
            settled(headers)
    except errors.RequestFailed as exc:
        return exc
    return None
