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

"""PUTs that land after their client gave up on them."""

from collections.abc import Sequence
from typing import Any

import fixtures
from glance_store import exceptions

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

LATE = faults.LateLanding(reset=True)
IMAGE = matrix.PLAIN.path
LISTING = r'\?.*prefix='


class OwnError(Exception):
    """An exception that nobody knows."""


class TestCase(matrix.Case):
    def setUp(self) -> None:
        super().setUp()
        # One look is all: HEADs are counted here.
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.upload.LOOK_INTERVAL', 60
            )
        )


class TestLanding(TestCase):
    def landing(
        self, rule: faults.Rule, path: str, method: str, skip: int = 0
    ) -> faults.Rule:
        """Let what a rule holds land when another request comes."""

        def land(_: Any) -> None:
            self.landed += rule.release()

        self.landed: list[int] = []
        return self.inject(faults.Hook(land), path, 1, method, skip)

    def check(
        self,
        when: faults.Rule,
        size: int = matrix.IMAGE,
        landed: Sequence[int] = (201,) * (matrix.RETRIES + 1),
    ) -> None:
        self.fails(
            exceptions.BackendException, 'Connection aborted', size=size
        )
        self.assertEqual(1, when.applied)
        self.assertEqual([*landed], self.landed)

    def test_segment_in_the_first_pass(self) -> None:
        rule = self.inject(LATE, matrix.MIDDLE, None)
        self.check(self.landing(rule, '/00000002$', 'DELETE'))

    def test_segment_after_the_first_pass(self) -> None:
        rule = self.inject(LATE, matrix.MIDDLE, None)
        self.check(self.landing(rule, LISTING, 'GET', skip=1))

    def test_object_in_the_first_pass(self) -> None:
        rule = self.inject(LATE, matrix.PLAIN, None)
        self.check(self.landing(rule, IMAGE, 'HEAD', skip=2), matrix.LAST)

    def test_object_after_the_first_pass(self) -> None:
        rule = self.inject(LATE, matrix.PLAIN, None)
        self.check(self.landing(rule, IMAGE, 'HEAD', skip=3), matrix.LAST)

    @base.swift_only('takes no notice of If-None-Match')
    def test_manifest_after_the_first_pass(self) -> None:
        rule = self.inject(LATE, matrix.MANIFEST, None)
        # Each is on condition that none is there.
        self.check(
            self.landing(rule, IMAGE, 'HEAD', skip=2), landed=[201, 412, 412]
        )

    def test_first_try_of_what_was_stored(self) -> None:
        """A later failure takes what an earlier try still brings."""

        def fail() -> None:
            self.proxy.wait_for(
                lambda log: any(
                    each.method == 'PUT'
                    and each.status == 201
                    and each.path.endswith(self.image)
                    and each.finished
                    for each in log
                )
            )
            raise OwnError('bad signature')

        class Broken(streams.Verifier):
            def update(self, block: bytes) -> None:
                fail()

        self.verifier = Broken()
        rule = self.inject(LATE, matrix.PLAIN)
        when = self.landing(rule, IMAGE, 'HEAD', skip=2)
        self.fails(OwnError, 'bad signature', size=matrix.LAST)
        self.assertEqual((1, [201]), (when.applied, self.landed))


class TestReplaced(TestCase):
    """What stood under the image's name when an attempt failed."""

    def test_manifest_in_doubt_over_a_former_image(self) -> None:
        """It took the former image's place: nothing points to that now."""
        self.recovers()
        self.proxy.clear()
        self.inject(faults.LostAnswer(), matrix.MANIFEST, None)
        # Before each further try it is asked whether it is there.
        self.inject(
            matrix.status(503), IMAGE, 2 * (matrix.RETRIES + 1), 'HEAD', skip=2
        )
        self.fails(exceptions.BackendException, 'Connection aborted')

    def test_refused_manifest_over_a_former_image(self) -> None:
        """The former image stays as it was."""
        self.recovers()
        before = self.listing(self.image)
        former, self.verifier = self.data, streams.Verifier()
        self.inject(matrix.status(403), matrix.MANIFEST, None)
        self.assertIs(
            exceptions.StorageWriteDenied,
            type(self.catch(lambda: self.add(matrix.SEGMENT + 5))),
        )
        self.assertEqual(before, self.listing(self.image))
        self.assertEqual(
            former, self.cloud.object_bytes(self.container, self.image)
        )
