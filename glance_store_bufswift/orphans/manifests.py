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

"""What objects refer to, and whether that can be believed.

With two of three replicas of an object lost or out of reach, Swift answers
404, or with what was there before. The listing may know better.
"""

from collections.abc import Mapping
import dataclasses
from urllib import parse

from oslo_log import log as logging

from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.orphans import attempts
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import listings

LOG = logging.getLogger(__name__)

#: The header that gives a symlink's target.
LINK_HEADER = 'content-location'

#: Seconds by which a listing's dates can be rounded; Ceph RGW's have three
#: decimals.
DATE_ROUNDING = 0.001


@dataclasses.dataclass(frozen=True)
class References:
    """What an object refers to.

    :ivar known: what it is known to refer to
    :ivar doubt: why it may refer to something else, '' if it surely does not
    """

    known: tuple[attempts.Reference, ...] = ()
    doubt: str = ''


class Doubts:
    """What objects that can't be believed may refer to.

    One that is named as an image is taken to refer only to segments of that
    image, whichever driver wrote it. Any other may refer to anything.
    """

    def __init__(self) -> None:
        self._images: dict[str, str] = {}
        self._anything = ''

    def add(self, name: str, why: str) -> None:
        """Note that an object can't be believed."""
        if attempts.is_image(name):
            self._images.setdefault(name, why)
        else:
            self._anything = self._anything or why

    def about(self, attempt: attempts.Attempt) -> str:
        """Why an attempt may be referred to, '' if it surely is not."""
        return self._images.get(attempt.image, self._anything)


def ask(
    account: accounts.Account,
    container: str,
    name: str,
    listed: listings.Entry | None,
) -> References:
    """Ask an object what it refers to.

    :param listed: how its container lists it, None if it does not
    :raises RequestFailed: it could not be asked
    """
    headers = account.objects.head(container, name, newest=True)
    if headers is None:
        return References(
            doubt=f'{name} is listed, but was not found' if listed else ''
        )
    references = _link(container, name, headers)
    doubt = _outdated(name, headers, listed)
    target = layout.dlo_target(headers)
    if layout.is_slo(headers):
        segments = _segments(account, container, name)
        references += segments
        if not segments:
            doubt = doubt or f'the segments of {name} can not be read'
        elif listed is None:
            doubt = f'{name} is an SLO that is not listed yet'
    elif target:
        references.append(attempts.Reference(*target))
    return References(tuple(references), doubt)


def _segments(
    account: accounts.Account, container: str, name: str
) -> list[attempts.Reference]:
    """What an SLO refers to; nothing if its manifest can't be read."""
    try:
        return [
            attempts.Reference(*place, exact=True)
            for place in account.slos.segments(container, name)
        ]
    except errors.RequestFailed as exc:
        LOG.warning('%s', exc)
        return []


def _link(
    container: str, name: str, headers: Mapping[str, str]
) -> list[attempts.Reference]:
    """The object that answers in place of a symlink, if this is one.

    Swift calls an object in a container with X-Versions-Enabled a link to
    itself (swift/common/middleware/symlink.py).
    """
    path = parse.unquote(
        parse.urlsplit(headers.get(LINK_HEADER, '')).path
    ).split('/', 4)
    if len(path) < 5 or path[3:] == [container, name]:
        return []
    return [attempts.Reference(path[3], path[4], exact=True)]


def _outdated(
    name: str, headers: Mapping[str, str], listed: listings.Entry | None
) -> str:
    """Why an answer may be about a former object, '' if it is not."""
    # A link's own date is not in the answer.
    if listed is None or LINK_HEADER in headers:
        return ''
    stored = layout.timestamp(headers)
    if not stored or listed.modified is None:
        return f'{name} does not tell when it was stored'
    if stored + DATE_ROUNDING < listed.modified.timestamp():
        return f'{name} is listed as newer than what was found'
    return ''
