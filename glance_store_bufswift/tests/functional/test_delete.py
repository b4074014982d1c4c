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

"""Deleting images: all of them is gone, or its manifest stays."""

import json
import logging
from typing import Any
import uuid

from glance_store import exceptions

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import deletes
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

LISTING = deletes.LISTING
SECOND = deletes.SECOND
BACKEND = exceptions.BackendException


class TestDelete(deletes.Case):
    def test_ours(self) -> None:
        for segments in (0.1, 1, 3, 5):
            self.upload(segments)
            self.deletes()

    def test_stocks(self) -> None:
        self.upload(3, deletes.STOCK)
        self.deletes()

    def test_no_such_image(self) -> None:
        self.upload()
        self.delete()
        self.assertRaises(exceptions.NotFound, self.delete)

    def test_no_such_container(self) -> None:
        self.upload()
        self.cloud.delete_container(self.container)
        self.assertRaises(exceptions.NotFound, self.delete)

    def test_a_segment_is_gone_already(self) -> None:
        self.upload()
        self.cloud.connection().delete_object(
            self.container, self.listing(f'{self.image}/')[1]
        )
        self.deletes()

    def test_another_image_stays(self) -> None:
        self.upload()
        names = self.listing()
        self.image = str(uuid.uuid4())
        self.upload()
        self.delete()
        self.assertEqual(names, self.listing())

    def test_name_to_be_quoted(self) -> None:
        name = f'{self.container} \u00e4 50%25'
        self.addCleanup(self.cloud.release_container, name)
        self.container = name
        for segments in (1, 3):
            self.upload(segments)
            self.assertIn(self.image, self.listing())
            self.deletes()

    def test_connection_fails(self) -> None:
        self.upload()
        for fault in (
            faults.Status(code=503),
            faults.Reset(),
            faults.Status(code=429),
        ):
            for method, path in (
                ('HEAD', self.image),
                ('GET', LISTING),
                ('DELETE', SECOND),
                ('DELETE', f'{self.image}$'),
            ):
                self.inject(fault, method, path)
        self.made = self.stores(fast={'swift_buffered_retries': 9})
        self.deletes()

    def test_answers_are_lost(self) -> None:
        """What is tried again is gone by then."""
        self.upload()
        self.inject(faults.LostAnswer(), 'DELETE', SECOND)
        self.inject(faults.LostAnswer(), 'DELETE', f'{self.image}$')
        self.deletes()


class TestKept(deletes.Case):
    """What can't be deleted now can be later."""

    def test_segment(self) -> None:
        self.upload()
        self.inject(faults.Status(code=503), 'DELETE', SECOND, None)
        self.keeps(BACKEND, '1 of 3 segments', '503', '00000002')

    def test_not_allowed(self) -> None:
        self.upload()
        self.inject(faults.Status(code=403), 'DELETE', SECOND, None)
        self.keeps(exceptions.Forbidden, '403')

    def test_listing(self) -> None:
        self.upload()
        self.inject(faults.Status(code=503), 'GET', LISTING, None)
        self.keeps(BACKEND, '503')
        self.upload()
        self.inject(faults.Status(code=503), 'GET', LISTING, None)
        self.assertRaises(BACKEND, self.delete)
        self.assertEqual(4, len(self.listing()))

    def test_manifest(self) -> None:
        self.upload()
        self.inject(faults.Status(code=500), 'DELETE', f'{self.image}$', None)
        self.keeps(BACKEND, '500')

    def test_head(self) -> None:
        self.upload()
        self.inject(faults.Status(code=401), 'HEAD', self.image, None)
        self.keeps(BACKEND, '401')

    def test_timeout(self) -> None:
        self.upload(swift_buffered_timeout=1, swift_buffered_retries=0)
        self.inject(faults.Stall(), 'DELETE', SECOND, None)
        error = getattr(exceptions, 'TimeoutError', BACKEND)
        caught = self.assertRaises(error, self.delete)
        self.assertIs(error, type(caught))
        self.assertIn(self.image, self.listing())


class TestListing(deletes.Case):
    """The listing is not believed alone."""

    def empty(self) -> faults.Status:
        return faults.Status(
            code=200, body=b'[]', headers={'Content-Type': 'application/json'}
        )

    def test_shows_nothing(self) -> None:
        self.upload()
        self.inject(self.empty(), 'GET', LISTING, None)
        self.deletes()

    def test_shows_less(self) -> None:
        self.upload()
        first = self.listing(f'{self.image}/')[:1]
        shown = json.dumps([{'name': name} for name in first]).encode()
        self.inject(
            faults.Status(
                code=200,
                body=shown,
                headers={'Content-Type': 'application/json'},
            ),
            'GET',
            LISTING,
        )
        self.inject(self.empty(), 'GET', LISTING, None)
        self.deletes()

    def test_shows_more_later(self) -> None:
        """Only the second look finds what the stock driver wrote."""
        self.upload(3, deletes.STOCK)
        self.inject(self.empty(), 'GET', LISTING)
        self.deletes()

    def test_shows_what_is_gone(self) -> None:
        self.upload()
        shown = json.dumps(
            [{'name': name} for name in self.listing(f'{self.image}/')]
        ).encode()
        ghosts = faults.Status(
            code=200, body=shown, headers={'Content-Type': 'application/json'}
        )
        # What is behind a marker is told truly: the listing ends.
        self.inject(ghosts, 'GET', r'\?format=json&prefix=', None)
        self.deletes()

    def test_stays_within_bounds(self) -> None:
        self.upload()
        self.deletes()
        self.assertLessEqual(len(self.proxy.log), 16)


