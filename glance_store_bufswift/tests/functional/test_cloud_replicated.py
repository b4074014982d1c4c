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

"""The replicated Swift: listings that lag, servers down, copies lost."""

import contextlib
import io

import requests

from glance_store_bufswift.tests.functional import clouds as support
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import replicated

#: How often to ask for what one of three servers may be alone with: the chance
#: that it is never asked is 1 : 200,000.
OFTEN = 30

#: How often when all are to say the same: 1 : 60 for one that does not.
ENOUGH = 10


class ReplicatedCase(support.CloudTestCase):
    """A test with this process's replicated Swift."""

    cloud: replicated.Replicated

    def setUp(self) -> None:
        super().setUp()
        self.swift = self.cloud.connection()
        self.swift.get_auth()
        self.addCleanup(self.swift.close)

    def attach(self) -> clouds.Cloud:
        return replicated.Replicated.attach()

    def put(self, *names: str, data: bytes = b'x') -> None:
        for name in names:
            self.swift.put_object(self.container, name, data)

    def put_manifest(self, name: str) -> None:
        """Store a DLO's manifest."""
        self.swift.put_object(
            self.container,
            name,
            b'',
            headers={'X-Object-Manifest': f'{self.container}/{name}/'},
        )

    def request(
        self, method: str, name: str, stream: bool = False
    ) -> requests.Response:
        """What Swift answers, at the first try."""
        url, token = self.swift.url, self.swift.token
        return requests.request(
            method,
            f'{url}/{self.container}/{name}',
            headers={'X-Auth-Token': token},
            timeout=60,
            stream=stream,
        )

    def received(self, name: str) -> tuple[int, int]:
        """How many bytes come of an object, and how many were announced."""
        size = 0
        with self.request('GET', name, stream=True) as answer:
            # It is an error with urllib3 2, and none before.
            with contextlib.suppress(requests.RequestException):
                for block in answer.iter_content(1000):
                    size += len(block)
            return size, int(answer.headers['Content-Length'])

    def status(self, name: str) -> set[int]:
        """What Swift answers to a HEAD, whichever servers it asks."""
        return {self.request('HEAD', name).status_code for _ in range(ENOUGH)}

    def assert_listings(self, *expected: list[str]) -> None:
        """These are all different listings that Swift gives, sorted."""
        found: set[str] = set()
        for asked in range(OFTEN):
            if asked >= ENOUGH and len(found) >= len(expected):
                break
            found.add(self.request('GET', '').text)
        self.assertEqual(
            list(expected), sorted(text.split() for text in found)
        )


class TestReplicated(ReplicatedCase):
    """It is a Swift as the other one, and apart from it."""

    def test_three_copies(self) -> None:
        self.put('a')
        paths = self.cloud.copies(self.container, 'a')
        self.assertEqual(
            [node.device for node in self.cloud.objects],
            [path.parents[3] for path in paths],
        )
        self.assert_listings(['a'])

    def test_fault_proxy(self) -> None:
        self.cloud.swift_proxy.add(
            faults.Rule(faults.Status(code=503), method='PUT')
        )
        self.client(retries=1).put_object(
            self.container, 'a', io.BytesIO(b'a')
        )
        self.assertEqual(
            [503, 201], [each.status for each in self.cloud.swift_proxy.log]
        )
        self.assertEqual(b'a', self.cloud.object_bytes(self.container, 'a'))

    def test_data_is_apart(self) -> None:
        self.put('a')
        self.assertEqual([], clouds.Cloud.attach().listing(self.container))


