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

"""What a failed try says: whether a retry can help, and how to name it."""

from collections.abc import Mapping
import dataclasses
from typing import Any

from keystoneauth1 import exceptions as ksa
import requests
import swiftclient
import urllib3.exceptions

from glance_store_bufswift import errors
from glance_store_bufswift.swift import answers

#: Statuses besides 5xx that can pass (python-swiftclient, Connection._retry;
#: 422 says that the bytes were damaged on the way).
TRANSIENT = frozenset((401, 408, 422, 429, 498, 499))

#: Statuses that say that there are too many requests.
TOO_MANY = frozenset((429, 498))

#: Statuses of Keystone that can pass.
_KEYSTONE_TRANSIENT = frozenset((408, 429, 500, 502, 503, 504))

#: What ssl says of a certificate that is not trusted, and of a bundle without
#: a certificate; what requests says of a missing bundle.
_CERTIFICATES = (
    'certificate verify failed',
    '[X509',
    'TLS CA certificate bundle',
)


@dataclasses.dataclass(frozen=True)
class Failure:
    """The outcome of one failed try, whichever library reported it.

    :ivar reason: one line for people, with Swift's transaction id
    :ivar status: HTTP status, None if there was no answer; 413 whenever an
        answer says that there is no room
    :ivar may_pass: whether another try makes sense
    :ivar retry_after: seconds that the server asks to wait
    :ivar timed_out: whether a socket operation took too long
    :ivar rgw_denied: whether it can be Ceph RGW's refusal of a token
    """

    reason: str
    status: int | None = None
    may_pass: bool = False
    retry_after: float = 0
    timed_out: bool = False
    rgw_denied: bool = False

    @property
    def may_hide_401(self) -> bool:
        """Whether a 401 can have been lost on its way.

        A server that answers before the body has come, and closes the socket,
        resets it. The client then sees only the reset; an nginx 1.22 in
        between turns it into a 502.
        """
        return self.status in (None, 502) and not self.timed_out

    def not_resent(self, why: str) -> 'Failure':
        """The same failure of a request that can't be sent again."""
        return dataclasses.replace(
            self,
            may_pass=False,
            reason=f'{self.reason}; not sent again, as {why}',
        )

    def error(self, what: str, tries: int) -> errors.RequestFailed:
        """The error to raise when there is no further try."""
        times = 'once' if tries <= 1 else f'{tries} times'
        return errors.RequestFailed(
            f'{what} failed, tried {times}: {self.reason}',
            status=self.status,
            timed_out=self.timed_out,
        )


def may_pass(status: int | None) -> bool:
    """Whether a request answered with this status is worth another try.

    None stands for no answer: a broken connection or a timeout.
    """
    return status is None or status in TRANSIENT or 500 <= status <= 599


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks to wait, 0 if it does not say.

    The form with a date is not read: it needs clocks that agree.
    """
    try:
        return max(0.0, float(headers.get('retry-after', 0)))
    except ValueError:
        return 0.0


def of_exception(exc: BaseException | None) -> Failure | None:
    """The failure that an exception stands for.

    None if no request failed: the upload was aborted, or there is a bug.
    """
    if isinstance(exc, errors.Doubtful):
        return Failure(str(exc), may_pass=exc.may_pass)
    if isinstance(exc, swiftclient.ClientException):
        if exc.http_status is None:  # swiftclient's own, without a request
            return Failure(str(exc))
        return dataclasses.replace(
            of_answer(
                {
                    'status': exc.http_status,
                    'reason': exc.http_reason or exc.msg,
                    'headers': exc.http_response_headers or {},
                    'body': exc.http_response_content,
                }
            ),
            rgw_denied=_denied_by_rgw(exc),
        )
    if isinstance(exc, ksa.ClientException):
        return _of_keystone(exc)
    # Errors inside an answer's body are not mapped by requests: swiftclient
    # reads it from urllib3.
    if isinstance(exc, OSError | urllib3.exceptions.HTTPError):
        return Failure(
            f'{type(exc).__name__}: {exc}{_hint(exc)}',
            may_pass=not _bad_certificate(exc),
            timed_out=_timed_out(exc),
        )
    return None


def of_answer(answer: Mapping[str, Any]) -> Failure:
    """The failure that an answer of Swift's stands for.

    :param answer: its status, reason, headers, and its body if there is one
    """
    status = answer['status']
    if answers.error_code(answer.get('body')) in answers.NO_ROOM_CODES:
        status = 413
    return Failure(
        describe(answer),
        status=status,
        may_pass=status is not None and may_pass(status),
        retry_after=retry_after(answer.get('headers') or {}),
    )


def describe(answer: Mapping[str, Any]) -> str:
    """Name an answer of Swift's in words."""
    headers = answer.get('headers') or {}
    status, reason = f'{answer["status"]}', f'{answer.get("reason")}'
    if status.startswith('3') and headers.get('location'):
        more = (
            f'to {answers.redirect_target(headers["location"])}; that is not '
            "followed, set swift_store_endpoint or Keystone's catalog to "
            'where Swift is'
        )
    else:
        more = answers.error_text(
            answer.get('body'), f'{status} {reason}', reason
        )
    transaction = (
        headers.get('x-trans-id')
        or headers.get('x-openstack-request-id')
        or 'none given'
    )
    return (
        f'{status} {reason}{f" ({more})" if more else ""}, '
        f'transaction id {transaction}'
    )


def _of_keystone(exc: ksa.ClientException) -> Failure:
    status = getattr(exc, 'http_status', None)
    headers = getattr(getattr(exc, 'response', None), 'headers', None) or {}
    lost = isinstance(exc, ksa.ConnectionError) and not _bad_certificate(exc)
    # Keystone's 401 says that the credentials are wrong, Swift's that the
    # token is; only the latter can pass. Nor does Keystone's 403 mean what
    # Swift's does. So the status is left out.
    return Failure(
        f'Keystone: {exc}{_hint(exc)}',
        may_pass=lost or status in _KEYSTONE_TRANSIENT,
        retry_after=retry_after(headers),
        timed_out=isinstance(exc, ksa.ConnectTimeout),
    )


def _denied_by_rgw(exc: swiftclient.ClientException) -> bool:
    """Whether Ceph RGW has refused a token, or the access.

    It answers 403 to a token that Keystone no longer knows, one expired or
    revoked (EACCES in src/rgw/rgw_auth_keystone.cc). The body is not Swift's.
    """
    return exc.http_status == 403 and 'AccessDenied' in str(
        exc.http_response_content
    )


def _bad_certificate(exc: Exception) -> bool:
    """Whether a certificate is not trusted, or the CA bundle is unusable."""
    return any(text in str(exc) for text in _CERTIFICATES)


def _hint(exc: Exception) -> str:
    return ' (see swift_store_cacert)' if _bad_certificate(exc) else ''


def _timed_out(exc: BaseException | None) -> bool:
    """Whether a timeout is at the root of a requests exception."""
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        if isinstance(
            exc,
            TimeoutError
            | requests.exceptions.Timeout
            | urllib3.exceptions.TimeoutError,
        ):
            return True
        seen.add(id(exc))
        exc = exc.__cause__ or exc.__context__
    return False