class TestForeign(deletes.Case):
    """Nothing is deleted that may be another image's."""

    def check(self, value: str) -> None:
        self.cloud.connection().put_object(
            self.container,
            self.image,
            '',
            headers={
                'X-Object-Manifest': value,
                'X-Object-Meta-Bufswift-Attempt': 'x',
                'X-Object-Meta-Bufswift-Segments': '3',
            },
        )
        self.records.clear()
        self.delete()
        self.assertEqual(self.others, self.listing())
        [warning] = self.records.of(logging.WARNING)
        self.assertIn(value, warning)

    def test_prefixes(self) -> None:
        self.upload()
        self.others = self.listing()
        other, self.image = self.image, str(uuid.uuid4())
        self.uri = self.uri.replace(other, self.image)
        for prefix in (
            f'{other}/',
            f'{other}-',
            other,
            other[:5],
            self.image[:8],
            '0',
        ):
            self.check(f'{self.container}/{prefix}')

    def test_id_that_begins_another(self) -> None:
        self.image = 'image-1'
        self.upload()
        self.others = self.listing()
        self.uri = self.uri[:-2]
        self.image = 'image'
        self.check(f'{self.container}/image-1/')


class TestStatic(deletes.StaticCase):
    def test_deleted(self) -> None:
        self.upload_slo()
        self.deletes()

    @base.swift_only('does not tell what an SLO is made of')
    def test_segment_can_not_be_deleted(self) -> None:
        self.upload_slo()
        self.inject(faults.Status(code=503), 'DELETE', SECOND, None)
        self.keeps(BACKEND, '503')

    @base.swift_only('leaves what an SLO within an SLO is made of')
    def test_in_another(self) -> None:
        connection = self.cloud.connection()
        connection.put_container(self.container)
        connection.put_object(self.container, 'part', b'abc')
        self.put_slo('inner', [{'path': f'/{self.container}/part'}])
        self.upload_slo({'path': f'/{self.container}/inner'})
        self.deletes()

    def test_swift_reports_an_error(self) -> None:
        self.upload_slo()
        self.inject(
            faults.Status(
                code=200,
                body=json.dumps(
                    {
                        'Response Status': '400 Bad Request',
                        'Errors': [
                            [f'/{self.container}/a%20b', '403 Forbidden']
                        ],
                    }
                ).encode(),
            ),
            'DELETE',
            'multipart-manifest=delete',
        )
        self.keeps(BACKEND, 'a b (403 Forbidden)')

    def test_answer_says_nothing(self) -> None:
        self.upload_slo()
        self.inject(faults.Status(code=200), 'DELETE', 'multipart-manifest')
        self.deletes()  # as it was asked again


class TestVersions(deletes.Case):
    def contain(self, **headers: str) -> str:
        """A container that keeps versions, in another one."""
        versions = self.new_container()
        connection = self.cloud.connection()
        connection.put_container(versions)
        connection.put_container(
            self.container,
            {
                name.replace('_', '-'): headers[name].format(versions)
                for name in headers
            },
        )
        self.records.clear()
        return versions

    def warnings(self) -> str:
        return '\n'.join(self.records.of(logging.WARNING))

    def test_former_versions_come_back(self) -> None:
        """Each DELETE restores what was there before."""
        versions = self.contain(X_Versions_Location='{}')
        self.upload()
        self.assertIn('x-versions-location', self.warnings())
        connection = self.cloud.connection()
        for name in self.listing(f'{self.image}/')[:2] * 2:
            connection.put_object(self.container, name, b'again')
        self.assertEqual(4, len(self.cloud.listing(versions)))
        self.deletes()
        self.assertEqual([], self.cloud.listing(versions))

    def test_former_manifest_comes_back(self) -> None:
        versions = self.contain(X_Versions_Location='{}')
        self.upload(2)
        self.upload(3)
        self.deletes()
        self.assertEqual([], self.cloud.listing(versions))

    def test_too_many_versions(self) -> None:
        self.contain(X_Versions_Location='{}')
        self.upload()
        name = self.listing(f'{self.image}/')[0]
        for _ in range(9):
            self.cloud.connection().put_object(self.container, name, b'again')
        caught = self.assertRaises(BACKEND, self.delete)
        self.assertIn('versions', str(caught))
        self.assertIn(self.image, self.listing())
        self.deletes()

    @base.swift_only('has no X-Versions-Enabled')
    def test_kept_for_ever(self) -> None:
        self.contain(X_Versions_Enabled='true')
        self.addCleanup(self.forget_versions)
        self.upload()
        self.assertIn('x-versions-enabled', self.warnings())
        self.deletes()
        self.assertIn('X-Versions-Enabled', self.warnings())
        self.assertEqual(8, len(self.versions()))

    def versions(self) -> list[dict[str, Any]]:
        """All that the container keeps."""
        found: list[dict[str, Any]] = self.cloud.connection().get_container(
            self.container, query_string='versions'
        )[1]
        return found

    def forget_versions(self) -> None:
        for each in self.versions():
            self.cloud.connection().delete_object(
                self.container,
                each['name'],
                query_string=f'version-id={each["version_id"]}',
            )


class TestMeanwhile(deletes.Case):
    def test_uploaded_again(self) -> None:
        """What another upload has stored by then is not touched."""
        self.upload()
        data = streams.image(5 * deletes.SEGMENT, seed=2)
        other = self.stores()
        self.inject(
            faults.Hook(
                lambda _: other.add(self.image, streams.Stream(data), 0)
            ),
            'DELETE',
            SECOND,
        )
        self.delete()
        self.assertEqual(
            data, self.cloud.object_bytes(self.container, self.image)
        )
        self.assertEqual(6, len(self.listing()))
