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

"""Storage URLs with a slash at their end, in the options and the catalog."""

from typing import Any
import uuid

from glance_store_bufswift.tests.functional import commands
from glance_store_bufswift.tests.functional import tenants
from glance_store_bufswift.tests.support.cloud import keystone
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.support import streams

SEGMENT = tenants.SEGMENT


def regions_options(test: commands.Case) -> dict[str, Any]:
    """Options of a region of its own, where the catalog has the slash."""
    region = f'region-{uuid.uuid4().hex}'
    admin = keystone.Admin(test.cloud.direct_auth_url, test.cloud.site.admin)
    admin.create('region', id=region)
    admin.create_endpoints(
        'object-store',
        region,
        test.cloud.site.account_url(test.proxy.port) + '/',
    )
    return {'swift_store_region': region}


class TestOneAccount(commands.Case):
    def check(self, **options: Any) -> None:
        data = streams.image(2 * SEGMENT + 5)
        made = self.stores(fast=options)
        answer = made.add(self.image, streams.Stream(data), 0)
        self.assert_stored(data, answer, 3)
        self.assertEqual(
            len(data),
            made.store('fast').get_size(
                stores.location_of(answer[0], 'fast', made.conf)
            ),
        )
        self.assertEqual(data, made.get(answer[0]))
        self.check_commands(self.config(fast=options))
        made.delete(answer[0])
        self.assert_nothing_left()
        self.assertEqual(
            [], [each.path for each in self.proxy.log if '//' in each.path]
        )

    def check_commands(self, config: str) -> None:
        code, rows = self.rows(config, 'check')
        self.assertEqual(0, code, str(rows))
        [endpoint] = [
            row['found'] for row in rows if row['subject'] == 'endpoint'
        ]
        self.assertFalse(endpoint.endswith('/'), endpoint)
        code, rows = self.rows(config, 'orphans', 'list')
        self.assertEqual((0, []), (code, rows))

    def test_in_the_options(self) -> None:
        project = self.cloud.session(direct=True).get_project_id()
        self.check(
            swift_store_endpoint=self.cloud.site.account_of(
                project, self.proxy.url
            )
            + '/'
        )

    def test_in_the_catalog(self) -> None:
        self.check(**regions_options(self))


class TestTenants(tenants.TestCase, commands.Case):
    def check(self, **options: Any) -> None:
        data = streams.image(2 * SEGMENT + 5)
        made = self.stores(fast=options)
        self.context = self.cloud.tenant_context()
        uri = self.add(made, data)
        self.assertEqual(data, made.get(uri, context=self.context))
        made.delete(uri, context=self.context)
        self.assertFalse(self.has_container())
        self.assertEqual(
            [], [each.path for each in self.proxy.log if '//' in each.path]
        )

    def test_in_the_options(self) -> None:
        self.check(
            swift_store_endpoint=self.cloud.site.account_of(
                self.context.project_id, self.proxy.url
            )
            + '/'
        )

    def test_in_the_catalog(self) -> None:
        options = regions_options(self)
        self.check(**options)
        self.add(self.stores(fast=options), b'')
        config = self.config(
            fast={
                **self.options,
                **options,
                'swift_store_container': self.prefix,
            }
        )
        code, rows = self.rows(
            config, 'orphans', 'list', '--project', self.context.project_id
        )
        self.assertEqual((0, []), (code, rows))
