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

"""Trusts, for uploads that take longer than the user's token lives.

The user of a request trusts the service user of the store, who then gets
tokens in the user's name until the trust is deleted (Keystone's API,
OS-TRUST). Requests go to the Keystone address in the store's options, not to
one from the catalog.
"""

from collections.abc import Callable
import dataclasses
from typing import Any
import weakref

from keystoneauth1 import identity
from keystoneauth1 import session as ks_session
from keystoneclient.v3 import client as ks_client
from oslo_log import log as logging

from glance_store_bufswift.swift import retry
from glance_store_bufswift.swift import tokens

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Trustee:
    """The service user of a store.

    :ivar auth_url: Keystone's address, with ``/v3`` at its end
    :ivar name: the user's
    :ivar password: the user's
    :ivar project: the name of the user's own project
    :ivar domain: the id of the domain that user and project are in
    :ivar verify: a CA bundle, or whether certificates are verified
    :ivar timeout: seconds that a socket operation may take
    """

    auth_url: str
    name: str
    password: str = dataclasses.field(repr=False)
    project: str
    domain: str = 'default'
    verify: str | bool = True
    timeout: float = 60

    def session(self, auth: Any) -> ks_session.Session:
        """A session that keeps no connection open."""
        session = ks_session.Session(
            auth=auth, verify=self.verify, timeout=self.timeout
        )
        session.session.headers['Connection'] = 'close'
        return session

    def sign_in(self, **scope: Any) -> ks_session.Session:
        """A session of this user, for a project or a trust."""
        return self.session(
            identity.V3Password(
                self.auth_url,
                username=self.name,
                password=self.password,
                user_domain_id=self.domain,
                **scope,
            )
        )

    def trusts(self, session: ks_session.Session) -> Any:
        """keystoneclient's manager of trusts."""
        return ks_client.Client(
            session=session, endpoint_override=self.auth_url
        ).trusts


class Trust:
    """An existing trust; to be removed at the end.

    :ivar login: gives tokens in the name of the user who trusts
    """

    def __init__(self, trustee: Trustee, trust: str) -> None:
        self._session = trustee.sign_in(trust_id=trust)
        self._trusts = trustee.trusts(self._session)
        self._id = trust
        self.login = tokens.Login(self._session)

    def remove(self) -> None:
        """Delete the trust; what was done with it remains."""
        try:
            self._trusts.delete(self._id)
        except Exception as exc:
            LOG.warning(
                'Keystone did not delete the trust of this operation: %s', exc
            )
        self.login.close()


def make(trustee: Trustee, token: str, project: str) -> Trust:
    """Have a user trust the service user with all of a project's roles.

    :param token: the user's
    :param project: the id of the project that the token is for
    :raises keystoneauth1.exceptions.ClientException: Keystone failed
    """
    session = trustee.session(
        identity.V3Token(trustee.auth_url, token, project_id=project)
    )
    user = tokens.Login(session).get_access()
    own = trustee.sign_in(
        project_name=trustee.project, project_domain_id=trustee.domain
    )
    trusts = trustee.trusts(session)
    made = trusts.create(
        trustee_user=tokens.Login(own).get_access().user_id,
        trustor_user=user.user_id,
        project=user.project_id,
        role_names=user.role_names,
        impersonation=True,
    )
    trust = Trust(trustee, made.id)
    try:
        trust.login.get_token()
    except Exception:
        trusts.delete(made.id)
        raise
    return trust


def try_to_make(
    policy: retry.Policy, making: Callable[[], Trust]
) -> Trust | None:
    """Make a trust, or warn that there is none.

    :param policy: how often Keystone is asked
    :param making: makes it
    """
    try:
        return retry.repeat(policy, 'Making a trust', making)
    except Exception as exc:
        LOG.warning(
            'Keystone made no trust for this operation, which goes '
            "on with the user's token: when that expires, it fails. "
            '%s',
            exc,
        )
        return None


#: Trusts by the id() of the context of the request they are kept for.
_kept: dict[int, Trust] = {}


def keep(context: Any, trust: Trust) -> None:
    """Keep a trust for as long as a request's context exists."""
    if id(context) in _kept:
        trust.remove()
        return
    _kept[id(context)] = trust
    weakref.finalize(context, _drop, id(context))


def kept(context: Any) -> Trust | None:
    """The trust that is kept for a request."""
    return _kept.get(id(context))


def _drop(key: int) -> None:
    _kept.pop(key).remove()
