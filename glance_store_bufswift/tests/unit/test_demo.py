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

"""The demo's plan, what it makes of the proxy's log, and its mistakes."""

import contextlib
import io
from pathlib import Path
from typing import Any

import fixtures
from oslotest import base

from glance_store_bufswift.tests.programs.demo import __main__ as demo
from glance_store_bufswift.tests.programs.demo import image as images
from glance_store_bufswift.tests.programs.demo import plan as plans
from glance_store_bufswift.tests.programs.demo import screen as screens
from glance_store_bufswift.tests.support.cloud import journal

SIZE, MD5 = 8 << 20, 'd' * 32


def outcome(**changes: Any) -> plans.Outcome:
    """A run in which all went well, but for the changes."""
    good: dict[str, Any] = {
        'read': SIZE,
        'size': SIZE,
        'checksum': MD5,
        'segments': 9,
        'retries': 2,
        'buffered': SIZE,
        'md5_read': MD5,
        'met': {'reset', '401'},
    }
    return plans.Outcome('swift+buffered', **{**good, **changes})


def put(number: int, name: str, **changes: Any) -> journal.Exchange:
    """A PUT of a segment in the proxy's log."""
    return journal.Exchange(
        number, 'PUT', f'/v1/AUTH_a/demo/{name}', {}, None, **changes
    )


class TestPlan(base.BaseTestCase):
    def test_faults_are_in_two_segments(self) -> None:
        for size in (plans.MB + 1, 2 * plans.MB + 1, SIZE, 200 << 20):
            plan = plans.Plan.make(size, None)
            self.assertTrue(
                1 <= plan.reset < plan.revoke <= plan.segments, plan
            )

    def test_segments(self) -> None:
        self.assertEqual(13, plans.Plan.make(200 << 20, None).segments)
        self.assertEqual(9, plans.Plan.make(SIZE, None).segments)
        self.assertEqual(3, plans.Plan.make(SIZE, 3).segments)

    def test_one_segment(self) -> None:
        self.assertRaises(ValueError, plans.Plan.make, SIZE, 9)
        self.assertRaises(ValueError, plans.Plan.make, plans.MB, None)

    def test_short(self) -> None:
        error = ValueError(
            'Failed to add object to Swift.\nGot error from Swift: Object PUT '
            'failed: http://host:1/v1/AUTH_a/demo/id-00007 401 Unauthorized '
            '[first 60 chars of response] <html>.'
        )
        self.assertEqual(
            'ValueError: Object PUT failed: IMAGE-00007 401 Unauthorized',
            plans.short(error, 'id'),
        )


class TestComplaints(base.BaseTestCase):
    def complaints(self, **changes: Any) -> list[str]:
        return plans.complaints(
            outcome(**changes), plans.Plan.make(SIZE, None), MD5
        )

    def test_none(self) -> None:
        self.assertEqual([], self.complaints())

    def test_each(self) -> None:
        for changes in (
            {'read': 1},
            {'size': 1},
            {'segments': 8},
            {'checksum': 'x'},
            {'md5_read': 'x'},
            {'md5_read': None},
            {'left': ['a']},
            {'retries': 1},
            {'met': {'reset'}},
            {'met': {'401'}},
            {'error': 'broken'},
        ):
            self.assertEqual(1, len(self.complaints(**changes)), f'{changes}')


class TestStory(base.BaseTestCase):
    def test_recovered(self) -> None:
        story = plans.Story(
            [
                put(1, 'id/x/00000001', status=201, upstream_status=201),
                put(2, 'id/x/00000002', fault='Reset', fired=True),
                put(3, 'id/x/00000003', status=401, upstream_status=401),
                put(4, 'id/x/00000002', status=201, upstream_status=201),
                put(5, 'id', status=201, upstream_status=201),
            ]
        )
        self.assertEqual({1, 2}, story.stored)
        self.assertEqual({'reset', '401'}, story.met)
        self.assertEqual(1, story.retries)
        self.assertEqual(
            [
                'segment 2: connection reset in the middle',
                'segment 3: 401 from Swift, the token is revoked',
                'segment 2: sent again, stored',
            ],
            story.lines,
        )

    def test_stock_names(self) -> None:
        story = plans.Story([put(1, 'id-00001', status=201)])
        self.assertEqual({1}, story.stored)


class TestImage(base.BaseTestCase):
    def test_stream(self) -> None:
        image = images.generated(2)
        counts: list[int] = []
        stream = images.Stream(image, counts.append)
        blocks = []
        while block := stream.read(300_000):
            blocks.append(block)
        self.assertEqual(b''.join(image.blocks()), b''.join(blocks))
        self.assertEqual(image.size, sum(counts))
        self.assertFalse(hasattr(stream, 'seek'))

    def test_blocks_differ(self) -> None:
        self.assertEqual(3, len(set(images.generated(3).blocks())))


class TestScreen(base.BaseTestCase):
    def test_table_fits(self) -> None:
        out = io.StringIO()
        failed = plans.Outcome('swift', error='x', seconds=12.3)
        screens.Screen(out).table([outcome(), failed, failed], MD5)
        lines = out.getvalue().splitlines()
        self.assertEqual({screens.WIDTH}, {len(line) for line in lines})


class TestMistakes(base.BaseTestCase):
    """What a user may get wrong: a message and status 2."""

    def check(self, message: str, *args: str) -> None:
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            ending = self.assertRaises(SystemExit, demo.main, list(args))
        self.assertEqual(2, ending.code)
        self.assertIn(message, err.getvalue())

    def test_size(self) -> None:
        for size in ('0', '-1', 'x'):
            self.check('is not a number above 0', f'--size={size}')

    def test_file(self) -> None:
        home = self.useFixture(fixtures.TempDir()).path
        empty = Path(home, 'empty')
        empty.touch()
        self.check('No such file', f'{home}/missing')
        self.check('No such file', '--file', f'{home}/missing')
        self.check('not a regular file', home)
        self.check('is empty', str(empty))

    def test_both(self) -> None:
        self.check('give one of', 'x', '--size', '8')

    def test_too_small(self) -> None:
        self.check('two or more', '--size', '8', '--segment', '16')
