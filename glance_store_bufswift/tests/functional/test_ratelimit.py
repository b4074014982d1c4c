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

"""A site that limits rates: as fast as it lets us, without a failure."""

import functools
import io

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support import streams

SEGMENTS = 16

#: What the site takes in a second.
RATE = 4


@functools.cache
def _limited() -> clouds.Cloud:
    return clouds.Cloud.attach().variant(writes_a_second=RATE)


@base.swift_only('has no such middleware')
class TestRateLimit(base.TestCase):
    options = {
        'swift_buffered_threads': 8,
        # What a site answers 498 to may take some time to come
        # through; with the tests' own backoff none would be waited.
        'swift_buffered_max_backoff': 1,
    }

    def attach(self) -> clouds.Cloud:
        return _limited()

    def refused(self) -> int:
        """How many requests have Swift refused so far."""
        return sum(each.status == 498 for each in self.proxy.log)

    def test_add_and_delete(self) -> None:
        """Of the requests at most one in two is sent in vain.

        All threads at a time, each with a backoff of its own, got 22 and 20
        refusals here.
        """
        data = streams.image(SEGMENTS * base.SEGMENT)
        stores = self.stores()
        answer = stores.add(self.image, io.BytesIO(data))
        self.assert_stored(data, answer, SEGMENTS)
        up = self.refused()
        stores.delete(answer[0])
        self.assert_nothing_left()
        self.assertLess(up, SEGMENTS)
        self.assertLess(self.refused() - up, SEGMENTS)
