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

"""Reading and deleting where each image has a container of its own."""

import logging

import fixtures
from glance_store import exceptions
from glance_store import multi_backend

from glance_store_bufswift.tests.functional import tenants
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = tenants.SEGMENT


class TestCase(tenants.TestCase):
    options = {**tenants.TestCase.options, 'swift_buffered_retries': 1}

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.provisioning.REMOVE_PAUSES', (0, 0, 0)
            )
        )
        self.data = streams.image(3 * SEGMENT)
        self.made = self.stores()
        self.uri = self.add(self.made, self.data)
        self.proxy.clear()
        self.records.clear()

    def put(self, name: str) -> None:
        """Have another object in the container."""
        self.cloud.connection(self.demo).put_object(
            self.container, name, b'object'
        )

    def delete(self) -> None:
        self.made.delete(self.uri, context=self.context)

    def inject(self, fault: faults.Fault, times: int | None = 1) -> None:
        """Have the container's DELETEs meet a fault."""
        self.proxy.add(
            faults.Rule(fault, 'DELETE', f'/{self.container}$', times=times)
        )


class TestDelete(TestCase):
    def test_container_goes_last(self) -> None:
        self.delete()
        self.assertFalse(self.has_container())
        deleted = [
            each.path.rpartition('/')[2]
            for each in self.proxy.log
            if each.method == 'DELETE'
        ]
        self.assertEqual([self.image, self.container], deleted[-2:])

    def test_needs_no_trust(self) -> None:
        self.delete()
        self.assertEqual(0, self.trusts('POST'))

    def test_foreign_object_keeps_the_container(self) -> None:
        self.put('notes')
        self.delete()
        self.assertEqual(['notes'], self.listing())
        [warning] = self.records.of(logging.WARNING)
        self.assertIn('notes', warning)
        self.assertRaises(exceptions.NotFound, self.delete)
        self.assertEqual(['notes'], self.listing())

    def test_what_earlier_uploads_left_goes_too(self) -> None:
        self.put(f'{self.image}/20260101T000000Z-0123456789ab/00000001')
        self.put(f'{self.image}-00001')
        self.delete()
        self.assertFalse(self.has_container())

    def test_another_image_beside_it(self) -> None:
        self.put(f'{self.image[:-1]}/1/00000001')
        self.delete()
        self.assertEqual(1, len(self.listing()))

    def test_segment_that_stays_keeps_the_container(self) -> None:
        self.proxy.add(
            faults.Rule(
                faults.Status(code=503), 'DELETE', '/00000002$', times=None
            )
        )
        self.assertRaises(exceptions.BackendException, self.delete)
        self.assertIn(self.image, self.listing())
        self.assertEqual(
            [],
            [
                each
                for each in self.proxy.log
                if each.method == 'DELETE'
                and each.path.endswith(self.container)
            ],
        )
        self.proxy.clear()
        self.delete()
        self.assertFalse(self.has_container())

    def test_container_that_stays(self) -> None:
        """The image is gone all the same; deleting again removes it."""
        for code in (403, 503):
            self.inject(faults.Status(code=code), None)
            self.delete()
            self.assertEqual([], self.listing())
            self.assertTrue(self.has_container())
            self.assertIn(
                self.container, '\n'.join(self.records.of(logging.WARNING))
            )
            self.proxy.clear()
            self.assertRaises(exceptions.NotFound, self.delete)
            self.assertFalse(self.has_container())
            self.uri = self.add(self.made, self.data)

    def test_conflict_that_passes(self) -> None:
        """The container has not heard of all deletes yet."""
        self.inject(faults.Status(code=409))
        self.delete()
        self.assertFalse(self.has_container())
        self.assertEqual([], self.records.of(logging.WARNING))

    def test_conflict_that_does_not(self) -> None:
        self.inject(faults.Status(code=409), None)
        self.delete()
        [warning] = self.records.of(logging.WARNING)
        self.assertIn('lists nothing', warning)


class TestDownload(TestCase):
    """A trust is made for a download that is to be tried again by it."""

    def assert_trusts(self, count: int) -> None:
        self.assertEqual(
            (count, count), (self.trusts('POST'), self.trusts('DELETE'))
        )

    def test_none_by_default(self) -> None:
        self.assertEqual(
            self.data, self.made.get(self.uri, context=self.context)
        )
        self.assert_trusts(0)

    def trusting(self) -> None:
        self.made = self.stores(fast={'swift_store_retry_get_count': 1})

    def test_given_back_at_the_end(self) -> None:
        self.trusting()
        self.assertEqual(
            self.data, self.made.get(self.uri, context=self.context)
        )
        self.assert_trusts(1)

    def test_given_back_when_the_reader_goes(self) -> None:
        self.trusting()
        for read in (0, 1):
            chunks, _ = multi_backend.get(
                self.uri, 'fast', context=self.context
            )
            for _ in range(read):
                next(chunks)
            del chunks
            self.assert_trusts(1 + read)

    def test_given_back_when_it_fails(self) -> None:
        self.trusting()
        self.proxy.add(faults.Rule(faults.Status(code=404), 'GET'))
        self.assertRaises(
            exceptions.NotFound, self.made.get, self.uri, context=self.context
        )
        self.assert_trusts(1)

    def test_resumed_with_a_new_token(self) -> None:
        self.trusting()
        self.revoke_after_a_break()
        self.assertEqual(
            self.data, self.made.get(self.uri, context=self.context)
        )
        self.assert_trusts(1)

    def test_users_token_can_not_be_renewed(self) -> None:
        self.revoke_after_a_break()
        self.assertRaises(
            exceptions.BackendException,
            self.made.get,
            self.uri,
            context=self.context,
        )

    def revoke_after_a_break(self) -> None:
        self.proxy.add(
            faults.Rule(faults.BreakAnswer(SEGMENT // 2), 'GET', '/00000002$')
        )
        self.proxy.add(
            faults.Rule(
                faults.Hook(
                    lambda exchange: self.cloud.revoke(
                        exchange.headers['x-auth-token']
                    )
                ),
                'GET',
                '/00000002$',
                skip=1,
            )
        )
