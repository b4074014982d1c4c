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

"""A store's type changes between ``swift`` and ``swift+buffered``."""

from glance_store import exceptions

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT
OURS, STOCK = 'swift+buffered', 'swift'


class TestSwitch(base.TestCase):
    """The same store, one driver after the other."""

    shares_tokens = True

    def check(
        self,
        writer: str,
        reader: str,
        size: int,
        segments: list[str],
        declared: int = 0,
    ) -> None:
        """What one driver writes the other one reads and deletes."""
        data = streams.image(size)
        # Below this limit the stock driver writes plain objects.
        made = self.stores(
            f'fast:{writer}',
            fast={'swift_store_large_object_size': 1 if not declared else 100},
        )
        answer = made.add(self.image, streams.Stream(data), declared)
        self.assert_stored(data, answer)
        self.assertEqual(
            segments,
            [
                name.rpartition('/')[2]
                for name in self.listing()
                if name != self.image
            ],
        )
        other = self.stores(f'fast:{reader}')
        self.assertEqual(data, other.get(answer[0]))
        other.delete(answer[0])
        self.assert_nothing_left()
        self.assertRaises(exceptions.NotFound, made.get, answer[0])

    def test_ours_in_one_object(self) -> None:
        for size in (0, 5, SEGMENT):
            self.check(OURS, STOCK, size, [])

    def test_ours_in_segments(self) -> None:
        numbers = ['00000001', '00000002', '00000003']
        self.check(OURS, STOCK, 2 * SEGMENT + 5, numbers)
        self.check(OURS, STOCK, 2 * SEGMENT + 5, numbers, 2 * SEGMENT + 5)

    def test_stocks_in_one_object(self) -> None:
        for size in (5, SEGMENT + 5):
            self.check(STOCK, OURS, size, [], declared=size)

    def test_stocks_in_segments(self) -> None:
        self.check(
            STOCK,
            OURS,
            2 * SEGMENT + 5,
            [f'{self.image}-0000{number}' for number in (1, 2, 3)],
        )

    def test_stocks_in_one_segment(self) -> None:
        self.check(STOCK, OURS, 5, [f'{self.image}-00001'])

    def test_beside_each_other(self) -> None:
        """Two stores on the same container."""
        data = streams.image(2 * SEGMENT + 5)
        made = self.stores('fast:swift+buffered,stock:swift')
        for writer, reader in (('fast', 'stock'), ('stock', 'fast')):
            answer = made.add(self.image, streams.Stream(data), 0, writer)
            self.assert_stored(data, answer, store=writer)
            self.assertEqual(data, made.get(answer[0], reader))
            made.delete(answer[0], reader)
            self.assert_nothing_left()


class TestContainers(base.TestCase):
    def test_created(self) -> None:
        self.assertEqual([], self.listing())
        data = streams.image(2 * SEGMENT)
        answer = self.stores().add(self.image, streams.Stream(data), 0)
        self.assert_stored(data, answer, 2)
        self.assertEqual(1, self.created())

    def test_there_already(self) -> None:
        self.cloud.connection().put_container(self.container)
        answer = self.stores().add(self.image, streams.Stream(b'x'), 0)
        self.assert_stored(b'x', answer, 0)
        self.assertEqual(0, self.created())

    def test_there_and_not_to_be_created(self) -> None:
        self.cloud.connection().put_container(self.container)
        answer = self.stores(
            fast={'swift_store_create_container_on_put': False}
        ).add(self.image, streams.Stream(b'x'), 0)
        self.assert_stored(b'x', answer, 0)

    def test_not_to_be_created(self) -> None:
        stream = streams.Stream(streams.image(2 * SEGMENT))
        made = self.stores(fast={'swift_store_create_container_on_put': False})
        error = self.assertRaises(
            exceptions.BackendException, made.add, self.image, stream, 0
        )
        self.assertIs(exceptions.BackendException, type(error))
        self.assertIn(self.container, str(error))
        self.assertEqual(0, self.created())
        self.assertEqual(0, stream.position)
        self.assert_nothing_left()

    def test_several_by_seed(self) -> None:
        data = streams.image(2 * SEGMENT + 5)
        for kind, other in ((OURS, STOCK), (STOCK, OURS)):
            seed = {'swift_store_multiple_containers_seed': 9}
            made = self.stores(f'fast:{kind}', fast=seed)
            answer = made.add(self.image, streams.Stream(data), 0)
            name = f'{self.container}_{self.image[:10]}'
            self.addCleanup(self.cloud.release_container, name)
            self.assertIn(f'/{name}/{self.image}', answer[0])
            self.assertEqual(data, self.cloud.object_bytes(name, self.image))
            made = self.stores(f'fast:{other}', fast=seed)
            self.assertEqual(data, made.get(answer[0]))
            made.delete(answer[0])
            self.assertEqual([], self.cloud.listing(name))
        self.assertEqual([], self.listing())

    def created(self) -> int:
        """How often the container was put."""
        return len(
            [
                each
                for each in self.proxy.log
                if each.method == 'PUT'
                and each.path.endswith(f'/{self.container}')
            ]
        )
