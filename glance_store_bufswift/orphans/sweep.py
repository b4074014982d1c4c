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

"""Finding and deleting orphans: segments that no manifest refers to."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import datetime
import enum
import itertools

from glance_store_bufswift import cleanup
from glance_store_bufswift import layout
from glance_store_bufswift.orphans import attempts
from glance_store_bufswift.swift import account as swift
from glance_store_bufswift.swift import listings
from glance_store_bufswift import workers

#: Objects between two words on the progress.
STEP = 1000


class Outcome(enum.Enum):
    """What became of an orphan."""

    DELETED = 'deleted'
    GONE = 'gone meanwhile'
    CHANGED = 'kept: changed meanwhile'
    REFERRED = 'kept: referred to meanwhile'
    FAILED = 'not deleted, see the log'


class Sweep:
    """One look through all containers of a store.

    Nothing is held in memory but the orphans, by attempt. The first pass
    lists each container; of an attempt that is old enough it asks for the
    object with the image's name, and takes for a suspect what that does not
    refer to. Only when there are suspects a second pass asks for each object
    that may be a manifest, whatever its name, and clears those that it
    refers to.

    :param account: where the containers are
    :param containers: all that the store has: a manifest in one of them may
        refer to segments in another
    :param before: only attempts without a later sign of life count
    :param progress: told the name of the container and how many objects of
        it were seen
    """

    def __init__(self, account: swift.Account, containers: Sequence[str],
                 before: datetime.datetime,
                 progress: Callable[[str, int], object]) -> None:
        self._account = account
        self._containers = containers
        self._before = before
        self._progress = progress

    def find(self) -> list[attempts.Attempt]:
        """The orphans, by container and name.

        :raises RequestFailed: something could not be asked for; what is an
            orphan is not known then
        """
        left = attempts.Unreferred(itertools.chain.from_iterable(
            map(self._suspects, self._containers)))
        for container in self._containers if left else ():
            for place in self._referred(container):
                left.strike(place)
        return list(left)

    def delete(self, orphan: attempts.Attempt) -> Outcome:
        """Delete an orphan, if it still is one.

        It is listed again, and the object with the image's name is asked for
        again, right before.

        :raises RequestFailed: that could not be asked for
        """
        entries = [entry for entry in self._account.entries(
            orphan.container, orphan.prefix) if attempts.key_of(entry.name)]
        if not entries:
            return Outcome.GONE
        if [*attempts.attempts(orphan.container, entries)] != [orphan]:
            return Outcome.CHANGED
        if self._has_manifest(orphan):
            return Outcome.REFERRED
        left = cleanup.delete_objects(
            self._account, orphan.container,
            [entry.name for entry in entries])
        return Outcome.FAILED if left else Outcome.DELETED

    def _suspects(self, container: str) -> Iterator[attempts.Attempt]:
        """Old attempts that the object with the image's name is no use of."""
        old = (each for each in attempts.attempts(
            container, self._listing(container))
            if each.newest <= self._before)
        for attempt, has_manifest in workers.each(self._has_manifest, old):
            if not has_manifest:
                yield attempt

    def _has_manifest(self, attempt: attempts.Attempt) -> bool:
        headers = self._account.head(
            attempt.container, attempt.image, newest=True)
        target = layout.manifest_target(headers or {})
        return (target is not None and target[0] == attempt.container
                and attempts.refers(target[1], attempt))

    def _referred(self, container: str) -> Iterator[attempts.Reference]:
        """What the container's manifests refer to, and they themselves."""
        names = (entry.name for entry in self._listing(container)
                 if attempts.may_be_manifest(entry))

        def look(name: str) -> Iterable[attempts.Reference]:
            headers = self._account.head(container, name, newest=True) or {}
            # A manifest that is named as a segment is none.
            itself = attempts.Reference(container, name, exact=True)
            if layout.is_static(headers):
                return [itself, *(
                    attempts.Reference(*place, exact=True) for place
                    in self._account.static_segments(container, name))]
            target = layout.manifest_target(headers)
            return [itself, attempts.Reference(*target)] if target else []

        for _, places in workers.each(look, names):
            yield from places

    def _listing(self, container: str) -> Iterator[listings.Entry]:
        count = 0
        for count, entry in enumerate(self._account.entries(container), 1):
            if count % STEP == 0:
                self._progress(container, count)
            yield entry
        self._progress(container, count)
