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

"""For tests of tokens that expire by time."""

import datetime
import functools
import time

import fixtures

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import journal


@functools.cache
def short_lived() -> clouds.Cloud:
    """The cloud with tokens that are good for four seconds."""
    return clouds.Cloud.attach().variant(token_seconds=4)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


class TestCase(base.TestCase):
    """Tests in that cloud."""

    def attach(self) -> clouds.Cloud:
        return short_lived()

    def expire(self, exchange: journal.Exchange) -> None:
        """Wait until Keystone takes a request's token for expired."""
        self.wait_for_the_end_of(exchange.headers['x-auth-token'])

    def wait_for_the_end_of(self, token: str) -> None:
        """Wait until Keystone takes a token for expired."""
        session = self.cloud.session(direct=True)
        url = f'{self.cloud.direct_auth_url}/auth/tokens'
        headers = {'X-Subject-Token': token}
        while True:
            answer = session.get(url, headers=headers, raise_exc=False)
            if answer.status_code != 200:
                return
            # Each look costs as much as a request of the driver.
            end = answer.json()['token']['expires_at'].removesuffix('Z')
            left = datetime.datetime.fromisoformat(f'{end}+00:00') - _now()
            time.sleep(max(0.1, left.total_seconds()))

    def let_clocks_differ(self) -> None:
        """Have keystoneauth take every token for good until it is refused."""
        self.useFixture(
            fixtures.MonkeyPatch(
                'keystoneauth1.access.access.AccessInfo.will_expire_soon',
                lambda info, stale_duration=30: False,
            )
        )
