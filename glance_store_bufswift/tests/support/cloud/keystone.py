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

"""Keystone of a test cloud, and an administrator's calls to it."""

import dataclasses
import json
from pathlib import Path
import secrets
import textwrap
from typing import Any

from keystoneauth1.identity import v3
from keystoneauth1 import session as ks_session

from glance_store_bufswift.tests.support.cloud import changes
from glance_store_bufswift.tests.support.cloud import process

# The first domain: its id and, for those who ask for that, its name.
DOMAIN = 'default'
DOMAIN_NAME = 'Default'

# The region that goes past every fault proxy.
REGION = 'direct'

_CONFIG = """\
    [DEFAULT]
    use_stderr = true
    [database]
    # Seconds to wait for another writer: a busy machine takes over five.
    connection = sqlite:///{root}/keystone.db?timeout=60
    sqlite_synchronous = false
    [identity]
    password_hash_rounds = 4
    # Above it, each password costs a warning.
    max_password_length = 54
    [token]
    expiration = {token_seconds}
    [fernet_tokens]
    key_repository = {root}/fernet-keys
    [fernet_receipts]
    key_repository = {root}/fernet-keys
    [credential]
    key_repository = {root}/credential-keys
    [cache]
    enabled = true
    backend = dogpile.cache.memory
    [oslo_policy]
    policy_dirs = {root}/no-policies
    """


@dataclasses.dataclass(frozen=True)
class User:
    """Who signs in, and where: names are within the domain `default`."""

    name: str
    password: str
    project: str

    def session(self, auth_url: str) -> ks_session.Session:
        """Return a new keystoneauth session of this user."""
        auth = v3.Password(
            auth_url=auth_url,
            username=self.name,
            password=self.password,
            project_name=self.project,
            user_domain_id=DOMAIN,
            project_domain_id=DOMAIN,
        )
        return ks_session.Session(auth=auth)


def new_user(name: str, project: str) -> User:
    """Return a user with a password nobody has guessed yet."""
    return User(name, secrets.token_hex(16), project)


def start(
    keeper: process.Keeper,
    port: int,
    root: Path,
    token_seconds: int,
    admin: User | None = None,
) -> process.Server:
    """Start a Keystone; don't wait for it.

    :param root: where its database and keys are; several may share them
    :param token_seconds: lifetime of the tokens it issues
    :param admin: create the database first, with this administrator
    """
    name = f'keystone-{port}'
    config = keeper.root / f'{name}.conf'
    config.write_text(
        textwrap.dedent(_CONFIG).format(root=root, token_seconds=token_seconds)
    )
    changed = root / changes.TOKENS
    args = ['keystone', str(config), str(port), str(changed)]
    if admin:
        first = root / 'first.json'
        first.write_text(
            json.dumps(
                {
                    'password': admin.password,
                    'region': REGION,
                    'url': f'http://{process.HOST}:{port}/v3',
                }
            )
        )
        args.append(str(first))
    return keeper.start(name, *args)


class Admin:
    """Keystone's administrator: what has to be created, granted, revoked.

    :param auth_url: Keystone's own address with /v3, past any fault proxy
    """

    def __init__(self, auth_url: str, admin: User) -> None:
        self._url = auth_url
        self._session = admin.session(auth_url)

    def create(self, kind: str, **fields: Any) -> str:
        """Create one of `kind` ('project', 'region' ...); return its id."""
        answer = self._session.post(
            f'{self._url}/{kind}s', json={kind: fields}
        )
        return str(answer.json()[kind]['id'])

    def find(self, kind: str, **fields: str) -> str:
        """Return the id of the one of `kind` that has these fields."""
        answer = self._session.get(f'{self._url}/{kind}s', params=fields)
        [found] = answer.json()[f'{kind}s']
        return str(found['id'])

    def role(self, name: str) -> str:
        """Return the id of a role, created when it is missing."""
        answer = self._session.get(f'{self._url}/roles', params={'name': name})
        for role in answer.json()['roles']:
            return str(role['id'])
        return self.create('role', name=name)

    def create_user(self, user: User, project_id: str, *roles: str) -> None:
        """Create a user who has these roles on a project."""
        user_id = self.create(
            'user',
            name=user.name,
            password=user.password,
            domain_id=DOMAIN,
            default_project_id=project_id,
        )
        for role in roles:
            self._session.put(
                f'{self._url}/projects/{project_id}/users/'
                f'{user_id}/roles/{self.role(role)}'
            )

    def change_password(self, user: User, password: str) -> None:
        """Change a user's password, which revokes the user's tokens."""
        found = self.find('user', name=user.name)
        self._session.patch(
            f'{self._url}/users/{found}', json={'user': {'password': password}}
        )

    def create_endpoints(self, service: str, region: str, url: str) -> None:
        """Enter a service of that type into a region of the catalog."""
        service_id = self.find('service', type=service)
        for interface in ('public', 'internal', 'admin'):
            self.create(
                'endpoint',
                service_id=service_id,
                url=url,
                interface=interface,
                region_id=region,
            )

    def revoke(self, token: str) -> None:
        """Revoke a token: from now on it is worth a 401."""
        self._session.delete(
            f'{self._url}/auth/tokens', headers={'X-Subject-Token': token}
        )
