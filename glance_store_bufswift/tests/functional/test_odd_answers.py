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

"""What gateways and proxies make of Swift's answers to an upload, a delete."""

import hashlib
import re

from glance_store import exceptions
import testscenarios

from glance_store_bufswift.tests.functional import deletes
from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import fresh
from glance_store_bufswift.tests.support import streams

load_tests = testscenarios.load_tests_apply_scenarios

BACKEND = exceptions.BackendException
CONTAINER = '/images-[0-9a-f]{32}$'

#: Each kind of object that an upload stores.
TARGETS = [
    ('plain', {'target': matrix.PLAIN}),
    ('segment', {'target': matrix.MIDDLE}),
]

#: A byte that is no UTF-8, as a header's value.
ODD = faults.Rewrite(headers={'X-Odd': 'caf\xe9'})


class Case(matrix.Case):
    """Tests of several uploads, each with faults of its own."""

    def anew(self) -> None:
        """Forget the upload before."""
        self.proxy.clear()
        self.verifier = streams.Verifier()


class TestEtag(Case):
    scenarios = TARGETS

    target: matrix.Target

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fresh.Notices())

    def md5(self) -> str:
        """Of the bytes that the target is to have."""
        data = streams.image(self.target.image)
        first = 0 if self.target is matrix.PLAIN else matrix.SEGMENT
        return hashlib.md5(
            data[first:][: self.target.length], usedforsecurity=False
        ).hexdigest()

    def assert_asked_once(self) -> None:
        """The target was sent once, and its ETag asked for once."""
        self.assertEqual(1, len(self.puts(self.target.path)))
        if self.target is matrix.PLAIN:
            return  # what has the image's name is also looked for
        self.assertEqual(
            1,
            len(
                [
                    each
                    for each in self.proxy.log
                    if each.method == 'HEAD'
                    and re.search(self.target.path, each.path)
                ]
            ),
        )

    def test_in_other_forms(self) -> None:
        for form in ('W/"{}"', '"{}"'):
            for etag in (self.md5(), self.md5().upper()):
                self.anew()
                self.inject(
                    faults.Rewrite(headers={'etag': form.format(etag)}),
                    self.target,
                )
                self.recovers(self.target.image)
                self.assertEqual(1, len(self.puts(self.target.path)))

    def test_removed(self) -> None:
        """From the answer to the PUT alone."""
        self.inject(
            faults.Rewrite(headers={'etag': None}), self.target, times=None
        )
        self.recovers(self.target.image)
        self.assert_asked_once()

    def test_removed_from_all(self) -> None:
        for method in ('PUT', 'HEAD'):
            self.inject(
                faults.Rewrite(headers={'etag': None}),
                self.target,
                times=None,
                method=method,
            )
        self.fails(
            BACKEND,
            'tried once: 201 ',
            'A proxy in front of it removes the ETag',
            size=self.target.image,
        )
        self.assert_asked_once()


class TestRefused(Case):
    scenarios = TARGETS

    target: matrix.Target

    def test_too_large(self) -> None:
        """As Ceph RGW answers, for whom that is a 400."""
        for body in (
            b'EntityTooLarge',
            b'{"Code":"EntityTooLarge"}',
            b'<Error><Code>EntityTooLarge</Code></Error>',
        ):
            self.anew()
            self.inject(faults.Status(code=400, body=body), self.target)
            self.fails(
                exceptions.StorageFull,
                'tried once: 400 Bad Request '
                r'\(EntityTooLarge\)',
                size=self.target.image,
            )

    def test_redirect(self) -> None:
        for code in (301, 302, 307, 308):
            self.anew()
            # To itself: whoever follows is seen.
            self.inject(
                faults.Status(
                    code=code,
                    headers={
                        'Location': f'{self.proxy.url}/v1/elsewhere?key=secret'
                    },
                ),
                self.target,
                times=None,
            )
            caught = self.fails(
                BACKEND,
                f'tried once: {code} ',
                rf'\(to {self.proxy.url}/v1/elsewhere; that is not followed',
                size=self.target.image,
            )
            self.assertNotIn('secret', str(caught))
            self.assertEqual(
                [],
                [each for each in self.proxy.log if 'elsewhere' in each.path],
            )


