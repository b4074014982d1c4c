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

"""Reading an object, even over connections that break."""

from collections.abc import Collection
import dataclasses

from glance_store_bufswift import errors
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import failures
from glance_store_bufswift.swift import identity
from glance_store_bufswift.swift import opening


class ObjectReader:
    """A range of an object's bytes, resumed where a connection breaks.

    The answers are compared here, because Swift compares an If-Match with the
    ETag of a DLO's manifest, not with the one that it gives for the whole.

    A break counts as a failed try, and bytes that came as a success: answers
    that break again and again are resumed as long as each brings something.

    :param account: where the object is
    :param offset: the first byte
    :param size: bytes to read; None = to the object's end
    :param wanted: what is known of the object; None = whatever is there
    :param passing: statuses that can pass, besides those that always can
    :param query: what stands behind the "?" of the URL
    :ivar headers: those of the first answer
    :ivar left: bytes to come; None if Swift does not say, as for a DLO of
        10,000 segments and more
    :raises RequestFailed: there is no first answer; with status 416 if the
        object ends before the offset
    """

    def __init__(
        self,
        account: accounts.Account,
        container: str,
        name: str,
        offset: int = 0,
        size: int | None = None,
        wanted: identity.Identity | None = None,
        passing: Collection[int] = (),
        query: str | None = None,
    ) -> None:
        self._account = account
        self._at = offset
        self._opening = opening.Opening(
            account,
            container,
            name,
            None if size is None else offset + size,
            wanted or identity.Identity(),
            query,
        )
        self._passing = passing
        self._tries = account.client.tries(
            f'GET of {container}/{name}', passing
        )
        self._advanced = False
        self._open()
        self.headers = self._answer.headers
        self.left = self._length()

    def read(self, size: int = opening.READ_BLOCK) -> bytes:
        """Some bytes; b'' at the end of the range, and not before.

        :raises RequestFailed: they can't be read
        """
        while self.left:
            try:
                block = self._read(min(size, self.left))
            except Exception as exc:
                self._resume(exc)
                continue
            self._at += len(block)
            self.left -= len(block)
            self._advanced = True
            return block
        return b''

    def close(self) -> None:
        """Close the connection, even with bytes to come."""
        self.left = 0
        self._answer.hang_up()

    def _open(self) -> None:
        self._opened = self._opening.at(self._at, self._tries)
        self._answer = self._opened.answer

    def _read(self, size: int) -> bytes:
        body, opened = self._answer.body, self._opened
        block: bytes = body.read(size)
        if not block:
            raise errors.Incomplete(
                f'the answer ended {self.left} bytes before its end'
            )
        # A body without a length does not show whether it ended in time.
        if (
            not opened.framed
            and self._at + len(block) == opened.end
            and body.read(1)
        ):
            raise errors.Incomplete(
                f'the answer goes on behind its end at byte {opened.end}'
            )
        return block

    def _resume(self, exc: Exception) -> None:
        self._answer.hang_up()
        failure = failures.of_exception(exc)
        if failure is None:
            raise exc
        if self._advanced:
            self._tries = self._account.client.tries(
                self._tries.what, self._passing
            )
            self._tries.begin()
            self._advanced = False
        self._tries.again(
            dataclasses.replace(
                failure, reason=f'{failure.reason}, at byte {self._at}'
            ),
            exc,
        )
        self._open()

    def _length(self) -> int | None:
        if self._opened.end is None:
            return None
        return max(0, (self._opening.end or 0) - self._at)


def size_by_get(account: accounts.Account, container: str, name: str) -> int:
    """The bytes in an object whose HEAD does not give their number.

    A proxy may give it only together with the bytes.

    :raises RequestFailed: no answer has it
    """
    opened = ObjectReader(account, container, name)
    total = opened.left
    opened.close()
    if total is None:
        raise errors.RequestFailed(
            f'Swift does not tell the size of {container}/{name}'
        )
    return total
