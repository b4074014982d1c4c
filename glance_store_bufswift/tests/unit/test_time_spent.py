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

"""Where the log says that the time of uploads and downloads went."""

from concurrent import futures
import logging
import threading
from typing import Any
from unittest import mock

import fixtures
from glance_store import exceptions
from oslotest import base

from glance_store_bufswift.buffer import segment
from glance_store_bufswift.buffer import space
from glance_store_bufswift import digests
from glance_store_bufswift import download
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift import opts
from glance_store_bufswift import stopwatch
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import pool
from glance_store_bufswift.swift import retry
from glance_store_bufswift.tests.support import logs
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import fakes
from glance_store_bufswift.tests.unit import refusal
from glance_store_bufswift.tests.unit import waits
from glance_store_bufswift import transfers
from glance_store_bufswift import upload

SEGMENT = 1000

#: Seconds that each of these takes in a test.
READ, WRITE, HASH = 1, 10, 100


class _TestCase(base.BaseTestCase):
    """Time passes only where a test says so."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.useFixture(waits.Clock())
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.swift = fakes.Swift()
        self.account = fakes.Account(self.swift)
        self.records = self.useFixture(logs.Records())
        for name, value in (
            ('units.BLOCK', SEGMENT),
            ('cleanup.SETTLE_SECONDS', 0),
        ):
            self.useFixture(
                fixtures.MonkeyPatch(f'glance_store_bufswift.{name}', value)
            )

    def requests_take(self, seconds: dict[tuple[str, str], float]) -> None:
        """Have requests take time, by method and the end of the name."""

        def before(method: str, name: str) -> None:
            for (asked, end), each in seconds.items():
                if method == asked and name.endswith(end):
                    self.clock.spend(each)

        self.swift.before = before

    def line(self, level: int = logging.INFO) -> str:
        """The only one of a level."""
        (line,) = self.records.of(level)
        self.assertEqual([], self.records.doubled())
        return line

    def shares(self, line: str) -> dict[str, float]:
        """The seconds of each share, without those that are 0."""
        return {
            name.removesuffix('_s'): float(value)
            for name, value in logs.words(line).items()
            if name.endswith('_s') and float(value)
        }


class TestUpload(_TestCase):
    """Reading, writing and hashing take time for each segment."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(
            fixtures.MockPatchObject(segment, 'BUFFERED_WINDOW', 0)
        )
        write = space.BufferFile.write

        def slow(file: space.BufferFile, block: bytes, position: int) -> None:
            self.clock.spend(WRITE)
            write(file, block, position)

        self.useFixture(
            fixtures.MockPatchObject(
                space.BufferFile, 'write', autospec=True, side_effect=slow
            )
        )

    def slow_digests(self) -> digests.Digests:
        made = digests.Digests('sha512')
        made.update = mock.create_autospec(  # type: ignore[method-assign]
            made.update, side_effect=lambda block: self.clock.spend(HASH)
        )
        return made

    def upload(self, segments: int, **how: Any) -> None:
        stream = mock.create_autospec(streams.Stream, instance=True)
        left = [bytes(SEGMENT)] * segments

        def read(size: int) -> bytes:
            if left:
                self.clock.spend(READ)
            return left.pop() if left else b''

        stream.read.side_effect = read
        taken = self.slow_digests()
        # Segments are hashed as they are written, which none is here.
        taken.end_segment = mock.create_autospec(  # type: ignore
            taken.end_segment, side_effect=self.md5
        )
        how = {
            'directory': self.directory,
            'min_free_percent': 0,
            'segment_size': SEGMENT,
            'plain_limit': SEGMENT,
            **how,
        }
        upload.Upload(
            self.account,
            layout.Layout('images', 'id', 'try'),
            opts.Settings(**how),
            stream,
            0,
            taken,
        ).run()

    def md5(self) -> 'futures.Future[str]':
        known: futures.Future[str] = futures.Future()
        known.set_result(fakes.md5(bytes(SEGMENT)))
        return known

    def test_all_on_one_thread(self) -> None:
        self.requests_take(
            {
                ('PUT', '00000001'): 1000,
                ('PUT', 'id'): 2000,
                ('HEAD', 'id'): 10_000,
            }
        )
        with refusal.Threads(0):
            self.upload(3)
        line = self.line()
        shares = self.shares(line)
        looks = [
            each for each in self.swift.requests if each == ('HEAD', 'id')
        ]
        self.assertEqual(
            {
                'source': 3 * READ,
                'disk': 3 * WRITE,
                'digests': 3 * HASH,
                'swift': 3000 + 10_000 * (len(looks) - 1),
                'listing': 10_000,
            },
            shares,
        )
        told = logs.words(line)
        self.assertEqual(
            ('stored', 'id', '3000', '3', '0', '3000', '0'),
            tuple(
                told[name]
                for name in (
                    'upload',
                    'image',
                    'bytes',
                    'segments',
                    'retries',
                    'buffered',
                    'unbuffered',
                )
            ),
        )
        self.assertEqual(sum(shares.values()), float(told['seconds']))

    def test_sentence(self) -> None:
        with refusal.Threads(0):
            self.upload(3)
        sentence, _, words = self.line().partition(' | ')
        self.assertEqual(
            'Image id stored: 3000 bytes in 3 segments, 0 retries, 3000 '
            'bytes buffered, 0 unbuffered, 333.0 s, 300.0 s of it for the '
            'digests',
            sentence,
        )
        self.assertEqual(
            'upload=stored image=id bytes=3000 segments=3 retries=0 '
            'buffered=3000 unbuffered=0 seconds=333.000 source_s=3.000 '
            'disk_s=30.000 digests_s=300.000 swift_s=0.000 listing_s=0.000 '
            'cleanup_s=0.000 other_s=0.000 retries_s=0.000',
            words,
        )

    def test_one_object(self) -> None:
        self.requests_take({('PUT', 'id'): 2000})
        with refusal.Threads(0):
            self.upload(1)
        self.assertEqual(
            {'source': READ, 'disk': WRITE, 'digests': HASH, 'swift': 2000},
            self.shares(self.line()),
        )

    def test_wait_for_a_place(self) -> None:
        """No segment ends before the next one waits for its place."""
        waiting = threading.Semaphore(0)
        wait = transfers.Transfers._wait_for_change

        def slow(segments: transfers.Transfers) -> None:
            self.clock.spend(5000)
            waiting.release()
            wait(segments)

        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.transfers.Transfers._wait_for_change',
                slow,
            )
        )

        def before(method: str, name: str) -> None:
            if method == 'END' and not name.endswith('3'):
                waiting.acquire()

        self.account.client.before = before
        self.upload(3, threads=1)
        shares = self.shares(self.line())
        self.assertEqual(3 * READ, shares['source'])
        # One whose last byte has gone wakes the caller too.
        self.assertLessEqual(2 * 5000, shares['swift'])
        self.assertEqual(0, shares['swift'] % 5000)
        self.assertNotIn('other', shares)

    def test_wait_for_the_last(self) -> None:
        wait = futures.wait

        def slow(*args: Any, **kwargs: Any) -> Any:
            self.clock.spend(5000)
            return wait(*args, **kwargs)

        self.useFixture(fixtures.MonkeyPatch('concurrent.futures.wait', slow))
        self.upload(3)
        self.assertEqual(5000, self.shares(self.line())['swift'])

    def test_window_is_swifts(self) -> None:
        """Without a file a write waits until Swift has taken enough."""
        wait = segment.SegmentBody._wait_for_window

        def slow(sent: segment.SegmentBody, size: int) -> None:
            self.clock.spend(7000)
            wait(sent, size)

        self.useFixture(
            fixtures.MockPatchObject(
                segment.SegmentBody,
                '_wait_for_window',
                autospec=True,
                side_effect=slow,
            )
        )
        self.upload(2, directory='/nowhere')
        self.assertEqual(
            {'source': 2 * READ, 'digests': 2 * HASH, 'swift': 2 * 7000},
            self.shares(self.line()),
        )

    def test_failed(self) -> None:
        self.requests_take({('LIST', ''): 3000})
        before = self.swift.before

        def fail(method: str, name: str) -> None:
            before(method, name)
            if (method, name[-1]) == ('PUT', '2'):
                raise errors.RequestFailed('503 = no', 503)

        self.swift.before = fail
        with refusal.Threads(0):
            self.assertRaises(errors.RequestFailed, self.upload, 3)
        line = self.line(logging.WARNING)
        listings = [each for each in self.swift.requests if each[0] == 'LIST']
        self.assertEqual(3000 * len(listings), self.shares(line)['cleanup'])
        told = logs.words(line)
        self.assertEqual(
            ('failed', '1', '0', 'RequestFailed'),
            (told['upload'], told['stored'], told['left'], told['cause']),
        )