class TestAround(Case):
    """Requests around those for the bytes."""

    def test_races_for_a_new_project(self) -> None:
        race = matrix.status(409)
        rules = [
            self.inject(race, CONTAINER, method='HEAD'),
            self.inject(race, CONTAINER),
        ]
        self.recovers()
        self.assertEqual([1, 1], [rule.applied for rule in rules])

    def test_races_without_an_end(self) -> None:
        self.inject(matrix.status(409), CONTAINER, None, 'HEAD')
        self.fails(
            BACKEND, f'HEAD of {self.container} failed, tried 3 times: 409'
        )

    def test_container_that_a_proxy_does_not_know_yet(self) -> None:
        """The container is the driver's own making in each of these."""
        for target in (matrix.PLAIN, matrix.FIRST, matrix.MANIFEST):
            self.container = self.new_container()
            self.anew()
            rule = self.inject(matrix.status(404), target)
            self.recovers(target.image)
            self.assertEqual(1, rule.applied)

    def test_container_that_is_gone(self) -> None:
        """One that was there before: nobody is to wait for it."""
        self.cloud.connection().put_container(self.container)
        for target in (matrix.PLAIN, matrix.FIRST, matrix.MANIFEST):
            self.anew()
            self.inject(matrix.status(404), target, None)
            self.fails(BACKEND, 'tried once: 404', size=target.image)

    def test_header_that_is_no_utf_8(self) -> None:
        rules = [
            self.inject(ODD, CONTAINER, method='HEAD'),
            self.inject(ODD, CONTAINER),
            self.inject(ODD, matrix.MIDDLE),
            self.inject(ODD, matrix.MANIFEST),
            self.inject(ODD, matrix.MANIFEST, method='HEAD'),
        ]
        self.recovers()
        self.assertEqual([1] * 5, [rule.applied for rule in rules])

    def test_header_that_is_no_utf_8_each_time(self) -> None:
        """Never a ValueError, which Glance takes for a bad image."""
        for target in (matrix.PLAIN, matrix.MIDDLE, matrix.MANIFEST):
            self.anew()
            self.inject(ODD, target, None)
            self.fails(
                BACKEND,
                'tried 3 times: swiftclient failed with UnicodeDecodeError',
                size=target.image,
            )


class TestDelete(deletes.Case):
    def test_gone(self) -> None:
        """410 in place of 404."""
        for path in (deletes.SECOND, f'{self.image}$'):
            self.upload()
            self.inject(faults.Rewrite(410), 'DELETE', path)
            self.deletes()

    def test_header_that_is_no_utf_8(self) -> None:
        self.upload()
        for method, path in (
            ('HEAD', self.image),
            ('GET', deletes.LISTING),
            ('DELETE', deletes.SECOND),
            ('DELETE', f'{self.image}$'),
        ):
            self.inject(ODD, method, path)
        self.deletes()

    def test_listing_that_is_none(self) -> None:
        for body in (b'<html>', b'null', b'[{"bytes": 1}]'):
            self.upload()
            page = faults.Status(
                code=200,
                body=body,
                headers={'Content-Type': 'application/json'},
            )
            self.inject(page, 'GET', deletes.LISTING, None)
            self.keeps(BACKEND, 'listing of', 'tried 3 times')


class TestDeleteStatic(deletes.StaticCase):
    """An SLO of which nobody tells what it is made of, as with Ceph RGW."""

    def told(self, body: bytes, times: int | None = None) -> None:
        self.inject(
            faults.Status(code=200, body=body),
            'GET',
            'multipart-manifest=get',
            times,
        )

    def test_no_manifest(self) -> None:
        for body in (b'', b'null', b'<html>'):
            self.upload_slo()
            self.told(body)
            self.deletes()
            self.assertEqual(
                1 if body == b'' else 3,
                len(self.requests('GET', 'multipart-manifest=get')),
            )

    def test_segment_stays(self) -> None:
        """Swift reports it, and the user is told."""
        self.upload_slo()
        self.told(b'')
        self.inject(
            faults.Status(
                code=200,
                body=(
                    b'{"Response Status": "400 Bad Request", "Errors": '
                    b'[["/c/a", "403 Forbidden"]]}'
                ),
            ),
            'DELETE',
            'multipart-manifest',
        )
        self.keeps(BACKEND, 'c/a (403 Forbidden)')
