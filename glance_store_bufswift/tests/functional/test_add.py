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

"""add() against a real Swift: sizes, sources, broken connections."""

from glance_store import exceptions
from glance_store import multi_backend

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT


class TestSizes(base.TestCase):
    """Images of all sizes that may be special, known and unknown."""

    shares_tokens = True

    def check(self, size: int, segments: int) -> None:
        data = streams.image(size)
        fast = self.stores()
        for declared in {0, size}:
            answer = fast.add(self.image, streams.Stream(data), declared)
            self.assert_stored(data, answer, segments)
            self.assertEqual(data, fast.get(answer[0]))
            fast.delete(answer[0])
            self.assert_nothing_left()

    def test_empty(self) -> None:
        self.check(0, 0)

    def test_one_byte(self) -> None:
        self.check(1, 0)

    def test_below_a_segment(self) -> None:
        self.check(SEGMENT - 1, 0)

    def test_a_segment(self) -> None:
        self.check(SEGMENT, 0)

    def test_above_a_segment(self) -> None:
        self.check(SEGMENT + 1, 2)

    def test_below_three_segments(self) -> None:
        self.check(3 * SEGMENT - 1, 3)

    def test_three_segments(self) -> None:
        self.check(3 * SEGMENT, 3)

    def test_above_three_segments(self) -> None:
        self.check(3 * SEGMENT + 1, 4)


class TestBroken(base.TestCase):
    def test_reset(self) -> None:
        data = streams.image(3 * SEGMENT + 5)
        for declared in (0, len(data)):
            self.proxy.add(
                faults.Rule(faults.Reset(after=500_000), 'PUT', '/00000002')
            )
            answer = self.stores().add(
                self.image, streams.Stream(data), declared
            )
            self.assert_stored(data, answer)


class TestAlgorithm(base.TestCase):
    """A multihash that there is not is refused before anything is done."""

    def check(self, multi_tenant: bool) -> None:
        made = self.stores(fast={'swift_store_multi_tenant': multi_tenant})
        context = self.cloud.tenant_context() if multi_tenant else None
        for algorithm in ('shake_256', 'shake_128'):
            stream = streams.Stream(streams.image(2 * SEGMENT))
            exc = self.assertRaises(
                exceptions.UnknownHashingAlgo,
                multi_backend.add_with_multihash,
                made.conf,
                self.image,
                stream,
                0,
                'fast',
                algorithm,
                context=context,
            )
            self.assertIn(algorithm, str(exc))
            self.assertIn('hashing_algorithm', str(exc))
            self.assertEqual(0, stream.position)
        self.assertEqual([], self.proxy.log + self.cloud.keystone_proxy.log)

    def test_of_one_account(self) -> None:
        self.check(multi_tenant=False)

    def test_of_tenants(self) -> None:
        self.check(multi_tenant=True)
