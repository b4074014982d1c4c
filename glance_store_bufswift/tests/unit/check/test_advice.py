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

"""What is proposed for which figures."""

from typing import Any

from oslotest import base

from glance_store_bufswift.check import advice
from glance_store_bufswift.check import finding
from glance_store_bufswift.check import table
from glance_store_bufswift import opts
from glance_store_bufswift.tests.unit.check import measured
from glance_store_bufswift import units


class TestLines(base.BaseTestCase):
    def line(self, option: str, **what: Any) -> advice.Proposal:
        (found,) = [
            line
            for line in advice.proposals(measured.store(**what))
            if line.option == option
        ]
        return found

    def value(self, option: str, **what: Any) -> Any:
        return self.line(option, **what).value

    def test_threads(self) -> None:
        """As many as have use, and two at least."""
        for up, wanted in (
            ([60, 120, 235, 240], 4),
            ([60, 120, 125, 130], 2),
            ([60, 120, 240, 480], 8),
            ([300, 300, 9, 9], 2),
            ([60], 2),
            ([10, 20, 90, 60], 4),
        ):
            self.assertEqual(
                wanted,
                self.value(
                    'swift_buffered_threads', up=up, down=[1] * len(up)
                ),
                str(up),
            )

    def test_threads_beyond_the_digests(self) -> None:
        digests = {'md5': 150, 'sha256': 300, 'sha512': 500}
        line = self.line('swift_buffered_threads', digests=digests, pair=None)
        self.assertEqual(4, line.value)
        digests['md5'] = 125
        line = self.line('swift_buffered_threads', digests=digests, pair=None)
        self.assertEqual((2, 4), (line.value, line.now))
        self.assertIn('more than 125 MB/s an upload can not hash', line.reason)
        # The accelerator is slower than one MD5 alone.
        digests['md5'] = 500
        self.assertEqual(
            2, self.value('swift_buffered_threads', digests=digests, pair=125)
        )

    def test_threads_beyond_all_digests_in_one_pass(self) -> None:
        for sha256, threads in ((500, 2), (1950, 4)):
            self.assertEqual(
                threads,
                self.value(
                    'swift_buffered_threads',
                    digests=measured.DIGESTS | {'sha256': sha256},
                    triple=125,
                ),
            )

    def test_threads_beyond_digests_in_two_passes(self) -> None:
        """Three cores do them side by side, if that is faster."""
        for cores, triple, sha512, threads in (
            (2, 125, 500, 2),
            (3, 125, 500, 4),
            (3, 500, 125, 4),
        ):
            self.assertEqual(
                threads,
                self.value(
                    'swift_buffered_threads',
                    digests={'md5': 845, 'sha256': 90, 'sha512': sha512},
                    triple=triple,
                    cores=cores,
                ),
            )

    def test_read_threads(self) -> None:
        self.assertEqual(
            8, self.value('swift_buffered_read_threads', down=[10, 20, 40, 80])
        )
        self.assertEqual(
            2, self.value('swift_buffered_read_threads', down=[80, 80, 80, 80])
        )

    def test_reason_of_threads(self) -> None:
        self.assertEqual(
            'Swift takes 60 MB/s over 1, 235 MB/s over 4, 240 MB/s over 8',
            self.line('swift_buffered_threads').reason,
        )

    def test_segment(self) -> None:
        """Half a second of a connection, or ten times an object's cost."""
        for stream, put, wanted in (
            (60, 0.02, 32),
            (60, 0.3, 176),
            (60, 1, 200),
            (5, 0.02, 16),
            (100, 0.02, 48),
            (900, 0.02, 200),
        ):
            self.assertEqual(
                wanted,
                self.value(
                    'swift_store_large_object_chunk_size',
                    stream=stream,
                    put=put,
                ),
                f'{stream} {put}',
            )

    def test_segment_of_a_fast_site(self) -> None:
        """What a PUT of one byte takes is not more than one of many."""
        store = measured.store(up=[100] * 4, put=9)
        self.assertAlmostEqual(400e6, store.traffic.stream, delta=1)

    def test_quota(self) -> None:
        # 32 * 1,024,000 bytes are 31.25 MiB.
        wanted = (3 * 5 + 1) * 32
        for room, told in (
            (None, wanted),
            (wanted, wanted),
            (wanted - 1, wanted - 1),
            (31, wanted),
        ):
            self.assertEqual(
                told,
                self.value(
                    'swift_buffered_disk_quota',
                    uploads=3,
                    stream=60,
                    room=None if room is None else room * units.MIB,
                ),
                str(room),
            )
        self.assertIn(
            '31 MiB for it: add space',
            self.line('swift_buffered_disk_quota', room=31 * units.MIB).reason,
        )

    def test_hashing(self) -> None:
        for sha256, sha512, wanted in (
            (1950, 866, 'sha256'),
            (400, 600, 'sha512'),
            (640, 600, 'sha512'),
        ):
            line = self.line(
                'hashing_algorithm',
                digests={'md5': 700, 'sha256': sha256, 'sha512': sha512},
            )
            self.assertEqual(
                ('DEFAULT', wanted, 'sha512'),
                (line.section, line.value, line.now),
            )

    def test_what_is_set_now(self) -> None:
        settings = opts.Settings(
            threads=7,
            read_threads=6,
            disk_quota=5 * units.MIB,
            segment_size=64 * advice.SIZE_UNIT,
        )
        self.assertEqual(
            {
                'hashing_algorithm': 'sha512',
                'swift_buffered_threads': 7,
                'swift_buffered_read_threads': 6,
                'swift_buffered_disk_quota': 5,
                'swift_store_large_object_chunk_size': 64,
            },
            {
                line.option: line.now
                for line in advice.proposals(measured.store(settings=settings))
            },
        )


class TestFindings(base.BaseTestCase):
    def bad(self, **what: Any) -> list[tuple[str, str]]:
        store = measured.store(**what)
        found = list(table.findings(store, advice.proposals(store)))
        for each in found:
            well = each.result is finding.Result.OK
            self.assertEqual(
                (well, not well),
                (bool(each.figures), bool(each.advice)),
                str(each),
            )
        return [
            (each.subject, each.found)
            for each in found
            if each.result is not finding.Result.OK
        ]

    def test_well(self) -> None:
        self.assertEqual([], self.bad())

    def test_figures(self) -> None:
        store = measured.store()
        told = [
            (each.subject, each.figures)
            for each in table.findings(store, advice.proposals(store))
        ]
        self.assertIn(
            ('speed', {'connections': 4, 'up': 235e6, 'down': 200e6}), told
        )
        self.assertIn(('requests', {'head': 0.004, 'put': 0.02}), told)
        self.assertIn(('disk', {'rate': 500e6}), told)
        self.assertIn(('proposal', {'swift_buffered_threads': 4}), told)

    def test_slow_requests(self) -> None:
        ((subject, text),) = self.bad(head=0.5)
        self.assertEqual('requests', subject)
        self.assertIn('a HEAD takes 0.5 s', text)

    def test_slow_disk(self) -> None:
        ((subject, text),) = self.bad(disk=80)
        self.assertEqual('disk', subject)
        self.assertIn('takes 80 MB/s, Swift 240 MB/s', text)

    def test_no_disk(self) -> None:
        ((subject, text),) = self.bad(disk=None)
        self.assertEqual('disk', subject)
        self.assertIn('its speed is not known', text)
