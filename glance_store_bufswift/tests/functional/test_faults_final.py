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

"""A fault that stays: the right error, naming all, and nothing left."""

from typing import Any

from glance_store import exceptions
import testscenarios

from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support.cloud import faults

load_tests = testscenarios.load_tests_apply_scenarios

BACKEND = exceptions.BackendException


def row(
    fault: faults.Fault,
    error: type[Exception],
    *says: str,
    tried: int = matrix.RETRIES + 1,
) -> dict[str, Any]:
    """What stands in the table.

    :param says: what the error's message says, regexes
    :param tried: how often the object's PUT is seen
    """
    return {'fault': fault, 'error': error, 'says': says, 'tried': tried}


def answered(
    code: int,
    error: type[Exception] = BACKEND,
    tried: int = matrix.RETRIES + 1,
) -> dict[str, Any]:
    """An answer of the fault proxy's own."""
    return row(
        matrix.status(code, after=1000),
        error,
        f': {code} ',
        f'transaction id {matrix.TRANSACTION}',
        tried=tried,
    )


# Of the statuses, those that are a kind of their own:
# tests/unit/test_translation.py has them all.
TABLE = {
    'reset': row(faults.Reset(after=1000), BACKEND, 'Connection aborted'),
    'stall': row(faults.Stall(after=1000), matrix.TIMEOUT, 'timed out'),
    '401': answered(401),
    '403': answered(403, exceptions.StorageWriteDenied, tried=1),
    # Never NotFound: Glance would delete the image. A proxy may not know yet
    # of the container, which the upload has just made.
    '404': answered(404) | {'shares_container': False},
    '408': answered(408),
    '409': answered(409, tried=1),
    '412': answered(412, tried=1),
    '413': answered(413, exceptions.StorageFull, tried=1),
    '422': answered(422),
    '429': answered(429),
    '503': answered(503),
    '507': answered(507, exceptions.StorageFull),
    '202 without etag': row(
        faults.Rewrite(202, {'etag': None}),
        BACKEND,
        ': 202 ',
        'transaction id tx',
    ),
    'wrong etag': row(
        faults.Rewrite(headers={'etag': '0' * 32}),
        BACKEND,
        f"ETag '{'0' * 32}'",
        'transaction id tx',
    ),
    'byte flipped': row(
        faults.FlipByte(100_000),
        BACKEND,
        'ETag',
        'bytes of MD5',
        'transaction id tx',
    ),
    'answer lost': row(faults.LostAnswer(), BACKEND, 'Connection aborted'),
    'landing late': row(
        faults.LateLanding(reset=True), BACKEND, 'Connection aborted'
    ),
    'answer late': row(faults.LateLanding(), matrix.TIMEOUT, 'timed out'),
}


class TestFinal(matrix.Case):
    """A PUT that fails each time."""

    scenarios = list(TABLE.items())

    shares_container = True

    fault: faults.Fault
    error: type[Exception]
    says: tuple[str, ...]
    tried: int

    options = {**matrix.Case.options, 'swift_buffered_timeout': 1}

    def check(self, target: matrix.Target, named: str, known: bool) -> None:
        self.inject(self.fault, target, times=None)
        times = 'once' if self.tried == 1 else rf'{self.tried} times'
        self.fails(
            self.error,
            f'PUT of {self.container}/{self.image}{named} failed',
            f'tried {times}: ',
            *self.says,
            size=target.image,
            known=known,
        )
        self.assertEqual(self.tried, len(self.puts(target.path)))
        self.assertEqual(
            [],
            self.puts(matrix.MANIFEST.path)
            if target.image == matrix.IMAGE
            else [],
        )

    def test_plain(self) -> None:
        self.check(matrix.PLAIN, '', known=True)

    def test_middle_segment(self) -> None:
        self.check(matrix.MIDDLE, '/.*/00000002', known=False)


class TestManifest(matrix.Case):
    """The manifest's PUT fails each time, or lands unseen."""

    shares_container = True

    scenarios = [
        (name, TABLE[name])
        for name in (
            'reset',
            'stall',
            '401',
            '403',
            '413',
            '422',
            '503',
            '507',
            '202 without etag',
            'answer lost',
            'landing late',
        )
    ]

    fault: faults.Fault
    error: type[Exception]
    says: tuple[str, ...]
    tried: int

    options = {**matrix.Case.options, 'swift_buffered_timeout': 1}

    def place(self) -> faults.Fault:
        """The fault at the only place that a manifest has."""
        if isinstance(self.fault, faults.Status):
            return matrix.status(self.fault.code)
        if isinstance(self.fault, faults.Reset | faults.Stall):
            return type(self.fault)()
        return self.fault

    def test_for_good(self) -> None:
        self.inject(self.place(), matrix.MANIFEST, times=None)
        self.fails(
            self.error,
            f'PUT of {self.container}/{self.image} failed, tried',
            *self.says,
        )

    def test_once(self) -> None:
        self.inject(self.place(), matrix.MANIFEST)
        # One that is too large goes without the record of its segments.
        if self.tried == 1 and self.says != TABLE['413']['says']:
            self.fails(self.error, *self.says)
        else:
            self.recovers()


class TestBudget(matrix.Case):
    def test_both_retries_share_it(self) -> None:
        """Ours after a 422, then swiftclient's after each 503."""
        self.inject(matrix.status(422), matrix.MIDDLE)
        self.inject(matrix.status(503), matrix.MIDDLE, times=None)
        self.fails(BACKEND, 'tried 3 times: 503 ')
        self.assertEqual(
            [422, 503, 503],
            [each.status for each in self.puts(matrix.MIDDLE.path)],
        )


class TestNotRetried(matrix.Case):
    """Without retries the first fault is the last."""

    options = {'swift_buffered_retries': 0}

    def check(self, fault: faults.Fault, *says: str) -> None:
        for target in (matrix.PLAIN, matrix.FIRST):
            self.proxy.clear()
            self.inject(fault, target)
            self.fails(BACKEND, *says, size=target.image)
            self.assertEqual(1, len(self.puts(target.path)))

    def test_reset(self) -> None:
        self.check(
            faults.Reset(after=100_000), 'tried once', 'Connection aborted'
        )

    def test_401(self) -> None:
        self.check(matrix.status(401, after=100_000), 'tried once: 401 ')

    def test_503(self) -> None:
        self.check(matrix.status(503), 'tried once: 503 ')

    def test_wrong_etag(self) -> None:
        self.check(faults.Rewrite(headers={'etag': 'x'}), 'tried once: 201 ')
