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

"""Turns our exceptions into glance_store's, which Glance knows."""

from typing import Any
from typing import NoReturn

from glance_store import exceptions

from glance_store_bufswift import errors


def reraise_adding(exc: BaseException) -> NoReturn:
    """Raise what Glance should see of a failed add().

    Never glance_store's NotFound: Glance deletes the image on it
    (glance/api/v2/image_data.py).

    :raises: the source's own exception, the same object; Invalid for a size
        that was not declared; StorageWriteDenied (403); StorageFull (413,
        507); TimeoutError where glance_store has it; else BackendException
    """
    if isinstance(exc, errors.SourceFailed):
        # Without our wrapper as its context.
        raise exc.original from exc.original.__cause__
    if not isinstance(exc, errors.BufswiftError):
        raise exc
    raise _translate(exc) from exc


def reraise_deleting(exc: BaseException) -> NoReturn:
    """Raise what Glance should see of a failed delete().

    Glance takes an image that is not found for deleted, and does not retry
    (glance/common/store_utils.py, safe_delete_from_backend); after any other
    error it keeps the image, and a user may delete it again.

    :raises: NotFound; Forbidden (403); TimeoutError where glance_store has
        it; else BackendException
    """
    if isinstance(exc, errors.NoImage):
        raise exceptions.NotFound(message=str(exc)) from exc
    if getattr(exc, 'status', None) == 403:
        raise exceptions.Forbidden(message=str(exc)) from exc
    reraise_adding(exc)


def reraise_reading(exc: BaseException) -> NoReturn:
    """Raise what Glance should see of a failed get() or get_size().

    Glance answers 503 to RemoteServiceUnavailable, 500 to BackendException
    (glance/api/v2/image_data.py).

    :raises: NotFound; RemoteServiceUnavailable, if a later request may
        succeed; else BackendException
    """
    if not isinstance(exc, errors.BufswiftError):
        raise exc
    message = str(exc)
    if isinstance(exc, errors.NoImage):
        raise exceptions.NotFound(message=message) from exc
    if _may_come_back(getattr(exc, 'status', None)):
        raise exceptions.RemoteServiceUnavailable(message=message) from exc
    raise exceptions.BackendException(message) from exc


def _may_come_back(status: int | None) -> bool:
    return status is None or status >= 500 or status in (408, 429, 498, 499)


def _translate(exc: errors.BufswiftError) -> Any:
    message = str(exc)
    status = getattr(exc, 'status', None)
    if isinstance(exc, errors.WrongSize):
        return exceptions.Invalid(message=message)
    if status == 403:
        return exceptions.StorageWriteDenied(message=message)
    if status in (413, 507):
        return exceptions.StorageFull(message=message)
    if getattr(exc, 'timed_out', False):
        timeout_error = getattr(exceptions, 'TimeoutError', None)
        if timeout_error is not None:
            return timeout_error(message=message)
    return exceptions.BackendException(message)
