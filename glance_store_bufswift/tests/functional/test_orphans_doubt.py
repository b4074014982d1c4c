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

"""``glance-bufswift orphans`` keeps what may be in use."""

import json
from typing import Any
import uuid

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import orphans
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = orphans.SEGMENT
IN_DOUBT = orphans.IN_DOUBT


class Case(orphans.Case):
    """Tests with a whole image, and an orphan of another image."""

    def setUp(self) -> None:
        super().setUp()
        self.data = streams.image(2 * SEGMENT + 5)
        self.made = self.stores()
        self.uri = self.made.add(self.image, streams.Stream(self.data))[0]
        self.orphan = self.put_segments()
        self.file = self.config(fast={'swift_buffered_retries': 1})

    def inject(self, fault: faults.Fault, method: str, path: str) -> None:
        self.proxy.add(faults.Rule(fault, method, path, times=None))

    def assert_kept(self, why: str, others: str = 'deleted') -> None:
        """The image is kept as it is in doubt; the others are not."""
        before = self.listing(self.image)
        code, rows = self.rows(self.file, 'orphans', 'list')
        self.assertEqual(IN_DOUBT, code)
        kept = f'kept: in doubt ({why})'
        self.assertEqual({self.image: kept}, self.results(rows, self.image))
        code, rows = self.rows(self.file, 'orphans', 'delete', '--yes')
        self.assertEqual(IN_DOUBT, code)
        self.assertEqual(
            {
                self.image: kept,
                self.orphan.partition('/')[0]: kept
                if others == 'kept'
                else others,
            },
            self.results(rows),
        )
        self.assertEqual(before, self.listing(self.image))
        self.assertEqual(
            2 if others == 'kept' else 0, len(self.listing(self.orphan))
        )
        self.proxy.clear()
        self.assertEqual(self.data, self.made.get(self.uri))

    def results(
        self, rows: list[dict[str, Any]], *images: str
    ) -> dict[str, str]:
        """What became of each image, or of these."""
        return {
            row['image']: row['result']
            for row in rows
            if row['image'] in (images or (row['image'],))
        }


class TestNotFound(Case):
    """Swift answers 404 if the copies that it reaches are not there."""

    def test_an_image(self) -> None:
        self.inject(faults.Status(code=404), 'HEAD', f'/{self.image}$')
        self.assert_kept(f'{self.image} is listed, but was not found')

    def test_a_table(self) -> None:
        """The result is shown where something is in doubt."""
        self.inject(faults.Status(code=404), 'HEAD', f'/{self.image}$')
        for words, what in (
            (['list'], 'orphaned'),
            (['delete'], 'would be deleted'),
        ):
            code, out, err = self.command(self.file, 'orphans', *words)
            self.assertEqual((IN_DOUBT, ''), (code, err))
            self.assertIn(f'| {what} ', out)
            self.assertIn(
                f'| kept: in doubt ({self.image} is listed, but '
                'was not found) |',
                out,
            )
            self.assertIn(
                'Orphaned: 2 segments, 2 bytes. In doubt, and '
                'kept: 3 segments, 2,048,005 bytes.',
                out,
            )
            self.assertEqual(words == ['delete'], 'say --yes' in out)

    @base.swift_only('keeps X-Object-Manifest with a POST')
    def test_another_object(self) -> None:
        """It may have referred to anything: nothing is deleted."""
        copy = str(uuid.uuid4()) + '.copy'
        self.put(copy, b'', X_Object_Manifest=f'{self.container}/x')
        self.cloud.connection().post_object(
            self.container, self.image, {'X-Object-Meta-Was': 'a manifest'}
        )
        self.inject(faults.Status(code=404), 'HEAD', f'/{copy}$')
        before = self.listing()
        code, rows = self.rows(self.file, 'orphans', 'delete', '--yes')
        self.assertEqual(IN_DOUBT, code)
        why = f'kept: in doubt ({copy} is listed, but was not found)'
        self.assertEqual(2 * [why], [row['result'] for row in rows])
        self.assertEqual(before, self.listing())

    def test_only_while_it_is_deleted(self) -> None:
        """The first answers are what they should be."""
        prefix = self.put_segments()
        image = prefix.partition('/')[0]
        self.put(image, b'')
        self.proxy.add(
            faults.Rule(
                faults.Status(code=404),
                'HEAD',
                f'/{image}$',
                skip=2,
                times=None,
            )
        )
        code, rows = self.rows(self.file, 'orphans', 'delete', '--yes')
        self.assertEqual(IN_DOUBT, code)
        self.assertEqual(
            {
                image: f'kept: in doubt ({image} is listed, but was not '
                'found)',
                self.orphan.partition('/')[0]: 'deleted',
            },
            self.results(rows),
        )
        self.assertEqual(2, len(self.listing(prefix)))


class TestOutdated(Case):
    """A copy that missed the last upload answers, as no other is reached."""

    def test_of_an_attempt_before(self) -> None:
        self.inject(
            faults.Rewrite(
                headers={
                    'X-Timestamp': '1700000000.00000',
                    'X-Object-Manifest': (
                        f'{self.container}/{self.image}/before/'
                    ),
                }
            ),
            'HEAD',
            f'/{self.image}$',
        )
        self.assert_kept(
            f'{self.image} is listed as newer than what was found'
        )

    def test_of_a_plain_object_before(self) -> None:
        self.inject(
            faults.Rewrite(
                headers={
                    'X-Timestamp': '1700000000.00000',
                    'X-Object-Manifest': None,
                }
            ),
            'HEAD',
            f'/{self.image}$',
        )
        self.assert_kept(
            f'{self.image} is listed as newer than what was found'
        )


