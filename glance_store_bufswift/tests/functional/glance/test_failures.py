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

"""Uploads that fail: what the client is told, and that nothing is left."""

import swiftclient

from glance_store_bufswift.tests.functional.glance import base
from glance_store_bufswift.tests.functional.glance import raw
from glance_store_bufswift.tests.functional.glance import servers
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support import streams


class FailureCase(base.TestCase):
    """The image goes back to queued, and can be uploaded again."""

    def fails(
        self, status: int, data: bytes, chunked: bool = False, **headers: str
    ) -> None:
        """An upload that is answered so, and leaves nothing."""
        answer = self.upload(
            base.chunks(data) if chunked else data, None, **headers
        )
        self.assertEqual(status, answer.status_code, answer.text)
        self.assert_queued()

    def succeeds(self) -> None:
        """A further upload, with nothing in its way."""
        self.cloud.clear()
        answer = self.upload(base.IMAGE)
        self.assertEqual(204, answer.status_code, answer.text)
        self.assert_active(base.IMAGE, segments=3)


class TestFailure(FailureCase):
    """Glance's limits, the announced size, and Swift."""

    def test_too_large(self) -> None:
        """Glance's own limit strikes when segments are stored already."""
        data = streams.image(servers.SIZE_CAP)
        self.fails(413, data + b'x', chunked=True)
        self.assertNotEqual(
            [], [each for each in self.puts(r'/0+\d$') if each.status == 201]
        )
        self.assertEqual(204, self.upload(base.chunks(data)).status_code)
        self.assert_active(data, segments=6)

    @base.SIZE_ANNOUNCED
    def test_larger_than_announced(self) -> None:
        self.fails(
            400,
            base.IMAGE,
            chunked=True,
            X_OpenStack_Image_Size=str(len(base.IMAGE) - 1),
        )
        self.succeeds()

    @base.SIZE_ANNOUNCED
    def test_smaller_than_announced(self) -> None:
        self.fails(
            400,
            base.IMAGE,
            chunked=True,
            X_OpenStack_Image_Size=str(len(base.IMAGE) + 1),
        )
        self.succeeds()

    def test_swift_down(self) -> None:
        self.proxy.add(faults.Rule(faults.Reset(), times=None))
        self.fails(500, base.IMAGE)
        self.succeeds()

    def test_swift_goes_down(self) -> None:
        self.proxy.add(
            faults.Rule(faults.Status(1000, 503), 'PUT', '/0+2$', times=None)
        )
        self.fails(500, base.IMAGE)
        self.succeeds()

    def test_not_allowed(self) -> None:
        self.proxy.add(faults.Rule(faults.Status(code=403), 'PUT', '/0+2$'))
        self.fails(503, base.IMAGE)
        self.succeeds()


class TestQuota(FailureCase):
    """Quotas that Swift enforces."""

    def test_of_the_project(self) -> None:
        user = servers.customer()
        container = servers.CONTAINER
        self.addCleanup(self.cloud.delete_container, container, user=user)

        # Ceph RGW has no account before its own user has come.
        self.cloud.connection(user).head_account()

        def limit(quota: str) -> None:
            project = self.session(user).get_project_id()
            url, token = self.cloud.connection().get_auth()
            swiftclient.post_account(
                f'{url.rpartition("_")[0]}_{project}',
                token,
                {'X-Account-Meta-Quota-Bytes': quota},
            )

        limit(str(base.SEGMENT - 1))
        self.fails(413, base.IMAGE, X_Image_Meta_Store='small')
        self.assertEqual([], self.cloud.listing(container, user=user))
        limit('')
        self.upload(base.IMAGE, X_Image_Meta_Store='small')
        self.assert_active(base.IMAGE, 'small')

    def test_of_the_container(self) -> None:
        """It is used up when the first segment is stored."""
        swift = self.cloud.connection()
        swift.put_container(self.container)
        header = 'X-Container-Meta-Quota-Bytes'
        swift.post_container(self.container, {header: f'{base.SEGMENT + 4}'})
        self.addCleanup(swift.post_container, self.container, {header: ''})

        def first(log: journal.Log) -> bool:
            return any(
                each.status == 201 and each.path.endswith('/00000001')
                for each in log
            )

        self.proxy.add(
            faults.Rule(
                faults.Hook(lambda exchange: self.proxy.wait_for(first)),
                'PUT',
                '/0+2$',
            )
        )
        self.fails(413, base.IMAGE)
        self.assertEqual([413], [each.status for each in self.puts('/0+2$')])
        swift.post_container(self.container, {header: ''})
        self.succeeds()


class TestHangUp(FailureCase):
    """The client goes away in the middle."""

    def wait_until_stored(self) -> None:
        """Wait until Swift has the first segment."""
        self.proxy.wait_for(
            lambda log: any(
                each.status == 201 and each.path.endswith('/00000001')
                for each in log
            )
        )

    def test_with_length(self) -> None:
        with raw.begun(
            self.glance.port,
            self.image,
            self.token(),
            Content_Length=str(len(base.IMAGE)),
        ) as client:
            client.send(base.IMAGE[:-1])
            self.wait_until_stored()
        self.assert_queued()
        self.succeeds()

    def test_in_chunks(self) -> None:
        with raw.begun(
            self.glance.port,
            self.image,
            self.token(),
            Transfer_Encoding='chunked',
        ) as client:
            raw.chunk(client, base.IMAGE)
            self.wait_until_stored()
        self.assert_queued()
        self.succeeds()
