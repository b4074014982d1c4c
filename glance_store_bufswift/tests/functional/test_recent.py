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

"""A container that an upload assumes to exist, as one was stored there."""

import uuid

import fixtures
from glance_store import exceptions

from glance_store_bufswift import recent
from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support import fresh
from glance_store_bufswift.tests.support import streams


class TestRecent(matrix.Case):
    def setUp(self) -> None:
        super().setUp()
        self.made = self.stores()
        self.made.delete(self.upload())

    def upload(self, size: int = matrix.LAST, known: bool = True) -> str:
        """Store an image, and make sure of it; gives its URL."""
        self.image = str(uuid.uuid4())
        self.data = streams.image(size)
        self.proxy.clear()
        answer = self.made.add(
            self.image, streams.Stream(self.data), size if known else 0
        )
        self.assert_stored(self.data, answer)
        return str(answer[0])

    def requests(self) -> list[tuple[str, int | None]]:
        """Those about the container, and what was answered."""
        return [
            (each.method, each.status)
            for each in self.proxy.log
            if each.path.endswith(f'/{self.container}')
        ]

    def test_is_there(self) -> None:
        for known in (True, False):
            for size in (matrix.LAST, matrix.IMAGE):
                self.upload(size, known)
                self.assertEqual([], self.requests())

    def test_is_gone(self) -> None:
        for known in (True, False):
            for size in (matrix.LAST, matrix.IMAGE):
                self.cloud.delete_container(self.container)
                self.made.delete(self.upload(size, known))
                self.assertEqual(
                    [('HEAD', 404), ('PUT', 201)], self.requests()
                )

    def test_is_gone_and_may_not_be_created(self) -> None:
        self.made = self.stores(
            fast={'swift_store_create_container_on_put': False}
        )
        self.made.delete(self.upload())
        self.cloud.delete_container(self.container)
        caught = self.catch(self.upload)
        self.assertIs(exceptions.BackendException, type(caught))
        self.assertIn(
            f'Container {self.container} does not exist', str(caught)
        )
        self.assert_nothing_left()

    def test_without_retries(self) -> None:
        """It is asked for: a PUT that does not find it would be the end."""
        self.made = self.stores(fast={'swift_buffered_retries': 0})
        self.made.delete(self.upload())
        self.cloud.delete_container(self.container)
        self.upload()
        self.assertEqual([('HEAD', 404), ('PUT', 201)], self.requests())

    def test_after_a_failure(self) -> None:
        self.inject(matrix.status(403), matrix.PLAIN)
        # clear() in upload() would end the fault
        caught = self.catch(
            lambda: self.made.add(
                self.image, streams.Stream(self.data), len(self.data)
            )
        )
        self.assertIs(exceptions.StorageWriteDenied, type(caught))
        self.upload()
        self.assertEqual([('HEAD', 204)], self.requests())

    def test_after_a_while(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(f'{recent.__name__}.ASSUMED_SECONDS', 0)
        )
        self.upload()
        self.upload()
        self.assertEqual([('HEAD', 204)], self.requests())

    def test_in_another_process(self) -> None:
        self.useFixture(fresh.Containers())
        self.upload()
        self.assertEqual([('HEAD', 204)], self.requests())
