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

"""Slow sources, what the log says, and how long a server asks to wait."""

import functools
import logging
import threading

import fixtures

from glance_store_bufswift.buffer import space
from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support.cloud import site as sites
from glance_store_bufswift.tests.support import streams

SEGMENT = matrix.SEGMENT


def given_up(put: journal.Exchange) -> bool:
    """Whether a segment was not waited for any longer.

    Ceph RGW hangs up, with or without a 500 before. What Swift says depends
    on which of its clocks strikes first: that of the proxy server's reader
    (408) or that of its socket (499).
    """
    if sites.on_rgw():
        return put.upstream_status == 500 or (
            put.finished and put.upstream_status is None
        )
    return put.upstream_status in (408, 499)


@functools.cache
def impatient() -> clouds.Cloud:
    """The cloud with a Swift that waits one second for bytes."""
    return clouds.Cloud.attach().variant(client_timeout=1)


class TestSlowSource(matrix.Case):
    """The source stands still longer than Swift is willing to wait."""

    def setUp(self) -> None:
        super().setUp()
        self.cloud = impatient()
        self.cloud.clear()
        self.addCleanup(self.cloud.clear)
        self.proxy = self.cloud.swift_proxy

    def timed_out(self) -> None:
        """Wait until Swift has run out of patience."""
        self.proxy.wait_for(lambda log: any(given_up(each) for each in log))

    def check(
        self, target: matrix.Target, at: int, known: bool, disk_quota: int = 0
    ) -> None:
        data = streams.image(target.image)
        stream = streams.Stream(data, at=at, then=self.timed_out)
        answer = self.stores(
            fast={
                'swift_buffered_disk_quota': disk_quota,
                'swift_store_large_object_chunk_size': 1 + disk_quota,
            }
        ).add(self.image, stream, len(data) if known else 0)
        self.assert_stored(data, answer)
        first, second = self.puts(target.path)
        self.assertTrue(given_up(first))
        self.assertEqual(201, second.upstream_status)

    def test_segment(self) -> None:
        self.check(matrix.MIDDLE, SEGMENT + 400_000, known=True)

    def test_segment_of_unknown_size(self) -> None:
        self.check(matrix.MIDDLE, SEGMENT + 400_000, known=False)

    def test_unbuffered(self) -> None:
        """The window still has it."""
        self.check(matrix.FIRST, 1_200_000, known=True, disk_quota=1)

    def test_twice_in_a_segment(self) -> None:
        """Before it is sent again it is buffered to its end."""
        data = streams.image(matrix.IMAGE)

        class Twice(streams.Stream):
            def read(self, size: int) -> bytes:
                if self.position == SEGMENT + 700_000:
                    # Twice as long as the patience that nobody needs now.
                    threading.Event().wait(2)
                return super().read(min(size, 100_000))

        stream = Twice(
            data, most=100_000, at=SEGMENT + 300_000, then=self.timed_out
        )
        answer = self.stores().add(self.image, stream, len(data))
        self.assert_stored(data, answer, 3)
        self.assertEqual(2, len(self.puts(matrix.MIDDLE.path)))


class TestWaiting(matrix.Case):
    """How long a server asks to wait; seen in the log, before the wait."""

    def waits(self, header: str, max_backoff: int) -> str:
        self.inject(matrix.status(429, Retry_After=header), matrix.MIDDLE)
        self.recovers(swift_buffered_max_backoff=max_backoff)
        [line] = [
            line
            for line in self.records.of(logging.INFO)
            if 'the next one follows' in line
        ]
        self.assertIn(
            '/00000002 failed (429 Too Many Requests, '
            f'transaction id {matrix.TRANSACTION}), try 1 of 3',
            line,
        )
        return line.rpartition(' follows in ')[2]

    def test_honoured(self) -> None:
        self.assertEqual('1.0 s', self.waits('1', 30))

    def test_bounded(self) -> None:
        self.assertEqual('1.0 s', self.waits('1000', 1))

    def test_nonsense(self) -> None:
        self.assertEqual('0.0 s', self.waits('tomorrow', 0))


class TestSummary(matrix.Case):
    def test_retries_and_buffers(self) -> None:
        """One line sums an upload up."""
        self.inject(faults.Reset(after=5), matrix.FIRST)
        self.inject(matrix.status(503), matrix.LATEST)
        self.recovers()
        [line] = [
            line
            for line in self.records.of(logging.INFO)
            if f'Image {self.image} stored: ' in line
        ]
        self.assertRegex(
            line,
            f'stored: {matrix.IMAGE} bytes in 3 segments, 2 retries, '
            rf'{matrix.IMAGE} bytes buffered, 0 unbuffered, \d+\.\d s, ',
        )

    def test_disk_fails_in_mid_segment(self) -> None:
        """Some bytes are buffered, some are not, and none is lost."""
        calls: list[int] = []

        def write(file: space.BufferFile, block: bytes, position: int) -> None:
            calls.append(position)
            if len(calls) == 2:
                raise OSError(28, 'No space left on device')
            really(file, block, position)

        really = space.BufferFile.write
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.buffer.space.BufferFile.write', write
            )
        )
        self.inject(faults.Reset(after=faults.WHOLE), matrix.MIDDLE)
        self.recovers(swift_buffered_threads=1)
        self.assertEqual(
            1,
            len(
                [
                    line
                    for line in self.records.of(logging.WARNING)
                    if 'No space left on device' in line
                ]
            ),
        )
