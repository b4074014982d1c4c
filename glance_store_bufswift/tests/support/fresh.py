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

"""What a process remembers, as if it had just been started."""

import fixtures

from glance_store_bufswift import notices
from glance_store_bufswift import recent
from glance_store_bufswift.swift import capabilities


class Notices(fixtures.Fixture):
    """No warning was logged yet."""

    def _setUp(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.notices.SHARED', notices.Notices()
            )
        )


class Info(fixtures.Fixture):
    """No site was asked about itself yet."""

    def _setUp(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.swift.capabilities.SHARED',
                capabilities.CapabilitiesCache(),
            )
        )


class Containers(fixtures.Fixture):
    """No image was stored yet, in whichever container."""

    def _setUp(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.recent.SHARED',
                recent.RecentContainers(),
            )
        )
