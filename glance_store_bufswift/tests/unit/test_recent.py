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

"""What is remembered of the containers that images were stored in."""

import fixtures
from oslotest import base

from glance_store_bufswift import recent
from glance_store_bufswift.tests.unit import fakes


class TestRecentContainers(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.account = fakes.Account(fakes.Swift())
        self.asked: list[str] = []
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.provisioning.ensure',
                lambda account, container, create: self.asked.append(
                    container
                ),
            )
        )
        self.recent = recent.RecentContainers()

    def asks(self, container: str) -> bool:
        """Whether a container is asked for at once."""
        self.asked.clear()
        self.recent.ensure(self.account, container, True)
        return bool(self.asked)

    def test_each_for_itself(self) -> None:
        self.recent.add(self.account, 'a')
        self.assertFalse(self.asks('a'))
        self.assertTrue(self.asks('b'))

    def test_removed(self) -> None:
        self.recent.add(self.account, 'a')
        self.recent.remove(self.account, 'a')
        self.recent.remove(self.account, 'a')
        self.assertTrue(self.asks('a'))

    def test_no_more_than_so_many(self) -> None:
        for number in range(recent.MAX_REMEMBERED + 1):
            self.recent.add(self.account, str(number))
        self.assertTrue(self.asks('0'))
        self.assertFalse(self.asks(str(recent.MAX_REMEMBERED)))
