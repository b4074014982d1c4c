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

"""Removing objects: those named, and what a failed upload has left."""

from collections.abc import Callable
from collections.abc import Iterable

from oslo_log import log as logging

from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.swift import account as swift
from glance_store_bufswift import workers

LOG = logging.getLogger(__name__)

#: Seconds after which names in doubt are looked at once more: a PUT may land
#: after its client gave up on it.
SETTLE = 2.0

#: Up to so many objects are deleted one by one without asking for more.
FEW = 2 * workers.THREADS

#: Objects in a bulk delete at most: Swift deletes two at a time of each
#: (delete_concurrency), and several requests are under way.
BATCH = 1000

#: After so many deletes that failed for good the others are not tried:
#: Swift is down, and each takes the time of all its tries.
ENOUGH = 3


def delete_objects(account: swift.Account, container: str,
                   names: Iterable[str]) -> list[str]:
    """Delete objects beside each other; one line tells of what is left.

    :returns: the names of those that could not be deleted, sorted
    """
    failed = failed_deletes(account, container, names)
    if failed:
        LOG.warning('%(count)d objects could not be deleted from container '
                    '%(container)s: %(why)s',
                    {'count': len(failed), 'container': container,
                     'why': next(iter(failed.values()))})
    return sorted(failed)


def failed_deletes(account: swift.Account, container: str,
                   names: Iterable[str]) -> dict[str, errors.RequestFailed]:
    """Delete objects: in bulk where there are many, else one by one.

    :returns: the errors of those that could not be deleted, by name
    """
    left = list(names)
    if len(left) > FEW:
        left = _in_bulk(account, container, left)
    return _one_by_one(account, container, left)


def _in_bulk(account: swift.Account, container: str,
             names: list[str]) -> list[str]:
    """Delete as many as Swift's bulk delete can.

    :returns: the names of the others
    """
    limit = _bulk_limit(account)
    if not limit:
        return names
    failed: list[errors.RequestFailed] = []

    def delete(batch: list[str]) -> list[str]:
        if failed:
            return batch
        try:
            return account.delete_bulk(container, batch)
        except errors.RequestFailed as exc:
            failed.append(exc)
            return batch
    batches = [names[start:start + limit]
               for start in range(0, len(names), limit)]
    left = [name for _, names in workers.each(delete, batches)
            for name in names]
    if failed:
        LOG.info('%s; going on one by one', failed[0])
    return left


def _bulk_limit(account: swift.Account) -> int:
    """How many objects a bulk delete may have; 0 if there is none."""
    offer = account.capabilities().get('bulk_delete')
    limit = offer.get('max_deletes_per_request') if isinstance(
        offer, dict) else 0
    return min(limit, BATCH) if isinstance(limit, int) else 0


def _one_by_one(account: swift.Account, container: str, names: list[str]
                ) -> dict[str, errors.RequestFailed]:
    failed: dict[str, errors.RequestFailed] = {}
    # The threads share both, and a dict must not grow under who iterates.
    final: list[errors.RequestFailed] = []

    def delete(name: str) -> None:
        if len(final) >= ENOUGH:
            failed[name] = final[0]
            return
        try:
            account.delete(container, name)
        except errors.RequestFailed as exc:
            failed[name] = exc
            final.append(exc)
    for _ in workers.each(delete, names):
        pass
    return failed


def listed(account: swift.Account, container: str, prefix: str
           ) -> tuple[list[str], errors.RequestFailed | None]:
    """The names with a prefix, and why they could not be listed."""
    try:
        return list(account.listing(container, prefix)), None
    except errors.RequestFailed as exc:
        return [], exc


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
    """Delete all once; what could not be, and why it could not be listed."""
    names, unlisted = attempted - {where.image}, None
    if names:
        more, unlisted = listed(account, where.container, where.prefix)
        names = names.union(more)
    left = failed_deletes(account, where.container, sorted(names))
    if where.image in attempted:
        failed = _delete_own(account, where, settled)
        left |= {where.image: failed} if failed else {}
    return left, unlisted


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
