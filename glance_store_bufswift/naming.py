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

"""The containers of a store, by their names: pure."""

import dataclasses
import re

# The whole id of an image or its beginning, as upstream uses it
# (SingleTenantStore.get_container_name).
_ID_SHAPE = '########-####-####-####-############'


@dataclasses.dataclass(frozen=True)
class StoreContainers:
    """Which containers a store uses.

    :ivar name: swift_store_container
    :ivar seed: swift_store_multiple_containers_seed
    :ivar multi_tenant: swift_store_multi_tenant
    """

    name: str
    seed: int = 0
    multi_tenant: bool = False

    @property
    def many(self) -> bool:
        """Whether only a listing of the account shows which there are."""
        return self.multi_tenant or self.seed > 0

    @property
    def prefix(self) -> str:
        """What the names of all of them begin with."""
        return f'{self.name}_' if self.multi_tenant else self.name

    def has(self, container: str) -> bool:
        """Whether a container is the store's.

        If the store has a seed, containers without a suffix and those of other
        seeds count too: the seed may have been set later, or changed.
        """
        if not self.many:
            return container == self.name
        if container == self.name:
            return not self.multi_tenant
        start, _, suffix = container.rpartition('_')
        if start != self.name or not _begins_an_id(suffix):
            return False
        return len(suffix) == len(_ID_SHAPE) or not self.multi_tenant


def _begins_an_id(text: str) -> bool:
    shape = re.sub('[0-9a-fA-F]', '#', text)
    return bool(text) and _ID_SHAPE.startswith(shape)
