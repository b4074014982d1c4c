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

"""A password that is changed, in Keystone and in the file of accounts."""

import dataclasses
from pathlib import Path
import secrets
import time
from typing import Any
import uuid

import fixtures
from glance_store import exceptions

from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.support import streams

SEGMENT = matrix.SEGMENT


class TestCase(matrix.Case):
    def setUp(self) -> None:
        super().setUp()
        self.admin = keystone.Admin(
            self.cloud.direct_auth_url, self.cloud.site.admin
        )
        self.user = keystone.new_user(*[f'rotating-{uuid.uuid4().hex}'] * 2)
        project = self.admin.create(
            'project', name=self.user.project, domain_id=keystone.DOMAIN
        )
        self.admin.create_user(self.user, project, 'member')
        self.path = Path(self.useFixture(fixtures.TempDir()).path, 'accounts')
        self.write_file()
        self.data = streams.image(3 * SEGMENT)
        self.made = self.stores(
            fast={
                **dict.fromkeys(
                    (
                        'swift_store_auth_address',
                        'swift_store_user',
                        'swift_store_key',
                        'swift_store_auth_version',
                    )
                ),
                'swift_buffered_threads': 1,
                'swift_store_config_file': self.path,
            }
        )

    def write_file(self) -> None:
        user = self.user
        self.path.write_text(
            f'[ref1]\nuser = {user.project}:{user.name}\n'
            f'key = {user.password}\nauth_address = {self.cloud.auth_url}\n'
        )

    def change_password(self) -> None:
        self.user = dataclasses.replace(
            self.user, password=secrets.token_hex(16)
        )
        self.admin.change_password(self.user, self.user.password)
        # Keystone counts in seconds: what it gives in the one of the change
        # is revoked with what it gave before. Each look costs it two tokens.
        time.sleep(1 - time.time() % 1)
        while not self._token_is_good():
            time.sleep(0.1)

    def _token_is_good(self) -> bool:
        url = self.cloud.direct_auth_url
        session = self.user.session(url)
        answer = session.get(
            f'{url}/auth/tokens',
            raise_exc=False,
            headers={'X-Subject-Token': str(session.get_token())},
        )
        return int(answer.status_code) == 200

    def rotate(self) -> None:
        """Change the password, and the file."""
        self.change_password()
        self.write_file()

    def meanwhile(
        self, call: Any, method: str, path: str, skip: int = 0
    ) -> None:
        """Call it before a request goes on."""
        self.proxy.add(
            faults.Rule(faults.Hook(lambda _: call()), method, path, skip=skip)
        )

    def upload(self) -> str:
        uri, *told, _ = self.made.add(self.image, streams.Stream(self.data))
        self.assertEqual([len(self.data), *streams.hashes(self.data)], told)
        return str(uri)

    def location(self, uri: str) -> Any:
        return stores.location_of(uri, 'fast', self.made.conf)

    def listing(self, prefix: str = '') -> list[str]:
        return self.cloud.listing(self.container, prefix, user=self.user)


class TestRotated(TestCase):
    """A new key is taken when Keystone refuses the old one."""

    def test_between_operations(self) -> None:
        uri = self.upload()
        self.rotate()
        self.assertEqual(self.data, self.made.get(uri))
        self.rotate()
        size = self.made.store('fast').get_size(self.location(uri))
        self.assertEqual(len(self.data), size)
        self.rotate()
        self.made.delete(uri)
        self.assertEqual([], self.listing())
        self.rotate()
        self.upload()
        self.assertNotIn(
            401, [each.status for each in self.cloud.keystone_proxy.log]
        )

    def test_in_an_upload(self) -> None:
        self.meanwhile(self.rotate, 'PUT', '/00000002$')
        uri = self.upload()
        self.assertEqual(
            [401, 201], [each.status for each in self.puts('/00000002$')]
        )
        self.assertEqual(3, self.tokens_asked_for())
        self.assertEqual(self.data, self.made.get(uri))

    def test_in_a_download(self) -> None:
        uri = self.upload()
        self.proxy.add(
            faults.Rule(faults.BreakAnswer(SEGMENT // 2), 'GET', '/00000002$')
        )
        self.meanwhile(self.rotate, 'GET', '/00000002$', skip=1)
        self.assertEqual(self.data, self.made.get(uri))

    def test_in_a_delete(self) -> None:
        uri = self.upload()
        self.meanwhile(self.rotate, 'DELETE', '/00000002$')
        self.made.delete(uri)
        self.assertEqual([], self.listing())

    def test_between_opening_and_reading_the_size(self) -> None:
        uri = self.upload()
        self.meanwhile(self.rotate, 'HEAD', rf'/{self.image}(\?|$)')
        size = self.made.store('fast').get_size(self.location(uri))
        self.assertEqual(len(self.data), size)

    def test_after_a_location_was_read(self) -> None:
        """The location has the key that the file had by then."""
        uri = self.upload()
        location = self.location(uri)
        self.rotate()
        self.made.store('fast').delete(location)
        self.assertEqual([], self.listing())

    def test_another_account(self) -> None:
        """The one that the location names is read, not the default one."""
        uri = self.upload()
        section = self.path.read_text()
        self.path.write_text(
            section.replace('ref1', 'ref2')
            + section.replace(self.user.password, 'wrong')
        )
        other = uri.replace('ref1', 'ref2')
        self.assertEqual(self.data, self.made.get(other))
        location = self.location(other)
        self.change_password()
        self.path.write_text(
            section.replace('ref1', 'ref2').replace(
                'key =', f'key = {self.user.password}\n#'
            )
            + section
        )
        self.made.store('fast').delete(location)
        self.assertEqual([], self.listing())


class TestNotRotated(TestCase):
    """Keystone has the new key, the file has not."""

    def setUp(self) -> None:
        super().setUp()
        self.meanwhile(self.change_password, 'PUT', '/00000002$')

    def check(self) -> None:
        """The upload fails, and the old key was refused just once."""
        exc = self.assertRaises(exceptions.BackendException, self.upload)
        self.assertIn('401', str(exc))
        self.assertIn('Keystone', str(exc))
        self.assertEqual(2, self.tokens_asked_for())
        self.assert_nothing_runs()

    def test_unchanged(self) -> None:
        self.check()

    def test_half_written(self) -> None:
        change = self.change_password

        def half() -> None:
            change()
            self.path.write_text('[ref1]\nuser')

        self.change_password = half  # type: ignore[method-assign]
        self.proxy.clear()
        self.meanwhile(half, 'PUT', '/00000002$')
        self.check()