class TestPauses(_TestCase):
    def test_retries(self) -> None:
        account = fakes.Account(self.swift, retries=2)
        pauses = iter((10, 200))
        account.client._policy.cancelled.wait = mock.create_autospec(  # type: ignore
            account.client._policy.cancelled.wait,
            side_effect=lambda seconds: self.clock.spend(next(pauses)),
        )
        self.swift.store('id', b'image', {})
        answers = iter((fakes.failed(503), fakes.failed(503), None))

        def before(method: str, name: str) -> None:
            if answer := next(answers, None):
                raise answer

        self.swift.before = before
        data = b''.join(
            download.start(account, 'c', 'id', 0, None, opts.Settings())
        )
        self.assertEqual(b'image', data)
        line = self.records.of(logging.INFO)[-1]
        # Those of the first answer are a part of the wait for it.
        self.assertEqual({'lookup': 210, 'retries': 210}, self.shares(line))
        self.assertEqual('2', logs.words(line)['retries'])

    def test_of_an_account(self) -> None:
        """What cleans up afterwards is not counted with an upload."""
        policy = retry.Policy(1, 30, cancelled=waits.Waits())
        account = accounts.Account(
            client.Client(pool.Endpoint('http://nowhere'), policy)
        )
        with policy.pauses.share(stopwatch.RETRIES):
            self.clock.spend(4)
        self.assertEqual(
            (4, 0), (account.client.paused, account.fresh().client.paused)
        )


