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

"""What can go wrong: exceptions that are private to the package.

None is an OSError, which swiftclient takes for a broken connection and
retries. :mod:`.translation` turns them into what Glance sees.
"""


class BufswiftError(Exception):
    """Root of our own exceptions."""


class ConfigError(BufswiftError):
    """The configuration can't be used; the message says what to change."""


class SourceFailed(BufswiftError):
    """The image's source raised; the caller gets that same exception."""

    def __init__(self, original: BaseException) -> None:
        super().__init__(str(original))
        self.original = original


class WrongSize(BufswiftError):
    """The image is not as long as it was declared to be."""


class Aborted(BufswiftError):
    """What this is a part of has failed or was cancelled: it has to end."""


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
    """No answer will: what would confirm the bytes does not arrive here."""

    may_pass = False


class SegmentsRefused(NotStored):
    """Swift refuses an SLO's manifest because of the segments in it."""

    def __init__(self, message: str, may_pass: bool) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class Unconfirmed(Doubtful):
    """Swift's answer does not say that all was deleted."""


class Incomplete(Doubtful):
    """An answer breaks off, or is about another object than before."""


class Unreadable(Doubtful):
    """An answer is not in the form that was asked for."""


class NoContent(Unreadable):
    """An answer has none of what was asked for, and no retry will help."""

    may_pass = False


class Unproven(BufswiftError):
    """An answer does not prove which bytes of an object it has."""


class Unsized(Unproven):
    """An answer would prove it, if more were known about the object."""


class RequestFailed(BufswiftError):
    """A request to Swift or Keystone failed for good.

    :ivar status: HTTP status of the last answer, None if there was none
    :ivar timed_out: whether a socket operation took too long
    """

    def __init__(
        self, message: str, status: int | None = None, timed_out: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.timed_out = timed_out


class NoList(RequestFailed):
    """The list of an SLO's segments is missing, or in an unknown form."""


class Replaced(RequestFailed):
    """Another upload of the image has taken this one's place."""

    def __init__(self, image: str) -> None:
        super().__init__(f'Image {image} was replaced by another upload of it')


class NoImage(BufswiftError):
    """There is no image at its location."""

    def __init__(self, container: str, image: str) -> None:
        super().__init__(f'Swift has no image {container}/{image}')
