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

"""Several requests of an upload break, and all are recovered.

One at a time is in test_faults_recover.py and test_faults_token.py.
"""

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
    shares_tokens = True

    def tries(self) -> dict[str, int]:
        """How often each object was sent, by the end of its name."""
        names = [each.path.rpartition('/')[2] for each in self.puts()]
        return {name: names.count(name) for name in names}

    def test_all(self) -> None:
        """Each is sent once more, and the manifest once."""
        data = streams.image(SIZE)
        made = self.stores()
        for fault in FAULTS:
            for declared in (0, SIZE):
                self.proxy.clear()
                self.proxy.add(faults.Rule(fault, 'PUT', r'/\d{8}$', times=5))
                answer = made.add(
                    self.image, streams.Stream(data, most=70_000), declared
                )
                self.assert_stored(data, answer, 5)
                self.assertIn(
                    ' 5 retries, ', self.records.of(logging.INFO)[-1]
                )
                self.assertEqual(1, self.tries()[self.image])

    def test_several_times(self) -> None:
        data = streams.image(SIZE)
        for _ in range(2):
            for fault in FAULTS:
                self.proxy.add(faults.Rule(fault, 'PUT', '/00000002$'))
        answer = self.stores().add(self.image, streams.Stream(data), 0)
        self.assert_stored(data, answer, 5)
        self.assertEqual(5, self.tries()['00000002'])


class TestTokens(base.TestCase):
    """A token that is revoked under an upload is replaced."""

    def revoke(self, exchange: journal.Exchange) -> None:
        self.cloud.revoke(exchange.headers['x-auth-token'])

    def test_several_segments(self) -> None:
        """One token at the beginning, one for what was revoked.

        None for each of the connections that find their token refused.
        """
        data = streams.image(6 * SEGMENT)
        made = self.stores()
        for declared in (0, len(data)):
            self.cloud.clear()
            self.proxy.add(
                faults.Rule(faults.Hook(self.revoke), 'PUT', '/00000003$')
            )
            answer = made.add(self.image, streams.Stream(data), declared)
            self.assert_stored(data, answer)
            self.assertEqual(
                [401, 201], [each.status for each in self.puts('/00000003$')]
            )
            tokens = {each.headers['x-auth-token'] for each in self.puts()}
            self.assertEqual(2, len(tokens))
            self.assertEqual(2, self.tokens_asked_for())
