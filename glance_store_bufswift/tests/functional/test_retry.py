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

"""Requests that break in the middle of a segment are recovered."""

import logging

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT
SIZE = 4 * SEGMENT + 600_000

#: What strikes after as many bytes of a segment.
FAULTS = (faults.Reset(after=500_000), faults.Status(after=500_000, code=503))


class TestSegments(base.TestCase):
    def tries(self) -> dict[str, int]:
        """How often each object was sent, by the end of its name."""
        names = [each.path.rpartition('/')[2] for each in self.puts()]
        return {name: names.count(name) for name in names}

    def check(self, *numbers: int, size: int = SIZE) -> None:
        """What breaks off is sent once more, the others are not."""
        data = streams.image(size)
        made = self.stores()
        for fault in FAULTS:
            for declared in (0, size):
                self.proxy.clear()
                for number in numbers:
                    self.proxy.add(
                        faults.Rule(fault, 'PUT', f'/{number:08d}$')
                    )
                answer = made.add(
                    self.image, streams.Stream(data, most=70_000), declared
                )
                self.assert_stored(data, answer, 5)
                expected = {
                    f'{number:08d}': 1 + (number in numbers)
                    for number in range(1, 6)
                }
                self.assertEqual(expected | {self.image: 1}, self.tries())
                self.assertIn(
                    f' {len(numbers)} retries, ',
                    self.records.of(logging.INFO)[-1],
                )

    def test_first(self) -> None:
        self.check(1)

    def test_middle(self) -> None:
        self.check(3)

    def test_last(self) -> None:
        self.check(5)

    def test_all(self) -> None:
        self.check(1, 2, 3, 4, 5)

    def test_several_times(self) -> None:
        data = streams.image(SIZE)
        for _ in range(2):
            for fault in FAULTS:
                self.proxy.add(faults.Rule(fault, 'PUT', '/00000002$'))
        answer = self.stores().add(self.image, streams.Stream(data), 0)
        self.assert_stored(data, answer, 5)
        self.assertEqual(5, self.tries()['00000002'])

    def test_manifest(self) -> None:
        data = streams.image(SIZE)
        for fault in (faults.Reset(), faults.Status(), faults.LostAnswer()):
            self.proxy.add(faults.Rule(fault, 'PUT', f'/{self.image}$'))
        answer = self.stores().add(self.image, streams.Stream(data), 0)
        self.assert_stored(data, answer, 5)
        self.assertEqual(4, self.tries()[self.image])

    def test_plain_object(self) -> None:
        data = streams.image(SEGMENT - 5)
        made = self.stores()
        for fault in FAULTS:
            for declared in (0, len(data)):
                self.proxy.clear()
                self.proxy.add(faults.Rule(fault, 'PUT', f'/{self.image}$'))
                answer = made.add(self.image, streams.Stream(data), declared)
                self.assert_stored(data, answer, 0)
                self.assertEqual({self.image: 2}, self.tries())

    def test_container(self) -> None:
        for fault in (faults.Reset(), faults.Status()):
            self.proxy.add(faults.Rule(fault, 'PUT', f'/{self.container}$'))
        answer = self.stores().add(self.image, streams.Stream(b'x'), 1)
        self.assert_stored(b'x', answer)


class TestTokens(base.TestCase):
    """A token that is revoked under an upload is replaced."""

    def revoke(self, exchange: journal.Exchange) -> None:
        self.cloud.revoke(exchange.headers['x-auth-token'])

    def check(self, size: int, path: str, threads: int = 1) -> None:
        data = streams.image(size)
        made = self.stores(fast={'swift_buffered_threads': threads})
        for declared in (0, size):
            self.cloud.clear()
            self.proxy.add(faults.Rule(faults.Hook(self.revoke), 'PUT', path))
            answer = made.add(self.image, streams.Stream(data), declared)
            self.assert_stored(data, answer)
            self.check_log(path, threads)

    def check_log(self, path: str, threads: int) -> None:
        struck = self.puts(path)
        self.assertEqual([401, 201], [each.status for each in struck[:2]])
        if threads == 1:
            self.assertEqual(2, len(struck))
        tokens = [each.headers['x-auth-token'] for each in self.puts()]
        self.assertEqual(2, len(set(tokens)))
        # One at the beginning, one for what was revoked; none for each of
        # the connections that find their token refused.
        asked = [
            each
            for each in self.cloud.keystone_proxy.log
            if each.method == 'POST' and each.path.endswith('/auth/tokens')
        ]
        self.assertEqual(2, len(asked))

    def test_under_the_first_segment(self) -> None:
        self.check(3 * SEGMENT, '/00000001$')

    def test_under_a_later_segment(self) -> None:
        self.check(3 * SEGMENT + 5, '/00000003$')

    def test_under_several_segments(self) -> None:
        self.check(6 * SEGMENT, '/00000003$', threads=4)

    def test_under_the_manifest(self) -> None:
        self.check(3 * SEGMENT, '/[0-9a-f]{8}-[-0-9a-f]{27}$')

    def test_under_a_plain_object(self) -> None:
        self.check(SEGMENT - 1, '/[0-9a-f]{8}-[-0-9a-f]{27}$')
