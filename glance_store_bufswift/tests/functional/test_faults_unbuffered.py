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

"""Faults of segments that found no room on disk."""

import uuid

import fixtures
from glance_store import exceptions
import testscenarios

from glance_store_bufswift.buffer import segment
from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support.cloud import faults

load_tests = testscenarios.load_tests_apply_scenarios

#: Upstream's "2 MB", which a quota of 1 MiB has no room for.
SEGMENT = 2 * matrix.SEGMENT
SIZE = 2 * SEGMENT + 5
SECOND = matrix.Target('/00000002$', SEGMENT, SIZE)

BACKEND = exceptions.BackendException


class Unbuffered(matrix.Case):
    shares_container = True

    options = {
        **matrix.Case.options,
        'swift_buffered_timeout': 2,
        'swift_store_large_object_chunk_size': 2,
        'swift_buffered_disk_quota': 1,
    }

    scenarios: list[matrix.Row] = [
        (
            'reset',
            {
                'fault': faults.Reset(after=faults.WHOLE),
                'error': BACKEND,
                'says': 'Connection aborted',
            },
        ),
        (
            'stall',
            {
                'fault': faults.Stall(after=faults.WHOLE),
                'error': matrix.TIMEOUT,
                'says': 'timed out',
            },
        ),
        (
            'lost',
            {
                'fault': faults.LostAnswer(),
                'error': BACKEND,
                'says': 'Connection aborted',
            },
        ),
        (
            'flipped',
            {
                'fault': faults.FlipByte(5),
                'error': BACKEND,
                'says': 'transaction id tx.* for bytes of MD5',
            },
        ),
        (
            'wrong etag',
            {
                'fault': faults.Rewrite(headers={'etag': 'x'}),
                'error': BACKEND,
                'says': "201 .* ETag 'x'",
            },
        ),
        *(
            (
                str(code),
                {
                    'fault': matrix.status(code, after=faults.WHOLE),
                    'error': exceptions.StorageFull
                    if code == 507
                    else BACKEND,
                    'says': f': {code} .*, transaction id '
                    f'{matrix.TRANSACTION}',
                },
            )
            for code in (401, 503, 507)
        ),
    ]

    fault: faults.Fault
    error: type[Exception]
    says: str

    def test_window_holds_it(self) -> None:
        """A short segment is in memory: it can be sent again."""
        self.inject(self.fault, SECOND)
        answer = self.add(SIZE)
        self.assert_stored(self.data, answer, 3)
        self.assertEqual(self.data, bytes(self.verifier.seen))
        self.assertEqual(2, len(self.puts(SECOND.path)))

    def test_window_has_lost_it(self) -> None:
        """The error names what broke it, and why that was the end."""
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{segment.__name__}.UNBUFFERED_WINDOW', 1 << 20
            )
        )
        self.inject(self.fault, SECOND)
        self.fails(
            self.error,
            '/00000002 failed, tried once: ',
            self.says,
            'not sent again, as it is not buffered$',
            size=SIZE,
        )
        self.assertEqual(1, len(self.puts(SECOND.path)))


class TestEarly(matrix.Case):
    """A fault at the first byte of a segment longer than the window.

    Whether the window still holds the beginning is a race that both may
    win: the outcome is right either way.
    """

    options = {**Unbuffered.options}

    def test_early(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{segment.__name__}.UNBUFFERED_WINDOW', 1 << 20
            )
        )
        for number in range(6):
            self.proxy.clear()
            self.image = str(uuid.uuid4())
            fault = (faults.Reset(), matrix.status(503))[number % 2]
            self.inject(fault, SECOND)
            try:
                answer = self.add(SIZE)
            except BACKEND as exc:
                self.assertRegex(
                    str(exc),
                    '/00000002 failed, tried .*: '
                    '.*not sent again, as it is not buffered$',
                )
                self.assert_nothing_left()
            else:
                self.assert_stored(self.data, answer, 3)
