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

"""The segments of a manifest that does not name them, from the listing.

The stock driver, clients, and early releases of this one write such manifests.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import functools

from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.reader import parts
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import answers
from glance_store_bufswift.swift import listings


def segments(
    account: accounts.Account,
    home: tuple[str, str],
    headers: Mapping[str, str],
) -> list[parts.Part]:
    """The segments that a DLO is made of.

    They come from one listing. If that does not agree with all that is known,
    it lags behind, and is read again.

    :param home: the manifest's container and name
    :param headers: the manifest's
    :raises RequestFailed: it never agrees
    """
    target = layout.dlo_target(headers)
    if target is None:
        return []
    container, prefix = target
    return account.client.repeat(
        f'listing of {container}/{prefix}',
        functools.partial(_segments, account, home, headers, target),
    )


def _segments(
    account: accounts.Account,
    home: tuple[str, str],
    headers: Mapping[str, str],
    target: tuple[str, str],
) -> list[parts.Part]:
    """Read the listing once.

    :raises Incomplete: it does not show all segments
    """
    container, prefix = target
    entries = list(account.containers.entries(container, prefix))
    for each in entries:
        if not each.sized:
            raise errors.RequestFailed(
                f'The listing of {container}/{prefix} does not tell how many '
                f'bytes {each.name} has'
            )
    lacking = (
        _other_length(entries, account.objects.head(*home) or {})
        or _other_names(entries, layout.segment_names(home[1], headers))
        or _lacks_stocks(account, home[1], target, entries)
    )
    if lacking:
        raise errors.Incomplete(
            f'it does not show all of the image: {lacking}'
        )
    return [
        parts.Part(container, each.name, each.size, each.etag)
        for each in entries
    ]


def _other_length(
    entries: Sequence[listings.Entry], whole: Mapping[str, str]
) -> str:
    """How a listing contradicts the length that Swift gives for the whole.

    Swift gives none for a DLO with more segments than fit into a page of a
    listing (swift/common/middleware/dlo.py).
    """
    total = sum(each.size for each in entries)
    length = answers.length(whole)
    return (
        ''
        if length in (None, total)
        else (f'it has {total} bytes, Swift tells {length} of the whole')
    )


def _other_names(
    entries: Sequence[listings.Entry], recorded: Sequence[str]
) -> str:
    """How it contradicts the number of segments in a manifest."""
    names = [each.name for each in entries]
    return (
        ''
        if not recorded or names == recorded
        else (f'it has {len(names)} segments instead of {len(recorded)}')
    )


def _lacks_stocks(
    account: accounts.Account,
    image: str,
    target: tuple[str, str],
    entries: Sequence[listings.Entry],
) -> str:
    """Which segment of the stock driver it lacks.

    Those are numbered from 1 (glance_store/_drivers/swift/store.py,
    "%s-%05d"). Swift's length of the whole comes from the same listing, and so
    does not reveal missing last ones.
    """
    container, prefix = target
    if prefix != f'{image}-':
        return ''
    names = {each.name for each in entries}
    numbered = [
        f'{prefix}{number:05d}' for number in range(1, len(entries) + 2)
    ]
    lacking = next(name for name in numbered if name not in names)
    if lacking != numbered[-1]:
        return f'it lacks {lacking}'
    if account.objects.head(container, lacking) is not None:
        return f'it lacks {lacking}, which is there'
    return ''
