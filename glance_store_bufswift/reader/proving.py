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

"""Opening a piece of an object, with proof that it is the right one."""

import functools
import threading

from glance_store_bufswift import errors
from glance_store_bufswift.reader import parts
from glance_store_bufswift import record
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import answers
from glance_store_bufswift.swift import identity
from glance_store_bufswift.swift import reading
from glance_store_bufswift import workers

#: The status of a replica that does not have an object yet.
MISSING_STATUSES = (404,)


class Prover:
    """Opens pieces of one image's parts; threads may share it.

    A replica may lack an object still, or may have what an earlier try had
    stored. So a request for a missing or wrong object is retried like a failed
    one.

    :param account: where the parts are
    """

    def __init__(self, account: accounts.Account) -> None:
        self._account = account
        self._lock = threading.Lock()
        # MD5s of segments that share a fingerprint, by name.
        self._md5s: dict[str, str] = {}

    def open(self, piece: parts.Range) -> reading.ObjectReader:
        """Begin to read a piece.

        :raises RequestFailed: the object is missing, or is another one
        """
        part = piece.part
        return reading.ObjectReader(
            self._account,
            part.container,
            part.name,
            piece.offset,
            None if piece.end == part.size else piece.size,
            self._identity(part),
            MISSING_STATUSES,
        )

    def _identity(self, part: parts.Part) -> identity.Identity:
        if part.proof is None:
            return identity.Identity(part.etag, part.size)
        recorded, number = part.proof
        if len(recorded.group(number)) == 1:
            return identity.Identity(
                None, part.size, lambda etag: recorded.proves(number, [etag])
            )
        with self._lock:
            if part.name not in self._md5s:
                self._md5s |= self._ask(recorded, number)
            return identity.Identity(self._md5s[part.name], part.size)

    def _ask(self, recorded: record.Record, number: int) -> dict[str, str]:
        """The MD5s of all segments that share a fingerprint, by name."""
        container = recorded.dest.container
        names = [
            recorded.dest.segment(each) for each in recorded.group(number)
        ]
        return self._account.client.repeat(
            f'HEAD of {container}/{names[0]} to {names[-1]}',
            functools.partial(self._ask_once, recorded, number, names),
        )

    def _ask_once(
        self, recorded: record.Record, number: int, names: list[str]
    ) -> dict[str, str]:
        found = dict(
            workers.each(
                functools.partial(self._head, recorded.dest.container), names
            )
        )
        if not recorded.proves(number, list(found.values())):
            raise errors.Incomplete(
                'one of them is another object than was stored'
            )
        return found

    def _head(self, container: str, name: str) -> str:
        headers = self._account.objects.head(container, name)
        if headers is None:
            raise errors.Incomplete(f'{name} is missing')
        return answers.md5_of(headers) or ''
