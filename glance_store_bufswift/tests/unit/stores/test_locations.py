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

"""Locations with credentials, as both drivers read and write them."""

from typing import Any

from glance_store._drivers.swift import store as upstream
from glance_store import exceptions
import hypothesis
from hypothesis import strategies
from oslotest import base

from glance_store_bufswift.stores import locations

#: Characters that mean something in a URI, and others.
WORDS = strategies.text('%:/@?#[]&=+ .~aZ\u00e9\u4e2d', min_size=1, max_size=8)

#: Parts of a user's name: project and name.
NAMES = WORDS.map(lambda word: word.replace(':', ''))


def specs(user: str | None, key: str | None) -> dict[str, str | None]:
    return {
        'scheme': 'swift+https',
        'user': user,
        'key': key,
        'auth_or_store_url': 'https://keystone:5000/v3',
        'container': 'glance',
        'obj': 'image',
    }


def written(kind: Any, user: str | None, key: str | None) -> str:
    """The URI that a driver writes."""
    return str(kind(specs(user, key), None).get_uri())


def read(kind: Any, uri: str) -> tuple[str, ...]:
    """What a driver reads of a URI."""
    location = kind({}, None)
    location.parse_uri(uri)
    return (
        location.user,
        location.key,
        location.swift_url,
        location.container,
        location.obj,
    )


class TestCredentials(base.BaseTestCase):
    def expected(self, user: str | None, key: str | None) -> tuple[Any, ...]:
        return user, key, 'https://keystone:5000/v3', 'glance', 'image'

    @hypothesis.given(NAMES.filter(bool), NAMES.filter(bool), WORDS)
    def test_what_we_write(self, project: str, name: str, key: str) -> None:
        """Both drivers read it, if there is any way."""
        user = f'{project}:{name}'
        uri = written(locations.StoreLocation, user, key)
        self.assertEqual(
            self.expected(user, key), read(locations.StoreLocation, uri)
        )
        if ':' not in key:
            self.assertEqual(
                self.expected(user, key), read(upstream.StoreLocation, uri)
            )

    @hypothesis.given(NAMES.filter(bool), NAMES.filter(bool), WORDS)
    def test_what_the_stock_driver_writes(
        self, project: str, name: str, key: str
    ) -> None:
        """We read it, also what the stock driver itself does not."""
        user = f'{project}:{name}'
        uri = written(upstream.StoreLocation, user, key)
        self.assertEqual(
            self.expected(user, key), read(locations.StoreLocation, uri)
        )

    def test_what_the_stock_driver_can_not_read(self) -> None:
        """When this fails, the refusal of a ':' can go."""
        for key in ('a:b', 'a/b'):
            uri = written(upstream.StoreLocation, 'project:user', key)
            try:
                told = read(upstream.StoreLocation, uri)
            except exceptions.BadStoreUri:
                continue
            self.assertNotEqual(self.expected('project:user', key), told)

    def test_as_it_always_was(self) -> None:
        self.assertEqual(
            'swift+https://project%3Auser:se%40cret@keystone:5000/v3/glance/'
            'image',
            written(locations.StoreLocation, 'project:user', 'se@cret'),
        )


class TestOthers(base.BaseTestCase):
    """What is not as the stock driver quotes it is left to its parser."""

    def assert_as_upstream(self, uri: str) -> None:
        self.assertEqual(
            read(upstream.StoreLocation, uri),
            read(locations.StoreLocation, uri),
        )

    def test_without_credentials(self) -> None:
        for uri in (
            'swift+https://swift:8080/v1/AUTH_1/a_b/b',
            'swift+http://swift/v1/AUTH_1/a_b/b',
            'swift+https://swift:8080/v1/AUTH_1/a@b/b',
            'swift+https://swift:8080/v1/AUTH%3A1/a@b/b',
            'swift://keystone:5000/v3/a/b',
        ):
            self.assert_as_upstream(uri)

    def test_written_by_hand(self) -> None:
        for uri in (
            'swift://account:user:pass@keystone/v3/a/b',
            'swift://user:pass@keystone:5000/v3/a/b',
            'swift+http://user:p%20ss@keystone:5000/v3/a/b',
        ):
            self.assert_as_upstream(uri)

    def test_no_location_of_swift(self) -> None:
        for uri in (
            'swift+buffered://p%3Au:k@keystone/v3/a/b',
            'file:///etc/passwd',
            'swift://x',
            'swift://p%3Au:k@http://keystone/v3/a/b',
        ):
            self.assertRaises(
                exceptions.BadStoreUri, read, locations.StoreLocation, uri
            )
