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

"""Images stored as Static Large Objects, through faults."""

from typing import Any

import fixtures
from glance_store import exceptions

from glance_store_bufswift.swift import slo_manifest
from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support import fresh
from glance_store_bufswift.tests.support import streams

MANIFEST = matrix.Target(
    r'/[0-9a-f-]{36}\?multipart-manifest=put', 0, matrix.IMAGE
)


class Case(matrix.Case):
    options = {**matrix.Case.options, 'swift_buffered_manifest': 'slo'}

    def setUp(self) -> None:
        super().setUp()
        # What other tests' sites said of themselves.
        self.useFixture(fresh.Info())

    def recovers(self, *args: Any, **how: Any) -> None:
        """The same, as often as it is asked for."""
        self.verifier = streams.Verifier()
        super().recovers(*args, **how)

    def headers(self) -> dict[str, str]:
        """Those of the image."""
        return dict(
            self.cloud.connection().head_object(self.container, self.image)
        )

    def assert_static(self, yes: bool = True) -> None:
        self.assertEqual(yes, 'x-static-large-object' in self.headers())
        self.assertEqual(not yes, 'x-object-manifest' in self.headers())

    def warnings(self) -> list[str]:
        return [
            record.getMessage()
            for record in self.records.all
            if record.levelname == 'WARNING'
        ]

    def overwrite(self, data: bytes | None) -> faults.Fault:
        """Have the second segment be another object when it is named."""

        def change(exchange: journal.Exchange) -> None:
            connection = self.cloud.connection()
            (name,) = (
                name for name in self.listing() if name.endswith('/00000002')
            )
            if data is None:
                connection.delete_object(self.container, name)
            else:
                connection.put_object(self.container, name, data)

        return faults.Hook(change)


class TestStored(Case):
    def test_of_any_size(self) -> None:
        for size in (0, matrix.SEGMENT, matrix.SEGMENT + 1, matrix.IMAGE):
            for known in (True, False):
                self.proxy.clear()
                self.recovers(size, known)
                if size > matrix.SEGMENT:
                    self.assert_static()
        self.assertEqual([], self.warnings())

    def test_what_it_costs(self) -> None:
        """One look before, one after; nothing is listed."""
        self.recovers()
        self.proxy.clear()
        self.image = self.image[:-4] + 'ffff'
        self.recovers()
        requests = [
            each
            for each in self.proxy.log
            if '/00000' not in each.path and each.method != 'POST'
        ]
        self.assertEqual(
            ['HEAD', 'PUT', 'HEAD'],
            [each.method for each in requests if self.image in each.path],
        )
        self.assertEqual(
            [], [each.path for each in requests if 'prefix' in each.path]
        )

    @base.swift_only('does not tell what an SLO is made of')
    def test_read_from_its_segments(self) -> None:
        """Whole by one request more than there are segments."""
        uri = self.add()[0]
        self.proxy.clear()
        self.assertEqual(self.data, self.made.get(uri))
        self.assertEqual(4, len(self.proxy.log))

    def test_read_in_part(self) -> None:
        uri = self.add()[0]
        at = matrix.SEGMENT - 5
        for offset, size in ((at, 10), (0, 1), (matrix.IMAGE - 3, 99)):
            self.assertEqual(
                self.data[offset:][:size],
                self.made.get(uri, offset=offset, chunk_size=size),
            )

    def test_former_one_is_replaced(self) -> None:
        """By each kind, and nothing of it is left."""
        for kind in ('slo', 'dlo', 'slo'):
            self.recovers(swift_buffered_manifest=kind)
            self.assert_static(kind == 'slo')
            self.assertEqual(4, len(self.listing(self.image)))
        self.assertEqual([], self.warnings())


class TestDynamic(Case):
    """What the site can't have as an SLO is stored all the same."""

    def check(self, warning: str, segments: int = 3) -> None:
        answer = self.add(known=False)
        self.assert_stored(self.data, answer, segments)
        self.assert_static(False)
        self.assertEqual(
            1,
            sum(warning in each for each in self.warnings()),
            str(self.warnings()),
        )

    def info(self, body: bytes) -> None:
        """Have the site say this of itself."""
        self.proxy.add(
            faults.Rule(
                faults.Status(
                    code=200,
                    body=body,
                    headers={'Content-Type': 'application/json'},
                ),
                'GET',
                '/info$',
                times=None,
            )
        )

    def test_site_has_none(self) -> None:
        self.useFixture(fresh.Notices())
        self.info(b'{"swift": {}}')
        self.check('has no Static Large Objects')

    def test_too_many_segments(self) -> None:
        self.info(b'{"slo": {"max_manifest_segments": 1}}')
        self.check('does not fit into the 1 segments', 2)

    def test_more_than_the_site_takes(self) -> None:
        """It takes fewer than it has said."""
        self.inject(matrix.status(413), MANIFEST)
        self.check('can not become a Static Large Object')


