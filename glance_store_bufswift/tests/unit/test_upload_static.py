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

"""Uploads that become Static Large Objects, into a Swift in memory."""

from typing import Any

import fixtures
from oslotest import base

from glance_store_bufswift import digests
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift import opts
from glance_store_bufswift.reader import lookup
from glance_store_bufswift import removal
from glance_store_bufswift.swift import slo_manifest
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import fakes
from glance_store_bufswift import upload

SEGMENT = 1000


class _TestCase(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.swift = fakes.Swift(info={'slo': {'max_manifest_segments': 100}})
        self.account = fakes.Account(self.swift)
        self.where = layout.Layout('images', 'id', 'try')
        self.log = self.useFixture(
            fixtures.FakeLogger(
                'glance_store_bufswift', format='%(levelname)s %(message)s'
            )
        )
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.cleanup.SETTLE_SECONDS', 0
            )
        )

    def upload(
        self, data: bytes, size: int = 0, attempt: str = 'try', **how: Any
    ) -> None:
        """Upload an image in small segments."""
        self.where = layout.Layout('images', 'id', attempt)
        how = {
            'directory': self.directory,
            'min_free_percent': 0,
            'segment_size': SEGMENT,
            'plain_limit': SEGMENT,
            'manifest': opts.SLO,
            **how,
        }
        upload.Upload(
            fakes.Account(self.swift),
            self.where,
            opts.Settings(**how),
            streams.Stream(data),
            size,
            digests.Digests('sha512'),
        ).run()

    def headers(self) -> dict[str, str]:
        """Those of the image."""
        return self.swift.objects['id'][1]

    def is_static(self) -> bool:
        return layout.is_slo(self.headers())

    def warnings(self) -> list[str]:
        return [
            line
            for line in self.log.output.splitlines()
            if line.startswith('WARNING')
        ]


class TestStored(_TestCase):
    def test_any_size_known_or_not(self) -> None:
        for size in (0, 1, 1000, 1001, 3000, 3001):
            data = streams.image(size)
            for declared in (0, size):
                self.swift.objects.clear()
                self.upload(data, declared)
                self.assertEqual(size > SEGMENT, self.is_static())
                self.assertEqual(data, b''.join(self.swift.parts('id')))
        self.assertEqual([], self.warnings())

    def test_more_segments_than_are_allowed_of_a_known_size(self) -> None:
        """Each becomes larger, and all of them fit."""
        self.upload(bytes(150 * SEGMENT), 150 * SEGMENT)
        self.assertTrue(self.is_static())
        self.assertEqual('100', self.headers()[layout.SEGMENTS_HEADER])

    def test_more_segments_than_are_allowed_of_an_unknown_size(self) -> None:
        data = streams.image(150 * SEGMENT)
        self.upload(data)
        self.assertTrue(self.is_static())
        self.assertEqual(data, b''.join(self.swift.parts('id')))

    def test_manifest_is_not_to_become_too_large(self) -> None:
        """Bytes in a manifest bound the segments too."""
        longest = slo_manifest.ManifestEntry(
            f'images/{self.where.segment(layout.MAX_SEGMENTS)}',
            layout.MAX_OBJECT_SIZE,
            'f' * 32,
        )
        self.swift.info['slo']['max_manifest_size'] = 10 * len(
            slo_manifest.manifest([longest])
        )
        self.upload(bytes(50 * SEGMENT), 50 * SEGMENT)
        self.assertTrue(self.is_static())
        self.assertEqual('10', self.headers()[layout.SEGMENTS_HEADER])

    def test_segments_are_as_large_as_they_have_to_be(self) -> None:
        self.swift.info['slo']['min_segment_size'] = 3 * SEGMENT
        self.upload(bytes(7 * SEGMENT))
        self.assertEqual('3', self.headers()[layout.SEGMENTS_HEADER])

    def test_signs_of_life(self) -> None:
        """Where they are offered, for manifests that take their time."""
        asked = []

        def put_static(
            slos: fakes.StaticLargeObjects,
            container: str,
            name: str,
            segments: list[slo_manifest.ManifestEntry],
            heartbeat: bool,
            *more: Any,
        ) -> None:
            asked.append((len(segments), heartbeat))
            put(slos, container, name, segments, heartbeat, *more)

        put = fakes.StaticLargeObjects.put
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.tests.unit.fakes.StaticLargeObjects.put',
                put_static,
            )
        )
        for offer in ({}, {'yield_frequency': 10}):
            self.swift.info['slo'] |= offer
            for size in (
                2 * SEGMENT,
                slo_manifest.MIN_HEARTBEAT_SEGMENTS * SEGMENT,
            ):
                self.upload(bytes(size), size)
        self.assertEqual(
            [(2, False), (50, False), (2, False), (50, True)], asked
        )