class TestStatic(Case):
    """SLOs."""

    def setUp(self) -> None:
        super().setUp()
        self.segments = self.listing(f'{self.image}/')
        self.cloud.connection().put_object(
            self.container,
            self.image,
            json.dumps(
                [
                    {'path': f'/{self.container}/{name}'}
                    for name in self.segments
                ]
            ),
            query_string='multipart-manifest=put',
        )

    def test_segments_that_can_not_be_read(self) -> None:
        for body, code in (
            (b'', 200),
            (b'<html>', 200),
            (b'null', 200),
            (b'["a"]', 200),
            (b'{"a": 1}', 200),
            (b'', 503),
            (b'', 404),
        ):
            self.inject(
                faults.Status(code=code, body=body),
                'GET',
                'multipart-manifest=get',
            )
            self.assert_kept(f'the segments of {self.image} can not be read')
            self.orphan = self.put_segments()

    def test_segments_of_another_object(self) -> None:
        """It may refer to anything: nothing is deleted."""
        self.cloud.connection().put_object(
            self.container,
            'backup',
            json.dumps([{'path': f'/{self.container}/{self.segments[0]}'}]),
            query_string='multipart-manifest=put',
        )
        self.cloud.connection().delete_object(self.container, self.image)
        self.inject(faults.Status(code=200), 'GET', 'multipart-manifest=get')
        before = self.listing()
        code, rows = self.rows(self.file, 'orphans', 'delete', '--yes')
        self.assertEqual(IN_DOUBT, code)
        self.assertEqual(
            2 * ['kept: in doubt (the segments of backup can not be read)'],
            [row['result'] for row in rows],
        )
        self.assertEqual(before, self.listing())

    @base.swift_only('does not tell what an SLO is made of')
    def test_one_that_is_not_listed_yet(self) -> None:
        old = f'{self.image}/20200101T000000Z-0123456789ab/'
        self.put(f'{old}00000001')
        _, listed = self.cloud.connection().get_container(self.container)
        shown = [row for row in listed if row['name'] != self.image]
        # What comes after a marker is told truly: the listing ends.
        self.inject(
            faults.Status(
                code=200,
                body=json.dumps(shown).encode(),
                headers={'Content-Type': 'application/json'},
            ),
            'GET',
            rf'/{self.container}\?format=json$',
        )
        self.assert_kept(f'{self.image} is an SLO that is not listed yet')


class TestVersions(Case):
    """Where versions are kept, an object is a link to itself."""

    def check(self, header: str, value: str) -> None:
        self.container = self.new_container()
        self.cloud.connection().put_container(
            self.container, headers={header: value}
        )
        self.addCleanup(self.forget_versions)
        self.file = self.config()
        for seed in (1, 2):
            data = streams.image(2 * SEGMENT + 5, seed)
            uri = self.stores().add(self.image, streams.Stream(data))[0]
        self.orphan = self.put_segments()
        self.put(f'{self.image}-00001', b'')
        code, rows = self.rows(self.file, 'orphans', 'delete', '--yes')
        self.assertEqual(
            {self.orphan, f'{self.image}-'},
            {row['prefix'] for row in rows if row['result'] == 'deleted'},
        )
        self.assertEqual(0, code)
        self.assertEqual(data, self.stores().get(uri))

    def test_nothing_is_in_doubt(self) -> None:
        self.check('X-Versions-Enabled', 'true')

    @base.swift_only('gives versions back for as long as one is left')
    def test_nothing_is_in_doubt_in_another_container(self) -> None:
        versions = self.new_container()
        self.cloud.connection().put_container(versions)
        self.check('X-Versions-Location', versions)

    def forget_versions(self) -> None:
        connection = self.cloud.connection()
        for each in connection.get_container(
            self.container, query_string='versions'
        )[1]:
            if 'version_id' in each:
                connection.delete_object(
                    self.container,
                    each['name'],
                    query_string=f'version-id={each["version_id"]}',
                )


class TestNotListed(Case):
    def test_a_segment_of_an_upload_that_goes_on(self) -> None:
        """Its row does not come for longer than the least age."""
        hidden = f'{self.orphan}00000003'
        shown = self.cloud.connection().get_container(self.container)[1]
        self.put(hidden)
        for page, last in ((shown, ''), ([], '&marker=.*')):
            self.inject(
                faults.Status(
                    code=200,
                    body=json.dumps(page).encode(),
                    headers={'Content-Type': 'application/json'},
                ),
                'GET',
                rf'/{self.container}\?format=json{last}$',
            )
        code, rows = self.rows(self.file, 'orphans', 'delete', '--yes')
        self.assertEqual(IN_DOUBT, code)
        self.assertEqual(
            [f'kept: in doubt ({hidden} is stored, but not listed)'],
            [row['result'] for row in rows],
        )
        self.assertEqual(3, len(self.listing(self.orphan)))