class TestRefused(Case):
    """Swift looks at the segments, and refuses the manifest."""

    def check(self, *says: str) -> None:
        self.fails(exceptions.BackendException, *says)

    @base.swift_only('tells of no segment')
    def test_segment_is_gone(self) -> None:
        self.inject(self.overwrite(None), MANIFEST)
        self.check(
            'refuses 1 of the segments',
            '00000002: 404 Not Found',
            'tried 3 times',
        )

    @base.swift_only('tells of no segment')
    def test_segment_is_another_object(self) -> None:
        self.inject(self.overwrite(b'x' * matrix.SEGMENT), MANIFEST)
        self.check('00000002: Etag Mismatch', 'tried once')

    @base.swift_only('tells of no segment')
    def test_segment_has_another_size(self) -> None:
        self.inject(self.overwrite(b'x'), MANIFEST)
        self.check('00000002: Size Mismatch')

    def test_access(self) -> None:
        self.inject(matrix.status(403), MANIFEST, None)
        self.fails(exceptions.StorageWriteDenied)

    def test_stored_as_any_object(self) -> None:
        """Where the proxy has no filter slo the manifest is the object."""
        self.inject(
            faults.Rewrite(headers={'X-Static-Large-Object': None}),
            r'/[0-9a-f-]{36}$',
            None,
            'HEAD',
        )
        self.fails(exceptions.BackendException, 'filter slo')


@base.swift_only('gives no signs of life')
class TestRefusedLate(TestRefused):
    """The same at the end of an answer that gives signs of life."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.swift.slo_manifest.MIN_HEARTBEAT_SEGMENTS',
                1,
            )
        )

    def test_stored(self) -> None:
        self.recovers()
        self.assert_static()
        self.assertIn('heartbeat=on', self.puts('multipart')[0].path)


class TestRecovers(Case):
    """What may pass is tried again, and what was stored is known."""

    def check(self, fault: faults.Fault, times: int = 1) -> None:
        rule = self.inject(fault, MANIFEST, times)
        self.recovers()
        self.assert_static()
        self.assertEqual(times, rule.applied)
        self.assertEqual(4, len(self.listing(self.image)))

    def test_status(self) -> None:
        for code in (401, 429, 500, 503, 504):
            self.check(matrix.status(code))
            self.proxy.clear()

    def test_answer_is_lost(self) -> None:
        self.check(faults.LostAnswer())

    def test_all_answers_are_lost(self) -> None:
        self.check(faults.LostAnswer(), matrix.RETRIES + 1)

    def test_segment_is_out_of_reach_for_a_while(self) -> None:
        self.check(
            faults.Status(
                code=400, body=(b'{"Errors": [["c/a", "404 Not Found"]]}')
            )
        )

    def test_connection_breaks(self) -> None:
        self.check(faults.Reset())

    @base.swift_only('gives no signs of life')
    def test_signs_of_life_end(self) -> None:
        assert slo_manifest.MIN_HEARTBEAT_SEGMENTS
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.swift.slo_manifest.MIN_HEARTBEAT_SEGMENTS',
                1,
            )
        )
        self.check(faults.BreakAnswer(1))


class TestFails(Case):
    """What fails leaves nothing, and what stood there as it was."""

    def test_nobody_can_tell(self) -> None:
        """It is there, but all answers are lost, and to the question too."""
        self.inject(faults.LostAnswer(), MANIFEST, None)
        self.inject(
            matrix.status(503),
            r'/[0-9a-f-]{36}$',
            matrix.RETRIES + 1,
            'HEAD',
            skip=1,
        )
        self.fails(exceptions.BackendException)

    @base.swift_only('has a 404 for an SLO that has lost a segment')
    def test_lands_late(self) -> None:
        """After its client gave up, in the midst of the cleaning."""
        rule = self.inject(faults.LateLanding(reset=True), MANIFEST, None)

        def land(_: Any) -> None:
            rule.release()

        self.inject(faults.Hook(land), '/00000002$', 1, 'DELETE')
        self.fails(exceptions.BackendException)

    def test_former_one_stays(self) -> None:
        self.recovers()
        before, former = self.listing(self.image), self.data
        self.verifier = streams.Verifier()
        self.inject(matrix.status(403), MANIFEST, None)
        self.assertIs(
            exceptions.StorageWriteDenied,
            type(self.catch(lambda: self.add(matrix.SEGMENT + 5))),
        )
        self.assertEqual(before, self.listing(self.image))
        self.assertEqual(
            former, self.cloud.object_bytes(self.container, self.image)
        )
