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

"""Deleting the segments of an image by Swift's bulk delete."""

import json
from typing import Any

from glance_store import exceptions

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import deletes
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import fresh

BULK = 'bulk-delete'


class TestBulk(deletes.Case):
    def setUp(self) -> None:
        super().setUp()
        self.bulk()
        self.upload(5)

    def told(self, **told: Any) -> faults.Status:
        """What Swift is to answer."""
        return faults.Status(
            code=200,
            body=json.dumps(
                {name.replace('_', ' '): told[name] for name in told}
            ).encode(),
        )

    def offered(self, offer: Any) -> faults.Status:
        """What a site says that has this to say of its bulk delete."""
        return faults.Status(
            code=200, body=json.dumps({'bulk_delete': offer}).encode()
        )

    def singles(self) -> int:
        """How many segments were deleted one by one."""
        return len(self.requests('DELETE', f'{self.image}/'))

    @base.swift_only('tells no limit of its bulk delete')
    def test_one_request(self) -> None:
        self.deletes()
        self.assertEqual(1, len(self.requests('POST', BULK)))
        self.assertEqual(0, self.singles())

    def test_few_at_a_time(self) -> None:
        self.inject(
            self.offered({'max_deletes_per_request': 2}), 'GET', '/info$'
        )
        self.deletes()
        self.assertEqual(3, len(self.requests('POST', BULK)))
        self.assertEqual(0, self.singles())

    def test_not_offered(self) -> None:
        for offer in (
            faults.Status(code=404),
            faults.Status(code=401),
            faults.Reset(),
            self.told(slo={}),
            self.offered(None),
            self.offered([]),
            self.offered({'max_deletes_per_request': 0}),
            self.offered({'max_deletes_per_request': 'x'}),
        ):
            self.useFixture(fresh.Info())
            self.inject(offer, 'GET', '/info$')
            self.deletes()
            self.assertEqual(0, len(self.requests('POST', BULK)))
            self.assertEqual(5, self.singles())
            self.upload(5)

    def test_fails(self) -> None:
        for fault in (
            faults.Status(code=404),
            faults.Status(code=503),
            faults.Reset(),
            self.told(),
            faults.Status(code=200, body=b'deleted'),
            self.told(
                Response_Status='502 Bad Gateway',
                Errors=[],
                Number_Deleted=0,
                Number_Not_Found=0,
            ),
        ):
            self.inject(fault, 'POST', BULK, None)
            self.deletes()
            self.assertEqual(5, self.singles())
            self.upload(5)

    @base.swift_only('tells no limit of its bulk delete')
    def test_answer_is_lost(self) -> None:
        self.inject(faults.LostAnswer(), 'POST', BULK)
        self.deletes()
        self.assertEqual(2, len(self.requests('POST', BULK)))
        self.assertEqual(0, self.singles())

    @base.swift_only('tells no limit of its bulk delete')
    def test_some_are_left(self) -> None:
        names = self.listing(f'{self.image}/')
        self.inject(
            self.told(
                Response_Status='400 Bad Request',
                Number_Deleted=3,
                Number_Not_Found=0,
                Errors=[
                    [f'/{self.container}/{name}', '503 Service Unavailable']
                    for name in names[1:3]
                ],
            ),
            'POST',
            BULK,
        )
        self.deletes()
        self.assertEqual(2, self.singles())

    def test_segment_can_not_be_deleted(self) -> None:
        name = self.listing(f'{self.image}/')[1]
        self.inject(
            self.told(
                Response_Status='400 Bad Request',
                Number_Deleted=4,
                Number_Not_Found=0,
                Errors=[[f'/{self.container}/{name}', '403 Forbidden']],
            ),
            'POST',
            BULK,
        )
        self.inject(faults.Status(code=403), 'DELETE', name, None)
        self.keeps(exceptions.Forbidden, '1 of 5 segments', name)

    def test_swift_lies(self) -> None:
        """It says that all is deleted; the next look tells otherwise."""
        self.inject(
            self.told(
                Response_Status='200 OK',
                Errors=[],
                Number_Deleted=5,
                Number_Not_Found=0,
            ),
            'POST',
            BULK,
        )
        self.deletes()
