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

"""A multi-tenant store whose user's token is dead when the upload ends."""

from typing import Any

from keystoneauth1 import session as ks_session
import requests

from glance_store_bufswift.tests.functional.glance import base
from glance_store_bufswift.tests.functional.glance import servers
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import glance


class TestDeadToken(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.container = f'{servers.CONTAINER}_{self.image}'

    def start(self) -> glance.Glance:
        return servers.tenants()

    def listing(self, prefix: str = '') -> list[str]:
        return self.cloud.listing(
            self.container, prefix, user=self.cloud.site.demo
        )

    def upload_and_die(self) -> requests.Response:
        """Upload with a token that is revoked in the second segment."""
        login: ks_session.Session = self.cloud.session(
            direct=True, user=self.cloud.site.demo
        )
        token = str(login.get_token())
        self.proxy.add(
            faults.Rule(
                faults.Hook(lambda _: self.cloud.revoke(token)),
                'PUT',
                '/00000002$',
            )
        )
        return requests.put(
            f'{self.glance.url}/v2/images/{self.image}/file',
            base.IMAGE,
            timeout=60,
            headers={
                'X-Auth-Token': token,
                'Content-Type': 'application/octet-stream',
            },
        )

    def update(self, **properties: Any) -> None:
        """Change properties of the image."""
        answer = self.api().patch(
            f'/images/{self.image}',
            headers={
                'Content-Type': 'application/openstack-images-v2.1-json-patch'
            },
            json=[
                {'op': 'replace', 'path': f'/{name}', 'value': value}
                for name, value in properties.items()
            ],
        )
        self.assertEqual(200, answer.status_code, answer.text)

    def read_acl(self) -> str | None:
        """Who may read the container of the image."""
        headers: dict[str, str] = self.cloud.connection(
            self.cloud.site.demo
        ).head_container(self.container)
        return headers.get('x-container-read')

    def check(self, acl: str | None) -> None:
        """The upload is a success, and the ACL is what it ought to be."""
        answer = self.upload_and_die()
        self.assertEqual(204, answer.status_code, answer.text)
        self.assertEqual(acl, self.read_acl())
        self.assert_active(base.IMAGE, segments=3)

    def test_of_one_project(self) -> None:
        self.check(None)

    def test_of_all(self) -> None:
        self.update(visibility='community')
        self.check('*:*')
        self.update(visibility='private')
        self.assertIsNone(self.read_acl())

    def test_shared(self) -> None:
        """Its members read it from the owner's account."""
        self.update(visibility='shared')
        member = self.cloud.site.admin
        project = self.session(member).get_project_id()
        answer = self.api().post(
            f'/images/{self.image}/members', json={'member': project}
        )
        self.assertEqual(200, answer.status_code, answer.text)
        self.check(f'{project}:*')
        read = self.api(user=member).get(f'/images/{self.image}/file')
        self.assertEqual(base.IMAGE, read.content)
        answer = self.api().delete(f'/images/{self.image}/members/{project}')
        self.assertEqual(204, answer.status_code, answer.text)
        self.assertIsNone(self.read_acl())
