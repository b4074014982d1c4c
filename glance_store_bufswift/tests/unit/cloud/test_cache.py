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

"""What the test cloud's proxy keeps, and for how long."""

from pathlib import Path

import fixtures
from oslotest import base

from glance_store_bufswift.tests.support.cloud import cache
from glance_store_bufswift.tests.support.cloud import changes

TOKEN = 'tokens/0123'
CONTAINER = 'container/AUTH_a/images'


class TestCache(base.BaseTestCase):
    """Two proxies of one cloud."""

    def setUp(self) -> None:
        super().setUp()
        self.root = Path(self.useFixture(fixtures.TempDir()).path)
        self.cache = cache.Cache(self.root)
        self.other = cache.Cache(self.root)

    def keep(self, key: str, value: object = 'x', time: float = 60) -> None:
        """Ask for it, and keep the answer."""
        self.assertIsNone(self.cache.get(key))
        self.cache.set(key, value, time=time)

    def test_kept(self) -> None:
        for key in (TOKEN, CONTAINER):
            self.keep(key)
            self.assertEqual('x', self.cache.get(key))
            self.assertIsNone(self.other.get(key))

    def test_a_copy(self) -> None:
        self.keep(CONTAINER, {'status': 204})
        self.cache.get(CONTAINER)['status'] = 404
        self.assertEqual({'status': 204}, self.cache.get(CONTAINER))

    def test_no_time(self) -> None:
        for time in (0, -1):
            self.keep(TOKEN, time=time)
            self.assertIsNone(self.cache.get(TOKEN))

    def test_changed_by_keystone(self) -> None:
        self.keep(TOKEN)
        self.keep(CONTAINER)
        changes.Changes(self.root / changes.TOKENS).note()
        self.assertIsNone(self.cache.get(TOKEN))
        self.assertEqual('x', self.cache.get(CONTAINER))

    def test_changed_through_the_other_proxy(self) -> None:
        self.keep(TOKEN)
        self.keep(CONTAINER)
        self.other.delete(CONTAINER)
        self.assertIsNone(self.cache.get(CONTAINER))
        self.assertEqual('x', self.cache.get(TOKEN))

    def test_every_key_of_a_container(self) -> None:
        shards = 'shard-listing-v2/AUTH_a/images'
        self.keep(shards)
        self.other.delete(CONTAINER)
        self.assertIsNone(self.cache.get(shards))

    def test_other_containers_stay(self) -> None:
        self.keep(CONTAINER)
        self.keep('account/AUTH_a')
        self.other.delete('container/AUTH_a/others')
        self.assertEqual('x', self.cache.get(CONTAINER))
        self.assertEqual('x', self.cache.get('account/AUTH_a'))

    def test_changed_while_it_was_asked_for(self) -> None:
        self.assertIsNone(self.cache.get(CONTAINER))
        self.other.delete(CONTAINER)
        self.cache.set(CONTAINER, 'of before', time=60)
        self.assertIsNone(self.cache.get(CONTAINER))
        self.cache.set(CONTAINER, 'of now', time=60)
        self.assertEqual('of now', self.cache.get(CONTAINER))

    def test_changed_between_two_who_ask(self) -> None:
        self.assertIsNone(self.cache.get(CONTAINER))
        self.other.delete(CONTAINER)
        self.assertIsNone(self.cache.get(CONTAINER))
        self.cache.set(CONTAINER, 'of before', time=60)
        self.assertIsNone(self.cache.get(CONTAINER))

    def test_not_asked_for(self) -> None:
        self.cache.set(CONTAINER, 'x', time=60)
        self.assertIsNone(self.cache.get(CONTAINER))

    def test_two_ask_at_once(self) -> None:
        self.assertIsNone(self.cache.get(TOKEN))
        self.assertIsNone(self.cache.get(TOKEN))
        self.cache.set(TOKEN, 'x', time=60)
        self.cache.set(TOKEN, 'x', time=60)
        self.assertEqual('x', self.cache.get(TOKEN))

    def test_quota(self) -> None:
        """What it is compared with changes with each object."""
        self.keep(CONTAINER, {'meta': {'quota-bytes': '5'}, 'bytes': 0})
        self.assertIsNone(self.cache.get(CONTAINER))

    def test_counters(self) -> None:
        self.assertEqual(5, self.cache.incr('ratelimit/a', delta=5))
        self.assertEqual(3, self.cache.decr('ratelimit/a', delta=2))
        self.cache.set('ratelimit/a', '9')
        self.assertEqual(10, self.cache.incr('ratelimit/a'))
        self.assertEqual(0, self.cache.decr('ratelimit/a', delta=99))


class TestNotingChanges(base.BaseTestCase):
    """What Keystone counts."""

    def changes(self, method: str, path: str) -> int:
        file = Path(self.useFixture(fixtures.TempDir()).path, 'changes')
        keystone = changes.noting_changes(lambda *call: [b'answer'], file)
        answer = keystone({'REQUEST_METHOD': method, 'PATH_INFO': path}, print)
        self.assertEqual([b'answer'], list(answer))
        return changes.Changes(file).count()

    def test_may_end_tokens(self) -> None:
        for method, path in (
            ('DELETE', '/v3/auth/tokens'),
            ('PATCH', '/v3/users/1'),
            ('POST', '/v3/users/1/password'),
        ):
            self.assertEqual(1, self.changes(method, path), path)

    def test_ends_no_token(self) -> None:
        for method, path in (
            ('GET', '/v3/auth/tokens'),
            ('POST', '/v3/auth/tokens'),
            ('POST', '/v3/endpoints'),
            ('PUT', '/v3/projects/1/users/2/roles/3'),
        ):
            self.assertEqual(0, self.changes(method, path), path)
