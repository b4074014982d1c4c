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

"""Deleting images: what its tests have in common."""

import json
from typing import Any

import fixtures
from glance_store import multi_backend

from glance_store_bufswift import deletes
from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support import fresh
from glance_store_bufswift.tests.support import leaks
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT
OURS, STOCK = 'swift+buffered', 'swift'

#: Requests for a page of a listing, and for the second segment.
LISTING = r'\?format=json.*prefix='
SECOND = '/00000002$'


class Case(base.TestCase):
    """Tests that delete an image."""

    shares_tokens = True

    options = {'swift_buffered_retries': 2}

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fresh.Info())

    def upload(
        self, segments: float = 3, kind: str = OURS, **options: Any
    ) -> None:
        """Have an image, and a store to delete it with."""
        size = int(segments * SEGMENT) - 5
        self.data = streams.image(size)
        self.uri = self.stores(f'fast:{kind}', fast=options).add(
            self.image, streams.Stream(self.data), 0
        )[0]
        self.made = self.stores(fast=options)
        self.proxy.clear()

    def delete(self, **what: Any) -> None:
        """Delete it."""
        before = self.connections()
        try:
            multi_backend.delete(self.uri, 'fast', **what)
        finally:
            self.assert_nothing_runs()
            self.assertEqual(set(), set(self.connections()) - set(before))

    def deletes(self, **what: Any) -> None:
        """Delete it, after which nothing is left."""
        self.delete(**what)
        self.assertEqual([], self.listing())

    def keeps(
        self, error: type[Exception], *says: str, manifest: bool = True
    ) -> None:
        """It can't be deleted now, but can be when the fault is over."""
        caught = self.assertRaises(error, self.delete)
        self.assertIs(error, type(caught), repr(caught))
        for text in says:
            self.assertIn(text, str(caught))
        self.assertIn(self.image, self.listing())
        self.proxy.clear()
        self.deletes()

    def bulk(self) -> None:
        """Delete in bulk what is more than one object."""
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.deletes.MAX_ONE_BY_ONE', 1
            )
        )

    def inject(
        self,
        fault: faults.Fault,
        method: str,
        path: str,
        times: int | None = 1,
    ) -> faults.Rule:
        """Have requests meet a fault."""
        return self.proxy.add(faults.Rule(fault, method, path, times=times))

    def requests(self, method: str, path: str = '') -> list[journal.Exchange]:
        """The requests of a kind that the proxy saw."""
        return [
            each
            for each in self.proxy.log
            if each.method == method and path in each.path
        ]

    def connections(self) -> list[str]:
        """The connections that this process has."""
        return leaks.connections(
            self.proxy.port, self.cloud.keystone_proxy.port
        )


class StaticCase(Case):
    """Tests of Static Large Objects, which Glance is given by others."""

    def upload_slo(self, *more: dict[str, Any]) -> None:
        """Have an image that is one."""
        self.upload()
        segments = [
            {'path': f'/{self.container}/{name}'}
            for name in self.listing(f'{self.image}/')
        ]
        self.put_slo(self.image, [*segments, *more])
        self.assertIn(
            'x-static-large-object',
            self.cloud.connection().head_object(self.container, self.image),
        )

    def put_slo(self, name: str, segments: list[dict[str, Any]]) -> None:
        """Store the manifest of one."""
        self.cloud.connection().put_object(
            self.container,
            name,
            json.dumps(segments),
            query_string='multipart-manifest=put',
        )


assert deletes.MAX_ONE_BY_ONE  # noqa: S101  # the name that bulk() patches
