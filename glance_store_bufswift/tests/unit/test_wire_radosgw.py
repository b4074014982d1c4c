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

"""Uploads to Ceph RGW, through swiftclient."""

import io
import logging

import fixtures

from glance_store_bufswift import deletes
from glance_store_bufswift import digests
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift import opts
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import pool
from glance_store_bufswift.swift import retry
from glance_store_bufswift.tests.support import logs
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import radosgw
from glance_store_bufswift.tests.unit import wires
from glance_store_bufswift import upload

SEGMENT = 300_000
DATA = streams.image(3 * SEGMENT + 5)


class _TestCase(wires.WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.gateway = self.useFixture(radosgw.Radosgw())
        self.records = self.useFixture(logs.Records())
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.cleanup.SETTLE_SECONDS', 0.1
            )
        )

    def to_gateway(self, retries: int = 3) -> accounts.Account:
        """An account there."""
        made = accounts.Account(
            client.Client(
                pool.Endpoint(
                    self.gateway.url, login=self.session, timeout=20
                ),
                retry.Policy(retries, 0, self.waits),
            )
        )
        self.addCleanup(made.close)
        return made

    def upload(
        self, retries: int = 3, timeout: float = 15, known: bool = True
    ) -> None:
        """Upload in segments, one after the other."""
        settings = opts.Settings(
            directory=self.useFixture(fixtures.TempDir()).path,
            disk_quota=0,
            min_free_percent=0,
            threads=1,
            retries=retries,
            max_backoff=0,
            timeout=20,
            confirm_timeout=timeout,
            segment_size=SEGMENT,
            plain_limit=SEGMENT,
        )
        upload.Upload(
            self.to_gateway(retries),
            layout.Layout('c', 'image'),
            settings,
            io.BytesIO(DATA),
            len(DATA) if known else 0,
            digests.Digests('sha512'),
        ).run()

    def assert_whole(self) -> None:
        """The image's segments are what was uploaded."""
        self.assertEqual(
            radosgw.md5(DATA),
            radosgw.md5(
                b''.join(
                    each.data
                    for name, each in sorted(self.gateway.objects.items())
                    if '/' in name
                )
            ),
        )


class TestUpload(_TestCase):
    def test_manifest_has_no_etag(self) -> None:
        self.gateway.older = True
        self.upload()
        self.assert_whole()
        self.assertEqual([], self.records.of(logging.WARNING))

    def test_image_reads_back_without_its_etag(self) -> None:
        """Without one, with the manifest's own, or in capitals."""
        for etag in (None, radosgw.md5(b''), f'"{radosgw.md5(b"")}"', '{}'):
            self.gateway.etag = etag
            self.upload(timeout=3600)
            self.assertEqual([], self.records.of(logging.WARNING))

    def test_broken_put_is_sent_again(self) -> None:
        """Whether nothing is left of it, or what came is an object."""
        for older in (False, True):
            self.gateway.older = older
            self.gateway.breaks = [1000, 250_000]
            self.upload()
            self.assert_whole()
            self.gateway.objects.clear()

    def test_what_broken_puts_have_left_goes(self) -> None:
        self.gateway.older = True
        self.gateway.breaks = [1000] * 3
        self.assertRaises(errors.RequestFailed, self.upload, retries=2)
        self.assertEqual([], [*self.gateway.objects])

    def too_large(self, known: bool) -> None:
        """Upload segments one byte too large: no further try helps."""
        self.gateway.largest = SEGMENT - 1
        exc = self.assertRaises(errors.RequestFailed, self.upload, known=known)
        self.assertEqual(413, exc.status)
        self.assertIn('00000001 failed, tried once: 400', str(exc))
        self.assertEqual([], [*self.gateway.objects])

    def test_too_large(self) -> None:
        """Refused before its body."""
        self.too_large(known=True)

    def test_too_large_of_unknown_length(self) -> None:
        """Refused when the body has come."""
        self.too_large(known=False)


class TestTokens(_TestCase):
    """A token that Keystone knows no more."""

    def test_new_token(self) -> None:
        for older in (False, True):
            self.gateway.older = older
            self.session.number = 1
            self.gateway.tokens = {'token-2'}
            self.upload()
            self.assert_whole()
            self.gateway.objects.clear()

    def test_no_token_helps(self) -> None:
        self.gateway.tokens = set()
        account = self.to_gateway()
        exc = self.assertRaises(
            errors.RequestFailed,
            account.objects.put,
            'c',
            'o',
            self.segment(b'body'),
            4,
        )
        self.assertEqual(401, exc.status)
        self.assertIn('tried 4 times: 401', str(exc))

    def test_one_more_try(self) -> None:
        """A 403 may mean the access."""
        self.gateway.older = True
        self.gateway.tokens = set()
        account = self.to_gateway()
        exc = self.assertRaises(
            errors.RequestFailed,
            account.objects.put,
            'c',
            'o',
            self.segment(b'body'),
            4,
        )
        self.assertEqual(403, exc.status)
        self.assertIn('tried 2 times: 403', str(exc))
        self.assertEqual(2, self.session.number)

    def test_no_more_try_without_a_session(self) -> None:
        self.gateway.older = True
        account = accounts.Account(
            client.Client(
                pool.Endpoint(self.gateway.url, token='old'),
                retry.Policy(3, 0, self.waits),
            )
        )
        self.addCleanup(account.close)
        exc = self.assertRaises(
            errors.RequestFailed, account.objects.head, 'c', 'o'
        )
        self.assertIn('tried once: 403', str(exc))


class TestDelete(_TestCase):
    def test_with_bulk_delete_and_without(self) -> None:
        for bulk in (True, False):
            self.gateway.bulk = bulk
            self.upload()
            names = [*self.gateway.objects, 'gone']
            self.assertEqual(
                [],
                deletes.delete_and_log(self.to_gateway().objects, 'c', names),
            )
            self.assertEqual({}, self.gateway.objects)

    def test_more_than_a_bulk_delete_takes(self) -> None:
        """What it leaves out is noticed, though it says 200 OK."""
        account = self.to_gateway()
        names = [f'image/x/{number:08d}' for number in range(1025)]
        for name in names:
            self.gateway.objects[name] = radosgw.Object(b'', {})
        self.assertEqual([], account.objects.delete_bulk('c', names[:1024]))
        self.assertEqual(names[1024:], [*self.gateway.objects])
        exc = self.assertRaises(
            errors.RequestFailed, account.objects.delete_bulk, 'c', names
        )
        self.assertIn('1024 of 1025 objects deleted', str(exc))

    def test_what_is_not_there(self) -> None:
        account = self.to_gateway()
        account.objects.delete('c', 'o')
        self.assertIsNone(account.objects.head('c', 'o'))
        self.assertEqual(
            [], list(account.containers.object_names('c', 'image/'))
        )