class TestDynamic(_TestCase):
    """What can't be an SLO becomes a DLO; no upload fails for it."""

    def test_site_has_none(self) -> None:
        self.swift.info = {}
        self.upload(bytes(3 * SEGMENT))
        self.assertEqual('images/id/try/', self.headers()[layout.DLO_HEADER])
        self.assertIn('has no Static Large Objects', self.warnings()[0])

    def test_too_many_segments_of_an_unknown_size(self) -> None:
        self.swift.info['slo']['max_manifest_segments'] = 2
        data = streams.image(9 * SEGMENT)
        self.upload(data)
        self.assertFalse(self.is_static())
        self.assertEqual(data, b''.join(self.swift.parts('id')))
        (warning,) = self.warnings()
        self.assertIn('does not fit into the 2 segments', warning)

    def test_too_large_for_all_segments(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.layout.MAX_OBJECT_SIZE', SEGMENT
            )
        )
        self.swift.info['slo']['max_manifest_segments'] = 2
        self.upload(bytes(3 * SEGMENT), 3 * SEGMENT)
        self.assertFalse(self.is_static())
        self.assertEqual(1, len(self.warnings()))

    def test_refused(self) -> None:
        for status in (400, 405, 413, 501):
            self.swift.objects.clear()
            refused: list[str] = []

            def refuse(
                method: str,
                name: str,
                status: int = status,
                refused: list[str] = refused,
            ) -> None:
                if (method, name) == ('PUT', 'id') and len(refused) < (
                    2 if status in (400, 501) else 1
                ):
                    refused.append(name)
                    raise errors.RequestFailed(f'{status}', status)

            self.swift.before = refuse
            self.upload(bytes(3 * SEGMENT))
            self.assertFalse(self.is_static())
            self.assertIn('can not become a Static', self.warnings()[-1])


class TestFailed(_TestCase):
    def fails(self, text: str) -> None:
        """The upload fails, and nothing is left."""
        exc = self.assertRaises(errors.RequestFailed, self.upload, bytes(3500))
        self.assertIn(text, str(exc))
        self.assertEqual({}, self.swift.objects)

    def test_segment_is_gone(self) -> None:
        def before(method: str, name: str) -> None:
            if (method, name) == ('PUT', 'id'):
                self.swift.objects.pop(self.where.segment(2), None)

        def put_static(slos: fakes.StaticLargeObjects, *args: Any) -> None:
            before('PUT', 'id')
            put(slos, *args)

        put = fakes.StaticLargeObjects.put
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.tests.unit.fakes.StaticLargeObjects.put',
                put_static,
            )
        )
        self.fails('00000002: Mismatch')

    def test_refused_for_a_reason_of_its_own(self) -> None:
        def before(method: str, name: str) -> None:
            if (method, name) == ('PUT', 'id'):
                raise errors.RequestFailed('403 Forbidden', 403)

        self.swift.before = before
        self.fails('403')

    def test_stored_as_any_object(self) -> None:
        """A proxy of the site has no filter slo."""

        def put_static(
            slos: fakes.StaticLargeObjects,
            container: str,
            name: str,
            segments: list[slo_manifest.ManifestEntry],
            heartbeat: bool,
            headers: dict[str, str],
            *more: Any,
        ) -> None:
            slos.swift.store(name, slo_manifest.manifest(segments), headers)

        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.tests.unit.fakes.StaticLargeObjects.put',
                put_static,
            )
        )
        self.fails('filter slo')


