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

"""The buffer directory."""

import dataclasses
import os
from pathlib import Path
from typing import Any
from unittest import mock

import fixtures
from oslotest import base

from glance_store_bufswift.buffer import quota
from glance_store_bufswift.check import disk
from glance_store_bufswift.check import finding
from glance_store_bufswift import opts
from glance_store_bufswift import units

MIB = units.MIB


class TestBuffers(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.mounts = Path(self.directory, 'mounts')
        self.mounted('ext4')
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.check.mounts.MOUNT_TABLE',
                str(self.mounts),
            )
        )

    def mounted(self, kind: str) -> None:
        self.mounts.write_text(f'1 0 8:1 / / rw - {kind} x rw\n')

    def look(
        self, uploads: int = 2, named: bool = True, **settings: Any
    ) -> list[finding.Finding]:
        own = opts.Settings(
            directory=self.directory,
            min_free_percent=0,
            segment_size=MIB,
            threads=3,
        )
        return list(
            disk.findings(dataclasses.replace(own, **settings), uploads, named)
        )

    def bad(self, **settings: Any) -> list[tuple[str, str]]:
        """How bad what is not well is, and what is said of it."""
        return [
            (each.result.value, each.found)
            for each in self.look(**settings)
            if each.result is not finding.Result.OK
        ]

    def test_a_directory_of_others(self) -> None:
        for mode, result in (
            (0o700, []),
            (0o755, ['warning']),
            (0o770, ['warning']),
        ):
            os.chmod(self.directory, mode)
            self.assertEqual(result, [each for each, _ in self.bad()])
        self.assertIn('chmod 0700', self.look()[1].advice)

    def test_a_directory_that_is_not_named(self) -> None:
        os.chmod(self.directory, 0o777)
        [(result, found)] = self.bad(named=False)
        self.assertEqual('warning', result)
        self.assertIn('swift_buffered_dir is not set', found)

    def test_root_looks(self) -> None:
        """It may write where glance-api may not."""
        for user, result in ((0, ['warning']), (os.getuid() + 1, [])):
            with mock.patch.object(os, 'geteuid', lambda user=user: user):
                with mock.patch.object(os, 'stat', self.owned_by_somebody):
                    self.assertEqual(
                        result, [each for each, _ in self.bad()], str(user)
                    )

    def owned_by_somebody(self, path: Any, *args: Any, **kwargs: Any) -> Any:
        true = os.lstat(path)
        return os.stat_result([*true[:4], 12345, *true[5:]])

    def test_quota_beyond_the_disk(self) -> None:
        self.file_system(blocks=1000, free=900)
        [(result, found)] = self.bad(disk_quota=1001 * MIB)
        self.assertEqual('warning', result)
        self.assertIn('bounds nothing', found)

    def file_system(self, **values: int) -> None:
        """Have the file system tell this of itself; blocks of one MiB."""
        stat = mock.Mock(spec_set=['f_blocks', 'f_bavail', 'f_frsize'])
        stat.f_frsize = MIB
        stat.f_blocks, stat.f_bavail = values['blocks'], values['free']
        self.useFixture(fixtures.MonkeyPatch('os.statvfs', lambda _: stat))

    def test_well(self) -> None:
        self.assertEqual([], self.bad())
        self.assertEqual([self.mounts.name], os.listdir(self.directory))

    def test_missing(self) -> None:
        [(result, found)] = self.bad(directory='/nowhere')
        self.assertEqual('error', result)
        self.assertIn('/nowhere does not exist', found)

    def test_a_quota_too_small_is_told_without_a_directory_too(self) -> None:
        results = [
            result
            for result, _ in self.bad(directory='/nowhere', disk_quota=1)
        ]
        self.assertEqual(['error', 'error'], results)

    def test_not_writable(self) -> None:
        with mock.patch(
            'tempfile.TemporaryDirectory',
            autospec=True,
            side_effect=PermissionError(13, 'no'),
        ):
            [(result, found)] = self.bad()
        self.assertEqual('error', result)
        self.assertIn('can not be written to', found)

    def test_takes_no_segment(self) -> None:
        [(result, found)] = [
            each
            for each in self.bad(segment_size=1 << 60)
            if 'can not be buffered' in each[1]
        ]
        self.assertEqual('error', result)

    def test_a_quota_file_of_another_user(self) -> None:
        path = Path(self.directory, quota.FILE_NAME)
        path.touch()
        self.assertEqual([], self.bad())
        with mock.patch(
            'os.geteuid', autospec=True, return_value=path.stat().st_uid + 1
        ):
            [(result, found)] = self.bad()
        self.assertEqual('error', result)
        self.assertIn('belongs to user', found)

    def test_over_a_network(self) -> None:
        self.mounted('nfs4')
        [(result, found)] = self.bad()
        self.assertEqual('warning', result)
        self.assertIn('nfs4', found)

    def test_in_memory(self) -> None:
        self.mounted('tmpfs')
        self.assertEqual(['warning'], [each[0] for each in self.bad()])
        self.assertEqual([], self.bad(disk_quota=100 * MIB))

    def test_free_space(self) -> None:
        """Two uploads of three threads, of one MiB each, ten percent kept."""
        for free, result in (
            (18, []),
            (17, ['warning']),
            (11, ['warning']),
            (10, ['error']),
        ):
            self.file_system(blocks=100, free=free)
            bad = [
                each
                for each in self.bad(min_free_percent=10)
                if 'may be used' in each[1]
            ]
            self.assertEqual(result, [each[0] for each in bad], str(free))

    def test_a_quota_bounds_what_has_to_be_free(self) -> None:
        self.file_system(blocks=100, free=5)
        self.assertEqual(
            ['warning'],
            [each[0] for each in self.bad() if 'may be used' in each[1]],
        )
        self.assertEqual(
            [],
            [
                each
                for each in self.bad(disk_quota=5 * MIB)
                if 'may be used' in each[1]
            ],
        )

    def test_a_file_system_without_a_size(self) -> None:
        self.file_system(blocks=0, free=0)
        self.assertEqual(
            ['warning'],
            [each[0] for each in self.bad() if 'its size' in each[1]],
        )

    def test_quota(self) -> None:
        """U * (threads + 1) + 1 segments, as the option's help says."""
        for mib, result in ((9, []), (8, ['warning']), (1, ['warning'])):
            bad = self.bad(disk_quota=mib * MIB)
            self.assertEqual(result, [each[0] for each in bad], str(mib))

    def test_a_quota_counts_whole_mib(self) -> None:
        """Of a segment of one MiB and a byte it takes two."""
        [(result, _)] = self.bad(disk_quota=MIB, segment_size=MIB + 1)
        self.assertEqual('error', result)
        last = self.look(disk_quota=MIB, segment_size=MIB + 1)[-1]
        self.assertEqual(
            'set swift_buffered_disk_quota to 18 or more', last.advice
        )
