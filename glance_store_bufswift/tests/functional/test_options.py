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

"""Options in a configuration's sections, seen in what uploads do."""

import logging
from pathlib import Path
from typing import Any

import fixtures
from glance_store import driver
from glance_store import exceptions

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import meetings
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT


class TestPrecedence(base.TestCase):
    """Own section, [backend_defaults], [swift_buffered], default."""

    def check(self, threads: int, **sections: Any) -> None:
        """So many segments are in flight at once, and never more."""
        data = streams.image(6 * SEGMENT)
        meeting = meetings.Meeting(self.proxy, threads)
        answer = self.stores(**sections).add(
            self.image, streams.Stream(data), 0
        )
        self.assert_stored(data, answer, 6)
        self.assertEqual(meeting.size, self.proxy.peak('PUT'))

    def test_own_section(self) -> None:
        self.check(
            3,
            fast={'swift_buffered_threads': 3},
            backend_defaults={'swift_buffered_threads': 2},
            swift_buffered={'swift_buffered_threads': 1},
        )

    def test_backend_defaults(self) -> None:
        self.check(
            2,
            backend_defaults={'swift_buffered_threads': 2},
            swift_buffered={'swift_buffered_threads': 3},
        )

    def test_group(self) -> None:
        self.check(2, swift_buffered={'swift_buffered_threads': 2})

    def test_default(self) -> None:
        self.check(4)

    def test_a_value_that_is_the_default(self) -> None:
        """It was set, and so it wins."""
        self.check(
            4,
            backend_defaults={'swift_buffered_threads': 4},
            swift_buffered={'swift_buffered_threads': 2},
        )

    def test_one_after_the_other(self) -> None:
        self.check(1, fast={'swift_buffered_threads': 1})

    def test_other_stores_section(self) -> None:
        self.check(
            2,
            enabled='fast:swift+buffered,second:swift+buffered',
            second={'swift_buffered_threads': 3},
            swift_buffered={'swift_buffered_threads': 2},
        )


class TestBackendDefaults(base.TestCase):
    """Values that stand in [backend_defaults] alone."""

    def setUp(self) -> None:
        super().setUp()
        if not hasattr(driver, 'BackendGroupConfiguration'):
            self.skipTest('This glance_store has no [backend_defaults]')

    def moved(self, **changed: Any) -> dict[str, Any]:
        """Sections with upstream's options in [backend_defaults]."""
        shared = self.cloud.glance_store_options(self.container) | changed
        own = {
            'swift_store_large_object_size': None,
            'swift_store_large_object_chunk_size': None,
        }
        return {
            'fast': dict.fromkeys(shared) | own,
            'backend_defaults': shared | dict.fromkeys(own, 1),
        }

    def test_all(self) -> None:
        data = streams.image(2 * SEGMENT + 5)
        made = self.stores(**self.moved())
        answer = made.add(self.image, streams.Stream(data), 0)
        self.assert_stored(data, answer, 3)
        self.assertEqual(data, made.get(answer[0]))
        made.delete(answer[0])
        self.assert_nothing_left()

    def test_reference(self) -> None:
        data = streams.image(5)
        answer = self.stores(
            **self.moved(default_swift_reference='other')
        ).add(self.image, streams.Stream(data), 5)
        self.assert_stored(data, answer)

    def test_container_is_not_to_be_created(self) -> None:
        made = self.stores(
            **self.moved(swift_store_create_container_on_put=False)
        )
        self.assertRaises(
            exceptions.BackendException,
            made.add,
            self.image,
            streams.Stream(b'x'),
            1,
        )

    def test_own_section_wins(self) -> None:
        sections = self.moved()
        sections['fast']['swift_store_create_container_on_put'] = False
        self.assertRaises(
            exceptions.BackendException,
            self.stores(**sections).add,
            self.image,
            streams.Stream(b'x'),
            1,
        )

    def test_own_container_wins(self) -> None:
        sections = self.moved(swift_store_container='not-this-one')
        sections['fast']['swift_store_container'] = self.container
        answer = self.stores(**sections).add(
            self.image, streams.Stream(b'x'), 1
        )
        self.assert_stored(b'x', answer)


class TestBufferDirectory(base.TestCase):
    """A directory that can't be used costs buffering, nothing else."""

    shares_tokens = True

    def check(self, buffered: bool, **options: Any) -> None:
        data = streams.image(3 * SEGMENT)
        made = self.stores(fast=options)
        self.records.clear()
        answer = made.add(self.image, streams.Stream(data), 0)
        self.assert_stored(data, answer, 3)
        self.assertEqual(data, made.get(answer[0]))
        made.delete(answer[0])
        self.assert_nothing_left()
        warnings = self.records.of(logging.WARNING)
        self.assertEqual(0 if buffered else 1, len(warnings))
        [summary] = [
            each for each in self.records.of(logging.INFO) if 'stored' in each
        ]
        self.assertIn(
            f' {len(data) if buffered else 0} bytes buffered, ', summary
        )

    def test_missing(self) -> None:
        path = Path(self.useFixture(fixtures.TempDir()).path, 'sub')
        self.check(False, swift_buffered_dir=path)
        path.mkdir()
        self.check(True, swift_buffered_dir=path)
        path.rmdir()
        self.check(False, swift_buffered_dir=path)

    def test_a_file(self) -> None:
        path = Path(self.useFixture(fixtures.TempDir()).path, 'file')
        path.touch()
        self.check(False, swift_buffered_dir=path)

    def test_missing_with_a_quota(self) -> None:
        self.check(
            False,
            swift_buffered_dir=f'{self.buffers}/sub',
            swift_buffered_disk_quota=100,
        )

    def test_upstreams_option_is_the_second_choice(self) -> None:
        self.check(True, swift_upload_buffer_dir='/nowhere')
        self.check(
            True, swift_buffered_dir=None, swift_upload_buffer_dir=self.buffers
        )
        self.check(
            False, swift_buffered_dir=None, swift_upload_buffer_dir='/nowhere'
        )
        [warning] = self.records.of(logging.WARNING)
        self.assertIn('/nowhere', warning)

    def test_upstreams_switch_is_ignored(self) -> None:
        for switch in (True, False):
            self.check(
                True,
                swift_buffer_on_upload=switch,
                swift_upload_buffer_dir='/nowhere',
            )
            self.check(
                False,
                swift_buffer_on_upload=switch,
                swift_upload_buffer_dir=self.buffers,
                swift_buffered_dir='/nowhere',
            )

    def test_upstreams_switch_in_backend_defaults(self) -> None:
        data = streams.image(2 * SEGMENT)
        made = self.stores(
            backend_defaults={
                'swift_buffer_on_upload': True,
                'swift_upload_buffer_dir': '/nowhere',
            }
        )
        answer = made.add(self.image, streams.Stream(data), 0)
        self.assert_stored(data, answer, 2)
        self.assertEqual([], self.records.of(logging.WARNING))
