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

"""Asking for an object's bytes, until an answer proves that it has them."""

import dataclasses
import functools
import io

from oslo_log import log as logging

from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift import notices
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import connections
from glance_store_bufswift.swift import extents
from glance_store_bufswift.swift import gets
from glance_store_bufswift.swift import identity
from glance_store_bufswift.swift import measuring
from glance_store_bufswift.swift import retry

LOG = logging.getLogger(__name__)

#: Bytes read of an answer at a time.
READ_BLOCK = 256 << 10


@dataclasses.dataclass(frozen=True)
class Opened:
    """An answer, read up to the byte that is wanted.

    :ivar end: the place in the object behind the answer's last byte; None if
        Swift does not give the object's size
    :ivar framed: whether HTTP itself bounds its body by a length
    """

    answer: gets.Answer
    end: int | None
    framed: bool


class Opening:
    """How one object is asked for.

    If an answer does not prove which bytes it has, there are two other ways:
    to ask for the object's size, and to ask without a range and read from the
    start.

    :param account: where the object is
    :param end: the place behind the last byte that is wanted; None = all
    :param known: what is known of the object; learns from each answer
    :param query: what stands behind the "?" of the URL
    :ivar end: the same, but not behind the object's end when that is known
    """

    def __init__(
        self,
        account: accounts.Account,
        container: str,
        name: str,
        end: int | None,
        known: identity.Identity,
        query: str | None = None,
    ) -> None:
        self._account = account
        self._object = (container, name)
        self._what = f'GET of {container}/{name}'
        self.end = end
        self._known = known
        self._query = query
        # The other ways: the size was asked for; ranges no longer are.
        self._measured = self._from_start = False

    def at(self, place: int, tries: retry.Tries) -> Opened:
        """An answer whose next byte is the one at this place.

        :raises RequestFailed: there is none; with status 416 if the object
            ends before
        """
        while True:
            ranged = self._range(place)
            try:
                return self._account.objects.get(
                    *self._object,
                    ranged,
                    tries,
                    functools.partial(self._take, place, bool(ranged)),
                    self._query,
                )
            except errors.Unproven as exc:
                self._go_another_way(exc)
            except errors.RequestFailed as exc:
                if exc.status != 416 or not ranged:
                    raise
                if self._is_empty(place, exc):
                    return _NOTHING
                self._leave_ranges()

    def _go_another_way(self, why: errors.Unproven) -> None:
        LOG.debug(
            '%(what)s: %(why)s; asking otherwise',
            {'what': self._what, 'why': why},
        )
        helps = isinstance(why, errors.Unsized)
        if helps or self._known.total is None:
            self._measure()
        if not helps:
            self._leave_ranges()

    def _is_empty(self, place: int, refused: errors.RequestFailed) -> bool:
        """Whether the object has no bytes at all.

        :param refused: says that the object ends before the place
        :raises RequestFailed: it does end there, or its size is not known
        """
        if self._known.total is None:
            self._measure()
        total = self._known.total
        if total is None:
            raise refused
        self._check_place(place, total)
        if not total:
            self.end = 0
        return not total

    def _range(self, place: int) -> dict[str, str]:
        """The header that asks for a range; none for the whole object."""
        if self._from_start or (not place and self.end is None):
            return {}
        last = '' if self.end is None else self.end - 1
        return {'Range': f'bytes={place}-{last}'}

    def _leave_ranges(self) -> None:
        self._from_start = True
        notices.warn_once(
            'Answers of %s to a request for a range do not prove which '
            'bytes they have. Parts of images are read from the start '
            'of the image, the rest of a download that broke off too; '
            'see what a proxy there does with Range and Content-Range',
            self._account.client.url,
        )

    def _measure(self) -> None:
        """Ask for the object's size, and what else a HEAD has, only once."""
        if not self._measured:
            self._measured = True
            measuring.measure(
                self._account, *self._object, self._known, self._query
            )

    def _take(self, place: int, ranged: bool, answer: gets.Answer) -> Opened:
        """Take an answer if it proves which bytes it has.

        :param ranged: whether a range was asked for
        :raises Unproven: it can't be taken, but there is another way
        :raises Incomplete: it can't be taken, but another answer may be
        """
        try:
            return self._proven(place, ranged, answer)
        except errors.Unsized as exc:
            if self._measured:
                raise errors.RequestFailed(
                    f'{self._what} failed: {exc}', status=answer.status
                ) from exc
            raise
        except errors.Unproven as exc:
            if not ranged:
                raise errors.Incomplete(str(exc)) from exc
            raise

    def _proven(self, place: int, ranged: bool, answer: gets.Answer) -> Opened:
        headers, known = answer.headers, self._known
        extent = extents.of(answer.status, headers)
        known.compare(headers)
        if identity.encoding(headers) != known.encoding:
            raise errors.Unsized(
                'a proxy encodes its bytes on their way '
                f'({identity.encoding(headers)}); switch that off there'
            )
        if (extent.end, known.total) == (None, None) and (
            layout.dlo_target(headers)
        ):
            return Opened(answer, None, extent.framed)
        if ranged and answer.status == 200:
            self._check_whole(extent.total)
        total = known.total if extent.total is None else extent.total
        if total is None:
            raise errors.Unsized(
                'its size is not told, not even by a HEAD; '
                'does a proxy remove the Content-Length?'
            )
        end = total if extent.end is None else extent.end
        if answer.status == 200:
            self._check_place(place, total)
        elif not extent.first <= place < end:
            raise errors.Unproven(
                f'the answer has bytes {extent.first} to {end}, not {place}'
            )
        known.learn(headers, extent.total)
        self.end = total if self.end is None else min(self.end, total)
        _drop(answer.body, place - extent.first)
        # Also so that the connection can be used again.
        if place == end and answer.body.read(1):
            raise errors.Incomplete('it should be empty, but is not')
        return Opened(answer, end, extent.framed)

    def _check_whole(self, length: int | None) -> None:
        """Make sure that a 200 to a ranged request is the whole object."""
        total = self._known.total
        if total is None:
            raise errors.Unsized(
                f'an answer 200 of {length} bytes to the '
                'request for a range may be all or a part'
            )
        if length != total:
            raise errors.Unproven(
                f'an answer 200 of {length} bytes is not '
                f'the whole object of {total}'
            )

    def _check_place(self, place: int, total: int) -> None:
        if place and place >= total:
            raise errors.RequestFailed(
                f'{self._what} failed: it ends after {total} bytes, byte '
                f'{place} was asked for',
                status=416,
            )


def _drop(body: connections.AnswerBody, count: int) -> None:
    """Read and drop so many bytes."""
    while count:
        block = body.read(min(READ_BLOCK, count))
        if not block:
            raise errors.Incomplete('the answer ended early')
        count -= len(block)


#: The answer for an empty object.
_NOTHING = Opened(
    gets.Answer(200, {}, connections.AnswerBody(io.BytesIO()), lambda: None),
    0,
    framed=True,
)
