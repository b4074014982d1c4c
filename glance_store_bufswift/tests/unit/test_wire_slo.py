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

"""What Swift and gateways answer about Static Large Objects."""

import json

import fixtures

from glance_store_bufswift import errors
from glance_store_bufswift import removal
from glance_store_bufswift.tests.unit import refusals
from glance_store_bufswift.tests.unit import sockets


HEAD = sockets.answer(200, X_Static_Large_Object='True')
GONE = sockets.answer(404)


class TestSegments(refusals.Case):
    """What an SLO is made of."""

    def segments(
        self, *actions: sockets.Action, retries: int = 1
    ) -> list[tuple[str, str]]:
        return self.to(*actions, retries=retries).slos.segments('c', 'o')

    def test_told(self) -> None:
        self.assertEqual(
            [('c', 'a')],
            self.segments(sockets.give(b'[{"name": "/c/a", "bytes": 1}]')),
        )
        self.assertIn('multipart-manifest=get', self.server.requests[0].path)
        self.assertEqual([], self.segments(sockets.answer(404)))

    def test_nothing(self) -> None:
        """Ceph RGW: 200, and no body. One try is enough."""
        exc = self.assertRaises(
            errors.NoList, self.segments, sockets.answer(200), retries=5
        )
        self.assertIn('tried once: the manifest of the SLO is empty', str(exc))

    def test_page_of_a_proxy(self) -> None:
        page = sockets.give(b'<html>')
        self.assertEqual(
            [('c', 'a')],
            self.segments(page, sockets.give(b'[{"name": "/c/a"}]')),
        )
        self.assertRaises(errors.NoList, self.segments, page, page)

    def test_refused(self) -> None:
        exc = self.assertRaises(
            errors.RequestFailed, self.segments, sockets.answer(403)
        )
        self.assertNotIsInstance(exc, errors.NoList)

    def test_whole_image(self) -> None:
        """Of what does not know the request; it is not read to its end."""

        def act(request: sockets.Request) -> None:
            request.send(200, {'Content-Length': str(1 << 40)}, b'x' * 1000)
            request.wait_for_hang_up()

        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.swift.listings.MAX_MANIFEST', 100
            )
        )
        self.assertRaises(errors.NoList, self.segments, act)


class TestDelete(refusals.Case):
    """It goes also where nobody tells what it is made of: on Ceph RGW."""

    def told(
        self, *errors: list[str], status: str = '200 OK', deleted: int = 3
    ) -> sockets.Action:
        """What RGW 16.2 answers to multipart-manifest=delete."""
        return sockets.give(
            json.dumps(
                {
                    'Number Deleted': deleted,
                    'Number Not Found': 0,
                    'Response Body': '',
                    'Response Status': status,
                    'Errors': errors,
                }
            ).encode()
        )

    def remove(self, *actions: sockets.Action) -> list[tuple[str, str]]:
        """Delete the image; what was asked for."""
        removal.remove(self.to(*actions, retries=1), 'c', 'o')
        self.assertEqual([], self.server.actions)
        return [
            (each.method, each.path.rpartition('/')[2])
            for each in self.server.requests
        ]

    def test_manifest_is_not_told(self) -> None:
        self.assertEqual(
            [
                ('HEAD', 'o'),
                ('GET', 'o?multipart-manifest=get'),
                ('HEAD', 'o'),
                ('DELETE', 'o?multipart-manifest=delete'),
                ('HEAD', 'o'),
            ],
            self.remove(HEAD, sockets.answer(200), HEAD, self.told(), GONE),
        )

    def test_manifest_is_a_page(self) -> None:
        page = sockets.give(b'<html>')
        self.remove(HEAD, page, page, HEAD, self.told(), GONE)

    def test_manifest_can_not_be_had(self) -> None:
        """Then it stays, with all that it has."""
        for status in (403, 503):
            refused_ = sockets.answer(status)
            tries = 1 if status == 403 else 2
            exc = self.failed(
                removal.remove,
                self.to(HEAD, *[refused_] * tries, retries=1),
                'c',
                'o',
            )
            self.assertEqual(status, exc.status)

    def test_answer_was_lost(self) -> None:
        """Asked again, RGW has an error for what it has deleted."""
        again = self.told(
            ['c/o', '400 Bad Request'], deleted=0, status='400 Bad Request'
        )
        self.remove(
            HEAD,
            sockets.answer(200),
            HEAD,
            sockets.say(b''),
            again,
            GONE,
            GONE,
        )
        exc = self.failed(
            removal.remove,
            self.to(HEAD, sockets.answer(200), HEAD, again, HEAD),
            'c',
            'o',
        )
        self.assertIn('c/o (400 Bad Request)', str(exc))

    def test_segment_is_left(self) -> None:
        """Swift deletes the manifest all the same; the caller is told."""
        exc = self.failed(
            removal.remove,
            self.to(
                HEAD,
                sockets.answer(200),
                HEAD,
                self.told(
                    ['/c/part', '403 Forbidden'], status='400 Bad Request'
                ),
            ),
            'c',
            'o',
        )
        self.assertIn('c/part (403 Forbidden)', str(exc))
