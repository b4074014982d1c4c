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

"""Reading images: what its tests have in common."""

from typing import Any

from glance_store import exceptions
from glance_store import multi_backend

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import leaks
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT
IMAGE = 3 * SEGMENT + 300_000
UNAVAILABLE = exceptions.RemoteServiceUnavailable


class TestCase(base.TestCase):
    options = {'swift_buffered_retries': 2}
    shares_tokens = True
    shares_container = True

    def setUp(self) -> None:
        super().setUp()
        # Other tests' clients may wait for the garbage collector.
        self.before = self.connections()

    def upload(
        self, size: int = IMAGE, kind: str = 'swift+buffered', **options: Any
    ) -> None:
        """Have an image, and a store to read it with."""
        self.data = streams.image(size)
        declared = size if options else 0
        made = self.stores(f'fast:{kind}', fast=options)
        self.uri = made.add(self.image, streams.Stream(self.data), declared)[0]
        if kind == 'swift':
            # The stock driver leaves its connections to the collector.
            self.before = self.connections()
        self.made = self.stores()
        self.proxy.clear()

    def inject(
        self,
        fault: faults.Fault,
        times: int | None = 1,
        skip: int = 0,
        method: str = 'GET',
        segment: int = 0,
    ) -> faults.Rule:
        """Have the requests for the image meet a fault.

        :param segment: have those for one of its segments meet it instead
        """
        name = (
            f'/{self.image}(-|/.*/)0*{segment}$'
            if segment
            else (f'/{self.image}(\\?.*)?$')
        )
        return self.proxy.add(
            faults.Rule(fault, method, name, times=times, skip=skip)
        )

    def get(self, **what: Any) -> bytes:
        """What get() gives, which is as long as it tells."""
        chunks, size = multi_backend.get(self.uri, 'fast', **what)
        data = b''.join(chunks)
        self.assertEqual((size, size), (len(data), len(chunks)))
        self.assert_closed()
        return data

    def assert_read(self, data: bytes) -> None:
        """These are the bytes of the image."""
        # Not compared themselves: a diff of megabytes takes minutes.
        self.assertEqual(
            (len(self.data), streams.hashes(self.data)),
            (len(data), streams.hashes(data)),
        )

    def assert_lost(self, error: type[Exception], **what: Any) -> str:
        """The image can't be read to its end, and nothing stays open."""
        chunks, _ = multi_backend.get(self.uri, 'fast', **what)
        caught = self.assertRaises(error, b''.join, chunks)
        self.assertIs(error, type(caught))
        self.assert_closed()
        return str(caught)

    def ranges(self, segment: int = 0) -> list[str | None]:
        """What was asked for of the image, or of a segment of ours."""
        end = f'/{segment:08d}' if segment else self.image
        return [
            each.headers.get('range')
            for each in self.proxy.log
            if each.method == 'GET'
            and each.path.partition('?')[0].endswith(end)
        ]

    def connections(self) -> list[str]:
        """The connections that this process has."""
        return leaks.connections(
            self.proxy.port, self.cloud.keystone_proxy.port
        )

    def assert_closed(self) -> None:
        """No connection is open that was not before."""
        self.assertEqual(set(), set(self.connections()) - set(self.before))