class TestDownload(_TestCase):
    def start(self, size: int | None = None) -> download.Download:
        return download.start(
            self.account, 'c', 'id', 0, size, opts.Settings()
        )

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.swift.opening.READ_BLOCK', 400
            )
        )
        self.swift.store('id', bytes(SEGMENT), {})
        self.requests_take({('GET', 'id'): 3, ('HEAD', 'id'): 50})

    def test_whole(self) -> None:
        begun = self.start()
        for _ in begun:
            self.clock.spend(10)
        line = self.line()
        self.assertEqual(
            'Image id read: 1000 of 1000 bytes, 0 retries, 33.0 s, 30.0 s of '
            'it for the client | download=whole image=id bytes=1000 '
            'size=1000 retries=0 seconds=33.000 lookup_s=3.000 swift_s=0.000 '
            'client_s=30.000 retries_s=0.000',
            line,
        )

    def test_swift_is_waited_for(self) -> None:
        begun = self.start()
        read = begun._reader.read

        def slow() -> bytes:
            self.clock.spend(7)
            return read()

        self.useFixture(
            fixtures.MockPatchObject(
                begun._reader, 'read', autospec=True, side_effect=slow
            )
        )
        list(begun)
        self.assertEqual(
            {'lookup': 3, 'swift': 4 * 7}, self.shares(self.line())
        )

    def test_part(self) -> None:
        """The client goes away; a range is all that was asked for."""
        begun = self.start()
        next(begun)
        begun.close()
        begun.close()
        told = logs.words(self.line())
        self.assertEqual(
            ('part', '400', '1000'),
            (told['download'], told['bytes'], told['size']),
        )
        self.records.clear()
        begun = self.start(size=300)
        next(begun)
        del begun
        told = logs.words(self.line())
        self.assertEqual(
            ('whole', '300', '300'),
            (told['download'], told['bytes'], told['size']),
        )

    def test_failed(self) -> None:
        begun = self.start()
        next(begun)
        self.useFixture(
            fixtures.MockPatchObject(
                begun._reader,
                'read',
                autospec=True,
                side_effect=errors.RequestFailed('GET failed: 503', 503),
            )
        )
        self.assertRaises(exceptions.RemoteServiceUnavailable, next, begun)
        line = self.line(logging.WARNING)
        self.assertRegex(
            line,
            '^Image id was not read to its end: 400 of 1000 bytes, 0 '
            r'retries, 3\.0 s, .*; cause: RequestFailed: GET failed: 503 \| '
            'download=failed .* cause=RequestFailed seconds=',
        )
        self.assertEqual([], self.records.of(logging.INFO))
