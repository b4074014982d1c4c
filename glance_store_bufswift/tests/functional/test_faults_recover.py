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

    Whether the size is known decides how a segment is sent; the rows take
    turns.
    """

    def fault(self, target: matrix.Target) -> faults.Fault:
        """The fault of this row, for a target."""
        raise NotImplementedError

    def check(self, targets: list[matrix.Target], known: bool) -> None:
        rules = [self.inject(self.fault(target), target) for target in targets]
        self.recovers(targets[0].image, known)
        for rule, target in zip(rules, targets, strict=True):
            self.assertEqual(1, rule.applied)
            self.assertEqual(2, len(self.puts(target.path)))
            # What lands late changes nothing.
            self.assertLess(max(rule.release(), default=0), 300)
        self.assertEqual(
            self.data, self.cloud.object_bytes(self.container, self.image)
        )


class TestBreaks(OneFault):
    scenarios = testscenarios.multiply_scenarios(
        [
            (name, {'make': staticmethod(make)})
            for name, make in BREAKS.items()
        ],
        [(name, {'share': share}) for name, share in PLACES.items()],
    )
    # Swift's own errors are all alike: one place is enough for most.
    scenarios = [
        each
        for each in scenarios
        if each[1]['share'] == 0.5 or not each[0].startswith('507')
    ]

    make: Callable[[int], faults.Fault]
    share: float

    # What a stalled try costs; a busy machine is busy for all tries.
    options = {**OneFault.options, 'swift_buffered_timeout': 1}

    def fault(self, target: matrix.Target) -> faults.Fault:
        return self.make(target.place(self.share))

    def test_plain(self) -> None:
        self.check([matrix.PLAIN], known=self.share != 0.5)

    def test_every_segment(self) -> None:
        self.check(
            [matrix.FIRST, matrix.MIDDLE, matrix.LATEST],
            known=self.share == 0.5,
        )


class TestWholes(OneFault):
    scenarios = [(name, {'what': what}) for name, what in WHOLES.items()]

    what: faults.Fault

    def fault(self, target: matrix.Target) -> faults.Fault:
        return self.what

    def test_plain(self) -> None:
        self.check([matrix.PLAIN], known=False)

    def test_every_segment(self) -> None:
        self.check([matrix.FIRST, matrix.MIDDLE, matrix.LATEST], known=True)
