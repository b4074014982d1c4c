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

"""What was under an image's name before an attempt wrote there.

It stays as it is until the new image replaces it. After that nothing refers to
its segments any more.
"""

from collections.abc import Mapping
import dataclasses

from oslo_log import log as logging

from glance_store_bufswift import deletes
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.swift import accounts

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class _FormerImage:
    """An object that was found.

    :ivar headers: its headers
    :ivar while_writing: whether this attempt was writing already
    :ivar segments: container and name of each segment, if it is an SLO: their
        list goes with its manifest
    """

    headers: Mapping[str, str]
    while_writing: bool
    segments: tuple[tuple[str, str], ...] = ()


class FormerImages:
    """What an attempt finds under its image's name, and may replace.

    Another attempt may write between any two requests of this one. An attempt
    that writes there has to know what was there right before, because nothing
    else removes its segments. An attempt that finds another one's object in
    place of its own removes its own segments.

    :param dest: the attempt
    """

    def __init__(self, dest: layout.Layout) -> None:
        self._dest = dest
        self._found: dict[str, _FormerImage] = {}
        self._warned = False

    @property
    def found_any(self) -> bool:
        """Whether anything of another attempt was found."""
        return bool(self._found)

    @property
    def contested(self) -> bool:
        """Whether another attempt wrote while this one did."""
        return any(each.while_writing for each in self._found.values())

    def look(
        self, account: accounts.Account, while_writing: bool = False
    ) -> bool:
        """Look what is there, and remember it if another attempt wrote it.

        If the request fails, that stays unknown.

        :param while_writing: whether this attempt is writing already
        :returns: whether it is this attempt's own
        """
        try:
            headers = self._ask(account)
            if headers is None or self._dest.wrote(headers):
                return headers is not None
            key = _key(headers)
            if key not in self._found:
                self._found[key] = _FormerImage(headers, while_writing)
                self._found[key] = _FormerImage(
                    headers, while_writing, self._segments(account, headers)
                )
        except errors.RequestFailed as exc:
            why = exc
        else:
            return False
        if not self._warned:
            self._warned = True
            LOG.warning('%s', why)
        return False

    def own(self, account: accounts.Account) -> dict[str, str] | None:
        """The headers of this attempt's object, after it was written.

        :returns: None if it is not there, or the replica that answers does not
            have it yet
        :raises Replaced: another attempt's object is there
        :raises RequestFailed: it can't be asked for
        """
        headers = self._ask(account)
        if headers is None or self._dest.wrote(headers):
            return headers
        found = self._found.get(_key(headers))
        if found and not found.while_writing:
            return None
        raise errors.Replaced(self._dest.image)

    def remove(
        self, account: accounts.Account, current: Mapping[str, str]
    ) -> None:
        """Remove the segments of former images; never raises.

        What may belong to another image is left alone.

        :param current: headers of the object that has replaced them, this
            attempt's or not; what is not older than that stays
        """
        for found in self._found.values():
            if not self._older(found.headers, current):
                continue
            try:
                self._remove(account, found)
            except Exception:
                LOG.exception(
                    'Removing the former data of image %s', self._dest.image
                )

    def _older(
        self, headers: Mapping[str, str], current: Mapping[str, str]
    ) -> bool:
        """Whether the object now there has surely replaced another one."""
        if not layout.timestamp(current):
            return self._dest.wrote(current)
        return layout.timestamp(headers) < layout.timestamp(current)

    def _ask(self, account: accounts.Account) -> dict[str, str] | None:
        return account.objects.head(
            self._dest.container, self._dest.image, newest=True
        )

    def _segments(
        self, account: accounts.Account, headers: Mapping[str, str]
    ) -> tuple[tuple[str, str], ...]:
        if not layout.is_slo(headers):
            return ()
        container, image = self._dest.container, self._dest.image
        recorded = [
            (container, name)
            for name in layout.segment_names(image, headers, container)
        ]
        try:
            listed = account.slos.segments(container, image, nested=False)
        except errors.NoList:
            if not recorded:
                raise
            listed = []
        return *listed, *recorded

    def _remove(self, account: accounts.Account, found: _FormerImage) -> None:
        image = self._dest.image
        target = layout.dlo_target(found.headers)
        for container in {each for each, _ in found.segments}:
            self._delete(
                account,
                container,
                {
                    name
                    for dest, name in found.segments
                    if dest == container and layout.is_segment(image, name)
                },
            )
        if target is not None and layout.is_segment_prefix(image, target[1]):
            names, unlisted = deletes.list_names(account.containers, *target)
            # A listing can lag behind.
            self._delete(
                account,
                target[0],
                {*names, *layout.segment_names(image, found.headers)},
                target[1],
                unlisted,
            )

    def _delete(
        self,
        account: accounts.Account,
        container: str,
        names: set[str],
        prefix: str = '',
        unlisted: errors.RequestFailed | None = None,
    ) -> None:
        """Delete what is not this attempt's own.

        :param prefix: that of the names
        :param unlisted: why those with the prefix could not be listed
        """
        # A former manifest may cover our segments, whatever wrote it.
        left = deletes.delete_all(
            account.objects,
            container,
            [
                name
                for name in sorted(names)
                if not name.startswith(self._dest.prefix)
            ],
        )
        if unlisted is not None:
            left[f'{prefix}*'] = unlisted
        if left:
            LOG.error(
                'These segments of the former data of image %(image)s '
                'could not be deleted from container %(container)s. '
                '%(why)s. Their names: %(names)s',
                {
                    'image': self._dest.image,
                    'container': container,
                    'why': next(iter(left.values())),
                    'names': ', '.join(sorted(left)),
                },
            )


def _key(headers: Mapping[str, str]) -> str:
    """What distinguishes an object from another one of its name."""
    return ' '.join(
        headers.get(name, '')
        for name in ('x-timestamp', layout.ATTEMPT_HEADER)
    )