class TestReplaced(_TestCase):
    """Nothing of the former image is left, whatever either was."""

    def test_each_by_each(self) -> None:
        kinds = opts.DLO, opts.SLO
        number = 0
        for before in kinds:
            for after in kinds:
                self.swift.objects.clear()
                number += 2
                self.upload(
                    bytes(3500), attempt=f'try{number}', manifest=before
                )
                self.upload(
                    bytes(2500), attempt=f'try{number + 1}', manifest=after
                )
                self.assertEqual(
                    ['id', *map(self.where.segment, (1, 2, 3))],
                    sorted(self.swift.objects),
                )
        self.assertEqual([], self.warnings())

    def test_list_of_the_former_can_not_be_had(self) -> None:
        """Ceph RGW; what the former manifest records is enough."""

        def no_list(*args: Any, **kwargs: Any) -> None:
            raise errors.NoList('an empty answer')

        self.upload(bytes(3500), attempt='try1')
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.tests.unit.fakes.StaticLargeObjects.segments',
                no_list,
            )
        )
        self.upload(bytes(2500), attempt='try2')
        self.assertEqual(
            ['id', *map(self.where.segment, (1, 2, 3))],
            sorted(self.swift.objects),
        )
        self.assertEqual([], self.warnings())


class TestDeleted(_TestCase):
    def test_whole(self) -> None:
        self.upload(bytes(3500))
        removal.remove(self.account, 'images', 'id')
        self.assertEqual({}, self.swift.objects)

    def test_segment_that_stays_keeps_the_manifest(self) -> None:
        """A second try ends it."""

        def before(method: str, name: str) -> None:
            if method == 'DELETE' and name.endswith('2'):
                raise errors.RequestFailed('503', 503)

        self.upload(bytes(3500))
        self.swift.before = before
        self.assertRaises(
            errors.RequestFailed, removal.remove, self.account, 'images', 'id'
        )
        self.assertEqual(
            ['id', self.where.segment(2)], sorted(self.swift.objects)
        )
        self.swift.before = lambda method, name: None
        removal.remove(self.account, 'images', 'id')
        self.assertEqual({}, self.swift.objects)

    def test_uploaded_again_meanwhile(self) -> None:
        def before(method: str, name: str) -> None:
            if method == 'DELETE' and name.endswith('try1/00000004'):
                self.swift.before = lambda method, name: None
                self.upload(bytes(2500), attempt='try2')

        self.upload(bytes(3500), attempt='try1')
        self.swift.before = before
        removal.remove(self.account, 'images', 'id')
        self.assertEqual(
            ['id', *map(self.where.segment, (1, 2, 3))],
            sorted(self.swift.objects),
        )


class TestRead(_TestCase):
    def test_from_its_segments(self) -> None:
        """Whole with one request, in part with two; none of them a list."""
        self.upload(bytes(3500))
        names = [self.where.segment(number) for number in (1, 2, 3, 4)]
        self.swift.requests.clear()
        found = lookup.whole(self.account, 'images', 'id')
        self.assertEqual(
            (3500, names),
            (found.size, [each.part.name for each in found.stretches]),
        )
        self.assertEqual([('GET', 'id')], self.swift.requests)
        self.swift.requests.clear()
        found = lookup.ranged(self.account, 'images', 'id', 1500, 1000)
        self.assertEqual(
            [(names[1], 500, 500), (names[2], 0, 500)],
            [
                (each.part.name, each.offset, each.size)
                for each in found.stretches
            ],
        )
        self.assertEqual([('HEAD', 'id'), ('GET', 'id')], self.swift.requests)

    def test_size(self) -> None:
        self.upload(bytes(3500))
        self.assertEqual(3500, lookup.size_of(self.account, 'images', 'id'))
