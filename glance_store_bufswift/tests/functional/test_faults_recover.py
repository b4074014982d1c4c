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

"""A fault at any place of any object: the upload recovers from it."""

from collections.abc import Callable

import testscenarios

from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support.cloud import faults

load_tests = testscenarios.load_tests_apply_scenarios

#: What breaks a request off at a place in its body. Of the statuses, those
#: that are a kind of their own: tests/unit/test_failure.py has them all.
BREAKS: dict[str, Callable[[int], faults.Fault]] = {
    'reset': lambda at: faults.Reset(after=at),
    'stall': lambda at: faults.Stall(after=at),
    **{
        str(code): lambda at, code=code: matrix.status(  # type: ignore[misc]
            code, after=at
        )
        for code in (401, 408, 422, 503, 507)
    },
    '429': lambda at: matrix.status(429, after=at, Retry_After='7'),
}

PLACES = {'first byte': 0.0, 'middle': 0.5, 'last byte': 1.0}

#: What happens to a request that arrives whole.
WHOLES: dict[str, faults.Fault] = {
    'answer lost': faults.LostAnswer(),
    'landing late': faults.LateLanding(reset=True),
    '202 without etag': faults.Rewrite(202, {'etag': None}),
    '202 with etag': faults.Rewrite(202),
    'wrong etag': faults.Rewrite(headers={'etag': '0' * 32}),
    'byte 0 flipped': faults.FlipByte(0),
    'byte 200000 flipped': faults.FlipByte(200_000),
    'last byte flipped': faults.FlipByte(matrix.LAST - 1),
    '503 at the end': matrix.status(503, after=faults.WHOLE),
    '422 at the end': matrix.status(422, after=faults.WHOLE),
    '401 at the end': matrix.status(401, after=faults.WHOLE),
}


class OneFault(matrix.Case):
    """One fault for each object of an image.

    Whether the size is known decides how a segment is sent; the tests take
    turns.
    """

    shares_container = True

    def check(
        self, known: bool, injected: dict[matrix.Target, faults.Fault]
    ) -> None:
        rules = [
            self.inject(fault, target) for target, fault in injected.items()
        ]
        self.recovers(next(iter(injected)).image, known)
        landed: list[int] = []
        for rule, target in zip(rules, injected, strict=True):
            self.assertEqual(1, rule.applied)
            self.assertEqual(2, len(self.puts(target.path)))
            landed += rule.release()
        if landed:  # late, which changes nothing
            self.assertLess(max(landed), 300)
            self.assertEqual(
                self.data, self.cloud.object_bytes(self.container, self.image)
            )


class Breaks(OneFault):
    """Of the kinds that break a request off."""

    # What a stalled try costs; a busy machine is busy for all tries.
    options = {**OneFault.options, 'swift_buffered_timeout': 1}

    make: Callable[[int], faults.Fault]

    def at(self, target: matrix.Target, share: float) -> faults.Fault:
        """One at this place of an object."""
        return self.make(target.place(share))


KINDS: list[matrix.Row] = [
    (name, {'make': staticmethod(make)}) for name, make in BREAKS.items()
]


class TestBreaksOfOneObject(Breaks):
    scenarios = testscenarios.multiply_scenarios(
        KINDS, [(name, {'share': share}) for name, share in PLACES.items()]
    )

    share: float

    def test_recovers(self) -> None:
        self.check(
            self.share != 0.5,
            {matrix.PLAIN: self.at(matrix.PLAIN, self.share)},
        )


class TestBreaksOfSegments(Breaks):
    """Each segment at another place."""

    scenarios = KINDS

    def test_recovers(self) -> None:
        segments = (matrix.FIRST, matrix.MIDDLE, matrix.LATEST)
        self.check(
            False,
            {
                segment: self.at(segment, share)
                for segment, share in zip(
                    segments, PLACES.values(), strict=True
                )
            },
        )


class TestWholes(OneFault):
    scenarios = [(name, {'what': what}) for name, what in WHOLES.items()]

    what: faults.Fault

    def check_all(self, known: bool, *targets: matrix.Target) -> None:
        self.check(known, dict.fromkeys(targets, self.what))

    def test_plain(self) -> None:
        self.check_all(False, matrix.PLAIN)

    def test_every_segment(self) -> None:
        self.check_all(True, matrix.FIRST, matrix.MIDDLE, matrix.LATEST)
