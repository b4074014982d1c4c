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

"""What can go wrong, and what the caller of the stores is told about it.

The exceptions here are private to the package. None is an OSError: that is
what swiftclient takes for a broken connection and tries again.
"""

from typing import Any
from typing import NoReturn

from glance_store import exceptions


class BufswiftError(Exception):
    """Root of our own exceptions."""


class ConfigError(BufswiftError):
    """The configuration can't be used; the message says what to change."""


class SourceFailed(BufswiftError):
    """The image's source raised; the caller gets its very exception."""

    def __init__(self, original: BaseException) -> None:
        super().__init__(str(original))
        self.original = original


class Aborted(BufswiftError):
    """The upload has failed elsewhere, this part of it shall end."""


class NotRewindable(BufswiftError):
    """A segment can't be sent again: its bytes are not held any more."""


class BufferFailed(BufswiftError):
    """A segment's buffer can't be read back."""


class Doubtful(BufswiftError):
    """An answer that can't be relied on: a failed try of its request.

    :ivar may_pass: whether another try makes sense
    """

    may_pass = True


class NotStored(Doubtful):
    """Swift's answer does not confirm the bytes that were sent."""


class NeverConfirmed(NotStored):
    """Nor will another one: what would confirm them does not get here."""

    may_pass = False


class Unconfirmed(Doubtful):
    """Swift's answer does not say that all was deleted."""


class Incomplete(Doubtful):
    """An answer breaks off, or is not of the object that was begun with."""


class Unreadable(Doubtful):
    """An answer is not in the form that was asked for."""


class NoContent(Unreadable):
    """An answer has nothing of that, and won't the next time."""

    may_pass = False


class Unproven(BufswiftError):
    """An answer does not prove which bytes of an object it has."""


class Unsized(Unproven):
    """It would, if more were known of the object than the answer tells."""


class RequestFailed(BufswiftError):
    """A request to Swift or Keystone failed for good.

    :ivar status: HTTP status of the last answer, None if there was none
    :ivar timed_out: whether a socket operation took too long
    """

    def __init__(self, message: str, status: int | None = None,
                 timed_out: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.timed_out = timed_out


class NoList(RequestFailed):
    """What an SLO is made of is not told in a form that is known."""


class Replaced(RequestFailed):
    """Another upload of the image has taken this one's place."""

    def __init__(self, image: str) -> None:
        super().__init__(f'Image {image} was replaced by another upload of '
                         'it')


class NoImage(BufswiftError):
    """There is no image where its location says."""

    def __init__(self, container: str, image: str) -> None:
        super().__init__(f'Swift has no image {container}/{image}')


def reraise(exc: BaseException) -> NoReturn:
    """Raise what Glance is to see for a failure of ours.

    Never glance_store's NotFound: Glance deletes the image on it
    (glance/api/v2/image_data.py).

    :raises: the source's own exception, the same object;
        StorageWriteDenied (403), StorageFull (413, 507), TimeoutError where
        glance_store has it, else BackendException
    """
    if isinstance(exc, SourceFailed):
        # Without our wrapper as its context, as if we had not been there.
        raise exc.original from exc.original.__cause__
    if not isinstance(exc, BufswiftError):
        raise exc
    raise _translate(exc) from exc


def reraise_deleting(exc: BaseException) -> NoReturn:
    """Raise what Glance is to see of a failed delete().

    It takes an image for deleted that is not found, and tries no more
    (glance/common/store_utils.py, safe_delete_from_backend); after any other
    error it keeps the image, and a user may delete it again.

    :raises: NotFound; Forbidden (403); TimeoutError where glance_store has
        it; else BackendException
    """
    if isinstance(exc, NoImage):
        raise exceptions.NotFound(message=str(exc)) from exc
    if getattr(exc, 'status', None) == 403:
        raise exceptions.Forbidden(message=str(exc)) from exc
    reraise(exc)


def reraise_reading(exc: BaseException) -> NoReturn:
    """Raise what Glance is to see of a failed get() or get_size().

    It answers 503 to RemoteServiceUnavailable, 500 to BackendException
    (glance/api/v2/image_data.py).

    :raises: NotFound; RemoteServiceUnavailable, if it may be there for the
        next who asks; else BackendException
    """
    if not isinstance(exc, BufswiftError):
        raise exc
    message = str(exc)
    if isinstance(exc, NoImage):
        raise exceptions.NotFound(message=message) from exc
    if _may_come_back(getattr(exc, 'status', None)):
        raise exceptions.RemoteServiceUnavailable(message=message) from exc
    raise exceptions.BackendException(message) from exc


def _may_come_back(status: int | None) -> bool:
    return status is None or status >= 500 or status in (408, 429, 498, 499)


def _translate(exc: BufswiftError) -> Any:
    message = str(exc)
    status = getattr(exc, 'status', None)
    if status == 403:
        return exceptions.StorageWriteDenied(message=message)
    if status in (413, 507):
        return exceptions.StorageFull(message=message)
    if getattr(exc, 'timed_out', False):
        timeout_error = getattr(exceptions, 'TimeoutError', None)
        if timeout_error is not None:
            return timeout_error(message=message)
    return exceptions.BackendException(message)
