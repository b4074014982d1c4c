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
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import datetime
import enum
import itertools

from glance_store_bufswift import deletes
from glance_store_bufswift.orphans import attempts
from glance_store_bufswift.orphans import manifests
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import listings
from glance_store_bufswift import workers

#: Objects between two progress reports.
OBJECTS_PER_REPORT = 1000

#: The most segments of an attempt that are looked for though they are not
#: listed.
MAX_HIDDEN = 20


class Outcome(enum.Enum):
    """What became of an orphan."""

    DELETED = 'deleted'
    GONE = 'gone meanwhile'
    CHANGED = 'kept: changed meanwhile'
    REFERRED = 'kept: referred to meanwhile'
    DOUBT = 'kept: in doubt'
    FAILED = 'not deleted, see the log'


@dataclasses.dataclass(frozen=True)
class SweepResult:
    """What became of an orphan, and why.

    :ivar why: '' if there is nothing to be said
    """

    outcome: Outcome
    why: str = ''

    def __str__(self) -> str:
        return self.outcome.value + (f' ({self.why})' if self.why else '')


@dataclasses.dataclass(frozen=True)
class Orphan:
    """An attempt whose segments nothing is known to refer to.

    :ivar doubt: why something may refer to them, or the attempt may still run;
        '' if neither can be
    """

    attempt: attempts.Attempt
    doubt: str = ''


class Sweep:
    """One look through all containers of a store.

    Only the orphans are held in memory, by attempt. The first pass lists each
    container. For each attempt that is old enough it reads the object with the
    image's name; if that does not refer to the attempt, the attempt is a
    suspect. If there are suspects, a second pass reads each object that can be
    a manifest, whatever its name, and clears the attempts that it refers to.

    :param account: where the containers are
    :param containers: all that the store has: a manifest in one of them may
        refer to segments in another
    :param before: only attempts without a later sign of life count
    :param progress: called with the name of the container and the number of
        its objects seen
    """

    def __init__(
        self,
        account: accounts.Account,
        containers: Sequence[str],
        before: datetime.datetime,
        progress: Callable[[str, int], object],
    ) -> None:
        self._account = account
        self._containers = containers
        self._before = before
        self._progress = progress

    def find(self) -> list[Orphan]:
        """The orphans, by container and name, even those in doubt.

        :raises RequestFailed: a request failed; what is an orphan is not
            known then
        """
        doubts = manifests.Doubts()
        unlisted: list[attempts.Reference] = []
        left = attempts.Unreferred(
            itertools.chain.from_iterable(
                self._suspects(container, doubts, unlisted)
                for container in self._containers
            )
        )
        for place in unlisted:
            left.strike(place)
        for container in self._containers if left else ():
            for place in self._referred(container, doubts):
                left.strike(place)

        def doubt(attempt: attempts.Attempt) -> str:
            return doubts.about(attempt) or self._sign_of_life(
                attempt.container, attempts.hidden([attempt.last], most=1)
            )

        return list(itertools.starmap(Orphan, workers.each(doubt, left)))

    def delete(self, orphan: Orphan) -> SweepResult:
        """Delete an orphan, if it surely still is one.

        Right before, its image is listed again, and the object with the
        image's name is read again.

        :raises RequestFailed: one of these requests failed
        """
        if orphan.doubt:
            return SweepResult(Outcome.DOUBT, orphan.doubt)
        attempt = orphan.attempt
        entries = list(
            self._account.containers.entries(attempt.container, attempt.image)
        )
        now = {
            each.prefix: each
            for each in attempts.attempts(attempt.container, entries)
        }
        if attempt.prefix not in now:
            return SweepResult(Outcome.GONE)
        if now[attempt.prefix] != attempt:
            return SweepResult(Outcome.CHANGED)
        names = [
            entry.name
            for entry in entries
            if (key := attempts.key_of(entry.name))
            and key.prefix == attempt.prefix
        ]
        kept = self._kept(attempt, names)
        if kept:
            return kept
        return SweepResult(
            Outcome.FAILED
            if deletes.delete_and_log(
                self._account.objects, attempt.container, names
            )
            else Outcome.DELETED
        )

    def _kept(
        self, attempt: attempts.Attempt, names: Sequence[str]
    ) -> SweepResult | None:
        """Why an attempt has to be kept, None if it can be deleted."""
        doubt = self._sign_of_life(
            attempt.container, attempts.hidden(names, MAX_HIDDEN)
        )
        references = self._image(attempt)
        if _refer(references, attempt):
            return SweepResult(Outcome.REFERRED)
        doubt = references.doubt or doubt
        return SweepResult(Outcome.DOUBT, doubt) if doubt else None

    def _suspects(
        self,
        container: str,
        doubts: manifests.Doubts,
        unlisted: list[attempts.Reference],
    ) -> Iterator[attempts.Attempt]:
        """Old attempts that the object with the image's name does not use.

        :param unlisted: gets what such objects refer to, if the second pass
            will not see them
        """
        old = (
            each
            for each in attempts.attempts(container, self._listing(container))
            if each.newest <= self._before
        )
        for attempt, references in workers.each(self._image, old):
            if _refer(references, attempt):
                continue
            if references.doubt:
                doubts.add(attempt.image, references.doubt)
            if not attempt.listed:
                unlisted.extend(references.known)
            yield attempt

    def _image(self, attempt: attempts.Attempt) -> manifests.References:
        """Read the object that is named as an attempt's image."""
        return manifests.ask(
            self._account, attempt.container, attempt.image, attempt.listed
        )

    def _referred(
        self, container: str, doubts: manifests.Doubts
    ) -> Iterator[attempts.Reference]:
        """What the container's manifests refer to, and the manifests."""

        def ask(entry: listings.Entry) -> manifests.References:
            return manifests.ask(self._account, container, entry.name, entry)

        for entry, references in workers.each(
            ask, filter(attempts.may_be_manifest, self._listing(container))
        ):
            if references.doubt:
                doubts.add(entry.name, references.doubt)
            if references.known:
                # A manifest that is named as a segment is not a segment.
                yield attempts.Reference(container, entry.name, exact=True)
            yield from references.known

    def _sign_of_life(self, container: str, names: Sequence[str]) -> str:
        """Why an attempt may still run, though its listed segments are old.

        A running upload stores segments; the listing may lag behind it.

        :param names: segments that are not listed
        """
        for name in names:
            if self._account.objects.head(container, name) is not None:
                return f'{name} is stored, but not listed'
        return ''

    def _listing(self, container: str) -> Iterator[listings.Entry]:
        count = 0
        for count, entry in enumerate(
            self._account.containers.entries(container), 1
        ):
            if count % OBJECTS_PER_REPORT == 0:
                self._progress(container, count)
            yield entry
        self._progress(container, count)


def _refer(
    references: manifests.References, attempt: attempts.Attempt
) -> bool:
    """Whether an object refers to segments of an attempt."""
    return any(attempts.refers(each, attempt) for each in references.known)
