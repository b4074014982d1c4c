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

"""Deleting many objects: in bulk where the site offers that."""

from collections.abc import Iterable

from oslo_log import log as logging

from glance_store_bufswift import errors
from glance_store_bufswift.swift import containers
from glance_store_bufswift.swift import objects
from glance_store_bufswift import workers

LOG = logging.getLogger(__name__)

#: Up to so many objects are deleted one by one, without asking the site for a
#: bulk delete.
MAX_ONE_BY_ONE = 2 * workers.EACH_THREADS

#: Objects in a bulk delete at most: Swift deletes two of each request at a
#: time (delete_concurrency), and several requests are under way.
MAX_BATCH = 1000

#: Once so many deletes have failed for good the others are not tried: Swift
#: is down, and each would take the time of all its tries.
MAX_FAILURES = 3


def delete_and_log(
    objects: objects.Objects, container: str, names: Iterable[str]
) -> list[str]:
    """Delete objects; one log line tells how many are left.

    :returns: the names of those that could not be deleted, sorted
    """
    failed = delete_all(objects, container, names)
    if failed:
        LOG.warning(
            '%(count)d objects could not be deleted from container '
            '%(container)s: %(why)s',
            {
                'count': len(failed),
                'container': container,
                'why': next(iter(failed.values())),
            },
        )
    return sorted(failed)


def delete_all(
    objects: objects.Objects, container: str, names: Iterable[str]
) -> dict[str, errors.RequestFailed]:
    """Delete objects: in bulk where there are many, else one by one.

    :returns: the errors of those that could not be deleted, by name
    """
    left = list(names)
    if len(left) > MAX_ONE_BY_ONE:
        left = _in_bulk(objects, container, left)
    return _one_by_one(objects, container, left)


def _in_bulk(
    objects: objects.Objects, container: str, names: list[str]
) -> list[str]:
    """Delete as many as Swift's bulk delete can.

    :returns: the names of the others
    """
    limit = min(objects.bulk_limit(), MAX_BATCH)
    if not limit:
        return names
    failed: list[errors.RequestFailed] = []

    def delete(batch: list[str]) -> list[str]:
        if failed:
            return batch
        try:
            return objects.delete_bulk(container, batch)
        except errors.RequestFailed as exc:
            failed.append(exc)
            return batch

    batches = [
        names[start : start + limit] for start in range(0, len(names), limit)
    ]
    left = [
        name for _, names in workers.each(delete, batches) for name in names
    ]
    if failed:
        LOG.info('%s; going on one by one', failed[0])
    return left


def _one_by_one(
    objects: objects.Objects, container: str, names: list[str]
) -> dict[str, errors.RequestFailed]:
    failed: dict[str, errors.RequestFailed] = {}
    # The threads share both; a dict must not grow while it is iterated.
    final: list[errors.RequestFailed] = []

    def delete(name: str) -> None:
        if len(final) >= MAX_FAILURES:
            failed[name] = final[0]
            return
        try:
            objects.delete(container, name)
        except errors.RequestFailed as exc:
            failed[name] = exc
            final.append(exc)

    for _ in workers.each(delete, names):
        pass
    return failed


def list_names(
    containers: containers.Containers, container: str, prefix: str
) -> tuple[list[str], errors.RequestFailed | None]:
    """The names with a prefix, and the error if they can't be listed."""
    try:
        return list(containers.object_names(container, prefix)), None
    except errors.RequestFailed as exc:
        return [], exc
