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

"""Signed images: the verifier sees each byte once, whatever is sent again."""

from glance_store_bufswift.tests.functional.glance import base
from glance_store_bufswift.tests.support.cloud import certificates
from glance_store_bufswift.tests.support.cloud import faults


class TestSignature(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.signer = certificates.Signer(self.glance.directory)

    def sign(self, data: bytes) -> None:
        """Make the image one that must have these bytes."""
        self.image = self.create(**self.signer.properties(data))
        self.addCleanup(self.delete)

    def test_good(self) -> None:
        self.sign(base.IMAGE)
        self.proxy.add(
            faults.Rule(faults.Reset(base.SEGMENT // 2), 'PUT', '/0+2$')
        )
        self.assertEqual(204, self.upload(base.IMAGE).status_code)
        self.assert_active(base.IMAGE, segments=3)

    def test_bad(self) -> None:
        self.sign(base.IMAGE)
        answer = self.upload(base.IMAGE[:-1] + b'?')
        self.assertEqual(400, answer.status_code)
        self.assertIn('Signature verification failed', answer.text)
        self.assert_queued()
        self.assertEqual(204, self.upload(base.IMAGE).status_code)
        self.assert_active(base.IMAGE, segments=3)
