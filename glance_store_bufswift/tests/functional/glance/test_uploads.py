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

"""Uploads through Glance that survive, and many at once."""

from collections.abc import Iterator
import contextlib
import http.client

from glance_store_bufswift.tests.functional.glance import base
from glance_store_bufswift.tests.functional.glance import raw
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import glance
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support import leaks


class TestFaults(base.TestCase):
    """A fault for each segment."""

    def check(self, chunked: bool) -> None:
        half = base.SEGMENT // 2
        rules = [
            self.proxy.add(rule)
            for rule in (
                faults.Rule(faults.Reset(half), 'PUT', '/0+1$'),
                faults.Rule(faults.Status(half, 503), 'PUT', '/0+2$'),
                faults.Rule(
                    faults.Hook(
                        lambda exchange: self.cloud.revoke(
                            exchange.headers['x-auth-token']
                        )
                    ),
                    'PUT',
                    '/0+3$',
                ),
            )
        ]
        answer = self.upload(iter([base.IMAGE]) if chunked else base.IMAGE)
        self.assertEqual(204, answer.status_code, answer.text)
        self.assertEqual([1, 1, 1], [rule.applied for rule in rules])
        self.assertIn(401, [each.status for each in self.puts()])
        self.assert_active(base.IMAGE, segments=3)

    def test_with_length(self) -> None:
        self.check(chunked=False)

    def test_in_chunks(self) -> None:
        self.check(chunked=True)


class TestWorkers(base.TestCase):
    """More uploads at once than one worker process has threads for."""

    def test_both_processes(self) -> None:
        images = [self.create() for _ in range(glance.THREADS + 1)]
        for image in images:
            self.addCleanup(self.api().delete, f'/images/{image}')
        with contextlib.ExitStack() as stack:
            clients = [
                stack.enter_context(self.begun(image)) for image in images
            ]
            self.proxy.wait_for(
                lambda log: all(
                    self.is_sending(image, log) for image in images
                )
            )
            for pid in self.glance.workers:
                self.assertNotEqual([], leaks.files(self.buffers, pid))
            for client in clients:
                raw.chunk(client, base.IMAGE[-1:])
                raw.end(client)
            for client in clients:
                self.assertEqual(204, client.getresponse().status)
        for self.image in images:
            self.assert_active(base.IMAGE, segments=3)

    @contextlib.contextmanager
    def begun(self, image: str) -> Iterator[http.client.HTTPConnection]:
        """An upload that comes past its first segment, and stays there."""
        with raw.begun(
            self.glance.port, image, self.token(), Transfer_Encoding='chunked'
        ) as client:
            raw.chunk(client, base.IMAGE[:-1])
            yield client

    @staticmethod
    def is_sending(image: str, log: journal.Log) -> bool:
        """Whether a PUT past the image's first segment is on its way."""
        return any(
            image in each.path
            and each.path.endswith(('/00000002', '/00000003'))
            and not each.finished
            for each in log
        )