class TestListings(ReplicatedCase):
    """Listings that lag."""

    def test_put(self) -> None:
        self.put('image/1')
        self.put_manifest('image')
        with self.cloud.lagging_listings():
            self.put('image/2', data=b'y')
            for _ in range(2):
                self.assert_listings(['image', 'image/1'])
                self.assertEqual(
                    b'y', self.cloud.object_bytes(self.container, 'image/2')
                )
                self.assertEqual({200}, self.status('image/2'))
                # Too short, and announced so.
                answer = self.request('GET', 'image')
                self.assertEqual(
                    (200, b'x', '1'),
                    (
                        answer.status_code,
                        answer.content,
                        answer.headers['Content-Length'],
                    ),
                )
                self.cloud.update_listings()
        self.assert_listings(['image', 'image/1'])
        self.assertEqual(3, len(self.cloud.pending_rows()))
        self.cloud.update_listings()
        self.assert_listings(['image', 'image/1', 'image/2'])
        self.assertEqual(
            b'xy', self.cloud.object_bytes(self.container, 'image')
        )
        self.assertEqual([], self.cloud.pending_rows())

    def test_delete(self) -> None:
        names = ['image', 'image/1', 'image/2', 'image/3']
        # More than Swift keeps back until it sends the head of an answer.
        data = b'x' * 200_000
        self.put(*names[1:], data=data)
        self.put_manifest('image')
        with self.cloud.lagging_listings():
            self.swift.delete_object(self.container, 'image/2')
        self.assert_listings(names)
        self.assertEqual({404}, self.status('image/2'))
        # Announced in full, and broken off.
        self.assertEqual((len(data), 3 * len(data)), self.received('image'))
        self.cloud.update_listings()
        names.remove('image/2')
        self.assert_listings(names)
        self.assertEqual(
            2 * data, self.cloud.object_bytes(self.container, 'image')
        )

    def test_one_lags(self) -> None:
        with self.cloud.lagging_listings(self.cloud.containers[:1]):
            self.put('a')
        self.assertEqual(1, len(self.cloud.pending_rows()))
        self.assert_listings([], ['a'])
        self.cloud.update_listings()
        self.assert_listings(['a'])

    def test_server_down(self) -> None:
        self.put('a')
        server = self.cloud.containers[0]
        before = server.pid
        with self.cloud.stopped(server):
            self.assertIsNone(server.pid)
            self.put('b')
            self.swift.delete_object(self.container, 'a')
            self.assert_listings(['b'])
        self.assertIsNotNone(server.pid)
        self.assertNotEqual(before, server.pid)
        self.assert_listings(['a'], ['b'])
        self.cloud.update_listings()
        self.assert_listings(['b'])

    def test_delete_past_a_server(self) -> None:
        """Only replication tells its container server of the deletion."""
        self.put('a')
        with self.cloud.stopped(self.cloud.objects[0]):
            self.swift.delete_object(self.container, 'a')
        self.assertEqual([], self.cloud.pending_rows())
        self.assert_listings([], ['a'])
        self.cloud.replicate_listings()
        self.assert_listings([])


class TestCopies(ReplicatedCase):
    """Objects that the listing shows and that are not found, or are old."""

    def test_lost(self) -> None:
        self.put('a')
        for copies, status in ((1, 200), (2, 200), (3, 404)):
            with self.cloud.lost(self.container, 'a', copies):
                self.assertEqual({status}, self.status('a'))
                self.assert_listings(['a'])
        self.assertEqual({200}, self.status('a'))

    def test_lost_too_many(self) -> None:
        lost = self.cloud.lost(self.container, 'none', 1)
        self.assertRaises(ValueError, lost.__enter__)

    def test_unreachable(self) -> None:
        self.put('a')
        with self.cloud.unreachable(self.container, 'a'):
            self.assertEqual({404}, self.status('a'))
            self.assert_listings(['a'])
            self.put('b')
            self.assertEqual({200}, self.status('b'))
        self.assertEqual({200}, self.status('a'))

    def test_servers_down(self) -> None:
        self.put('a')
        with self.cloud.stopped(*self.cloud.objects[:2]):
            self.assertEqual({200}, self.status('a'))
            with self.cloud.stopped(self.cloud.objects[2]):
                self.assertEqual({503}, self.status('a'))

    def test_an_older_one(self) -> None:
        self.put('a', data=b'old')
        first, *others = self.cloud.objects
        with self.cloud.stopped(first):
            self.put('a', data=b'new')
        with self.cloud.stopped(*others):
            self.assertEqual(
                b'old', self.cloud.object_bytes(self.container, 'a')
            )


class TestWholeAgain(ReplicatedCase):
    """What one test breaks the next one does not see."""

    def test_clear(self) -> None:
        self.put('a', 'b')
        broken = contextlib.ExitStack()
        self.addCleanup(broken.close)
        for each in (
            self.cloud.lagging_listings(),
            self.cloud.stopped(self.cloud.objects[0]),
            self.cloud.lost(self.container, 'a'),
        ):
            broken.enter_context(each)
        self.swift.delete_object(self.container, 'b')
        self.put('c')
        self.cloud.clear()
        self.assert_listings(['a', 'c'])
        self.assertEqual(3, len(self.cloud.copies(self.container, 'a')))
        self.assertTrue(all(node.pid for node in self.cloud.objects))

    def test_delete_container(self) -> None:
        with self.cloud.lagging_listings():
            self.put('a')
        self.cloud.delete_container(self.container)
        self.assertEqual({404}, self.status(''))
        self.assertEqual({404}, self.status('a'))
