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

"""How several stores, or sections, affect one another: pure."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import os

from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding
from glance_store_bufswift import opts
from glance_store_bufswift import precedence

_OUR_PREFIX = 'swift_buffered_'
_UPSTREAM_PREFIX = 'swift_store_'

#: Sections that count only in a configuration with one store.
SINGLE_STORE_SECTIONS = ('DEFAULT', 'glance_store')


def findings(
    written: Mapping[str, Iterable[str]],
    enabled: Mapping[str, str],
    settings: Mapping[str, opts.Settings],
) -> Iterator[Finding]:
    """Check what no store shows by itself.

    :param written: the names written in each section
    :param enabled: the type of each store, by its id
    :param settings: those of the stores that are checked
    """
    yield from _nobodys(written, enabled)
    yield from _one_directory(settings)


def _nobodys(
    written: Mapping[str, Iterable[str]], enabled: Mapping[str, str]
) -> Iterator[Finding]:
    """Options of the driver in a section that none of the stores reads."""
    read = {group for name in enabled for group in precedence.groups(name)}
    for section, options in written.items():
        if section in read:
            continue
        names = [
            name
            for name in options
            if name.startswith(_OUR_PREFIX)
            or (
                section in SINGLE_STORE_SECTIONS
                and name.startswith(_UPSTREAM_PREFIX)
            )
        ]
        if names:
            yield finding.warning(
                'options',
                f'{", ".join(names)} in [{section}]: no store of '
                'enabled_backends reads this section',
                'move it to the section of the store, or for all stores to '
                f'[{precedence.GROUP}] or [{precedence.SHARED_GROUP}]',
            )


def _one_directory(settings: Mapping[str, opts.Settings]) -> Iterator[Finding]:
    """Stores that share a directory, but not its quota."""
    sharing: dict[str, list[str]] = {}
    for name, each in settings.items():
        sharing.setdefault(os.path.realpath(each.directory), []).append(name)
    for directory, names in sharing.items():
        quotas = {name: settings[name].disk_quota for name in names}
        if len(set(quotas.values())) > 1:
            each_quota = ', '.join(
                f'{name}: {finding.size(quota) if quota else "none"}'
                for name, quota in quotas.items()
            )
            what = (
                'buffers of a store without one are not counted'
                if 0 in quotas.values()
                else 'each fills its own'
            )
            yield finding.warning(
                'buffer room',
                f'the stores {", ".join(names)} share '
                f'{directory}, but not a quota ({each_quota}): {what}',
                'set swift_buffered_disk_quota to one value for all of them, '
                f'in [{precedence.GROUP}]',
            )
