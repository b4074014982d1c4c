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

"""A segment on its way through swiftclient's own retry."""

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from glance_store_bufswift.buffer import segment
from glance_store_bufswift import errors
from glance_store_bufswift.swift import failure as failures
from glance_store_bufswift.swift import retry
from glance_store_bufswift.swift import wire


class Body:
    """A segment as swiftclient sends it: setting it back is a new try."""

    def __init__(self, body: segment.Segment, tries: retry.Tries,
                 connection: wire.Connection, answer: dict[str, Any]) -> None:
        self._body = body
        self._tries = tries
        self._connection = connection
        self._answer = answer

    def read(self, size: int = -1) -> bytes:
        """What swiftclient sends next; raises as the segment does."""
        return self._body.read(size)

    def tell(self) -> int:
        """Where swiftclient will set it back to."""
        return self._body.tell()

    def seek(self, offset: int) -> None:
        """Called by swiftclient between two tries."""
        failure = last_failure(self._connection, self._answer)
        if not self._tries.left:
            # swiftclient gives a first 401 one try more than it may have.
            raise failure.final(self._tries.what, self._tries.made)
        # First, so that what a window in memory holds is not given up.
        self._body.seek(offset)
        session = self._connection.session
        if session and failure.may_hide_401 and self._tries.made > 1:
            # Once may be chance; it is not to cost Keystone a token.
            session.invalidate()
        self._tries.back_off(failure.reason, failure.retry_after)


def rewind(back: Callable[[], object], tries: retry.Tries,
           failure: failures.Failure) -> None:
    """Set a body back; when that can't be, the failure is final."""
    try:
        back()
    except errors.NotRewindable as exc:
        raise failure.lasting(str(exc)).final(
            tries.what, tries.made) from exc


def not_reset(exc: Exception) -> bool:
    """Whether swiftclient says that it may not set a body back.

    That hides why it would have sent it again (Connection.put_object()).
    """
    return (getattr(exc, 'http_status', 0) is None
            and 'reset contents' in str(exc))


def last_failure(connection: wire.Connection,
                 answer: dict[str, Any]) -> failures.Failure:
    """Why swiftclient is about to send a body again, or can't."""
    answers = answer.get('response_dicts')
    if answers and answers[-1]:
        return failures.of_answer(answers[-1])
    failure = connection.failure and failures.of_exception(connection.failure)
    return failure or failures.Failure('no answer', may_pass=True)


def length_needed(what: str, body: segment.Segment,
                  answer: Mapping[str, Any]) -> errors.BufswiftError:
    """What to raise for data that is refused as its length is not known.

    Swift itself takes it (api-ref, Transfer-Encoding of an object's PUT);
    old proxies in front of it answer 411.
    """
    if body.buffered:
        return errors.NotStored(failures.describe(answer))
    return errors.RequestFailed(
        f'{what} failed: a proxy in front of Swift refuses data of unknown '
        f'length ({failures.describe(answer)}), and without a buffer it is '
        'known too late. Make room in swift_buffered_dir, or have the proxy '
        'accept chunked encoding', status=411)
