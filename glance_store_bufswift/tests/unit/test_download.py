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

"""Downloads: what is asked for, and what is made of it."""

import gc
import json
import threading
from typing import Any

import fixtures
from glance_store import exceptions
from oslotest import base

from glance_store_bufswift import download
from glance_store_bufswift import errors
from glance_store_bufswift import former
from glance_store_bufswift import layout
from glance_store_bufswift import manifest
from glance_store_bufswift import opts
from glance_store_bufswift.reader import lookup
from glance_store_bufswift.reader import memory
from glance_store_bufswift import record
from glance_store_bufswift import segmenting
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import fakes
from glance_store_bufswift.tests.unit import refusal

#: Bytes in a segment, and in a piece.
SEGMENT, PIECE = 1000, 300

DATA = streams.image(4 * SEGMENT + 123)
STOCK = {'X-Object-Manifest': 'c/id-'}


class _TestCase(base.BaseTestCase):
    #: Bytes a second that no connection reaches: several are used.
    fast = float('inf')

    def setUp(self) -> None:
        super().setUp()
        for name, value in (
            ('reader.parts.MAX_PIECE', PIECE),
            ('reader.gauge.SAMPLE_SIZE', 1),
            ('reader.lookup.ONE_CONNECTION_SIZE', PIECE),
            ('reader.gauge.FAST_RATE', self.fast),
            ('swift.opening.READ_BLOCK', 128),
        ):
            self.useFixture(
                fixtures.MonkeyPatch(f'glance_store_bufswift.{name}', value)
            )
        self.swift = fakes.Swift()
        self.where = layout.Layout('c', 'id', 'try')
        self.settings = opts.Settings()
        gc.collect()
        self.assertEqual(0, memory.SHARED.taken)

    def store(self, data: bytes = DATA) -> list[str]:
        """Have an image of ours; gives its segments' names."""
        blocks = [
            data[at : at + SEGMENT] for at in range(0, len(data), SEGMENT)
        ]
        names = [
            self.where.segment(number) for number in range(1, len(blocks) + 1)
        ]
        for name, block in zip(names, blocks, strict=True):
            self.swift.store(name, block, {})
        manifest.write(
            fakes.Account(self.swift),
            self.where,
            [
                manifest.StoredSegment(len(block), fakes.md5(block))
                for block in blocks
            ],
            segmenting.SegmentPlan(0, 1),
            former.FormerImages(self.where),
        )
        self.swift.requests.clear()
        return names

    def store_stocks(self, data: bytes = DATA) -> list[str]:
        """Have an image of the stock driver's; gives its segments' names."""
        names = []
        for number, at in enumerate(range(0, len(data), SEGMENT), 1):
            names.append(f'id-{number:05d}')
            self.swift.store(names[-1], data[at : at + SEGMENT], {})
        self.swift.store('id', b'', STOCK)
        return names

    def start(
        self, offset: int = 0, size: int | None = None, retries: int = 0
    ) -> download.Download:
        return download.start(
            fakes.Account(self.swift, retries),
            'c',
            'id',
            offset,
            size,
            self.settings,
        )

    def read(
        self, offset: int = 0, size: int | None = None, retries: int = 0
    ) -> bytes:
        """What is read, which is as long as is told; all is given back."""
        begun = self.start(offset, size, retries)
        data = b''.join(begun)
        self.assertEqual(len(data), len(begun))
        self.assert_nothing_left()
        return data

    def check(self, **how: Any) -> None:
        """The image is read whole, in parts, and its size is right."""
        for offset, size in (
            (0, None),
            (0, 1),
            (SEGMENT - 1, 2),
            (SEGMENT, SEGMENT),
            (5, 3 * SEGMENT),
            (len(DATA) - 1, None),
            (len(DATA) - 9, 99),
        ):
            end = None if size is None else offset + size
            self.assertEqual(DATA[offset:end], self.read(offset, size, **how))
        self.assertEqual(len(DATA), self.size())

    def size(self) -> int:
        return lookup.size_of(fakes.Account(self.swift), 'c', 'id')

    def lost(self, retries: int = 0, **what: Any) -> str:
        """What is said of an image that can't be read."""
        try:
            got = b''.join(self.start(retries=retries, **what))
        except (
            errors.RequestFailed,
            exceptions.BackendException,
            exceptions.RemoteServiceUnavailable,
        ) as exc:
            self.assert_nothing_left()
            return str(exc)
        self.fail(f'{len(got)} bytes were read')

    def assert_nothing_left(self) -> None:
        self.assertEqual(0, memory.SHARED.taken)
        self.assertEqual(
            [],
            [
                thread
                for thread in threading.enumerate()
                if thread.name.startswith('bufswift')
            ],
        )


class TestOurs(_TestCase):
    """Images that tell what they are made of."""

    def test_whole_and_in_parts(self) -> None:
        self.store()
        self.check()

    def test_whatever_the_listing_says(self) -> None:
        self.swift.unlisted.update(self.store())
        self.check()
        self.assertNotIn('LIST', {each for each, _ in self.swift.requests})

    def test_segments_that_share_a_fingerprint(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.record.MAX_FINGERPRINTS', 2
            )
        )
        self.swift.unlisted.update(self.store())
        self.check()

    def test_requests_before_the_first_byte(self) -> None:
        names = self.store()
        next(self.start())
        self.assertEqual(
            [('GET', 'id'), ('GET', names[0])], self.swift.requests[:2]
        )

    def test_behind_the_end(self) -> None:
        self.store()
        exc = self.assertRaises(errors.RequestFailed, self.start, len(DATA))
        self.assertEqual(416, exc.status)

    def test_missing(self) -> None:
        self.assertRaises(errors.NoImage, self.start)
        self.assertRaises(errors.NoImage, self.start, 5)
        self.assertRaises(errors.NoImage, self.size)

    def test_no_record_as_swift_takes_no_more(self) -> None:
        puts = []

        def refuse(method: str, name: str) -> None:
            if (method, name) == ('PUT', 'id'):
                puts.append(name)
                # With a condition and without; then without the record.
                if len(puts) < 3:
                    raise errors.RequestFailed('400 too much metadata', 400)

        self.swift.before = refuse
        self.store()
        self.assertNotIn(record.SIZES_HEADER, self.swift.objects['id'][1])
        self.check()


class TestFaults(_TestCase):
    """Right bytes, or an error."""

    def test_first_segment_is_missing(self) -> None:
        del self.swift.objects[self.store()[0]]
        exc = self.assertRaises(errors.RequestFailed, self.start)
        self.assertEqual(404, exc.status)

    def test_later_segment_is_missing(self) -> None:
        names = self.store()
        for name in names[1:]:
            data = self.swift.objects.pop(name)
            self.assertIn(name, self.lost())
            self.swift.objects[name] = data

    def test_bytes_before_what_is_missing_are_right(self) -> None:
        del self.swift.objects[self.store()[3]]
        got: list[bytes] = []
        self.assertRaises(
            exceptions.BackendException, got.extend, self.start()
        )
        self.assertEqual(DATA[: 3 * SEGMENT], b''.join(got))
        self.assert_nothing_left()

    def replace(self, number: int, data: bytes) -> None:
        self.swift.store(self.store()[number], data, {})

    def test_another_object_of_the_same_length(self) -> None:
        other = streams.image(SEGMENT, seed=9)
        for number in range(4):
            self.replace(number, other)
            self.assertIn('another object', self.lost())
            self.lost(offset=number * SEGMENT + 5, size=1)

    def test_another_length(self) -> None:
        for data in (DATA[: SEGMENT - 1], DATA[: SEGMENT + 1], b''):
            self.replace(0, data)
            self.lost()
            self.lost(offset=0, size=5)

    def test_another_object_where_fingerprints_are_shared(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.record.MAX_FINGERPRINTS', 2
            )
        )
        other = streams.image(SEGMENT, seed=9)
        for number in range(4):
            self.replace(number, other)
            self.lost()
            # Another one of the group would do as well.
            self.lost(offset=number * SEGMENT, size=1)

    def test_a_replica_behind(self) -> None:
        """What it has is asked for once more."""
        names = self.store()
        good = self.swift.objects[names[1]]
        other: list[Any] = [None, (streams.image(SEGMENT, seed=9), {})]
        for bad in other:
            seen: list[str] = []

            def behind(
                method: str, name: str, bad: Any = bad, seen: list[str] = seen
            ) -> None:
                if name != names[1] or method != 'GET':
                    return
                seen.append(name)
                if len(seen) == 1 and bad is None:
                    raise fakes.failed(404)
                self.swift.objects[name] = bad if len(seen) == 1 else good

            self.swift.before = behind
            self.assertEqual(DATA, self.read(retries=1))

    def test_gives_up(self) -> None:
        del self.swift.objects[self.store()[1]]
        self.assertIn('tried 3 times', self.lost(retries=2))


class TestListed(_TestCase):
    """Images that don't tell what they are made of."""

    def test_stocks(self) -> None:
        self.store_stocks()
        self.check()

    def test_of_a_client(self) -> None:
        for number in range(5):
            at = number * SEGMENT
            self.swift.store(f'else/{number}', DATA[at : at + SEGMENT], {})
        self.swift.store('id', b'', {'X-Object-Manifest': 'c/else/'})
        self.check()

    def test_ours_of_an_early_release(self) -> None:
        self.store()
        self.swift.store('id', b'', self.where.dlo_headers(5))
        self.check()

    def test_stocks_in_no_segment(self) -> None:
        self.swift.store('id', b'', STOCK)
        self.assertEqual((b'', 0), (self.read(), self.size()))

    def test_segment_that_is_not_listed(self) -> None:
        self.store()
        self.swift.store('id', b'', self.where.dlo_headers(5))
        for name in (self.where.segment(1), self.where.segment(5)):
            self.swift.unlisted = {name}
            self.assertIn('4 segments instead of 5', self.lost())
            self.lost(offset=1, size=1)
            self.assertRaises(errors.RequestFailed, self.size)

    def test_segments_of_stocks_that_are_not_listed(self) -> None:
        names = self.store_stocks()
        for unlisted in ({names[0]}, {names[2]}, {names[-1]}, set(names)):
            self.swift.unlisted = unlisted
            self.assertIn(f'lacks {min(unlisted)}', self.lost())
            self.lost(offset=1, size=1)
            self.assertRaises(errors.RequestFailed, self.size)

    def test_listing_that_catches_up(self) -> None:
        names = self.store_stocks()
        listings = []

        def catch_up(method: str, name: str) -> None:
            if method == 'LIST':
                listings.append(name)
                self.swift.unlisted = set(names[len(listings) :])

        self.swift.before = catch_up
        self.assertEqual(DATA, self.read(retries=5))
        self.assertEqual(5, len(listings))

    def test_listing_that_contradicts_the_whole(self) -> None:
        """As when two container servers differ."""
        self.store_stocks()

        def differ(method: str, name: str) -> None:
            self.swift.unlisted = {'id-00005'} if method == 'HEAD' else set()

        self.swift.before = differ
        self.assertIn('4123 bytes, Swift tells 4000', self.lost())


class TestOneObject(_TestCase):
    def test_one_request(self) -> None:
        self.swift.store('id', DATA[:PIECE], {})
        self.assertEqual(DATA[:PIECE], self.read())
        self.assertEqual([('GET', 'id')], self.swift.requests)

    def test_ours_and_empty(self) -> None:
        self.swift.store('id', b'', self.where.plain_headers())
        self.assertEqual(b'', self.read())
        self.assertEqual([('GET', 'id')], self.swift.requests)

    def test_empty(self) -> None:
        self.swift.store('id', b'', {})
        self.assertEqual((b'', 0), (self.read(), self.size()))

    def test_large_one(self) -> None:
        self.swift.store('id', DATA, {})
        self.check()
        self.assertGreater(len(self.swift.requests), 20)

    def test_slo(self) -> None:
        self.static(json.dumps([{'name': '/c/x'}]).encode())

    def test_slo_of_ceph(self) -> None:
        """It gives nothing of its manifest, and does not say what it is."""
        self.static(b'', said=False)

    def static(self, told: bytes, said: bool = True) -> None:
        self.swift.store('id', DATA, {})
        given = self.swift.objects['id']
        kind = {layout.SLO_HEADER: 'True'} if said else {}

        def tell(method: str, name: str) -> None:
            whole = method != 'GET' or len(self.swift.requests) > 1
            self.swift.objects['id'] = given if whole else (told, kind)

        self.swift.before = tell
        self.assertEqual(DATA, self.read())


class TestThreads(_TestCase):
    def test_none(self) -> None:
        self.useFixture(refusal.Threads(0))
        self.store()
        self.check()

    def test_some(self) -> None:
        self.useFixture(refusal.Threads(2))
        self.store()
        self.assertEqual(DATA, self.read())

    def test_one_is_enough(self) -> None:
        self.settings = opts.Settings(read_threads=1)
        self.store()
        self.check()

    def test_no_memory(self) -> None:
        self.useFixture(refusal.Threads(0))
        self.settings = opts.Settings(read_memory=0)
        self.store()
        self.check()

    def test_little_memory(self) -> None:
        for most in (PIECE, 2 * PIECE + 5):
            self.settings = opts.Settings(read_memory=most)
            self.store()
            self.assertEqual(DATA, self.read())

    def test_memory_is_shared(self) -> None:
        self.settings = opts.Settings(read_memory=5 * PIECE)
        self.store()
        begun = [self.start() for _ in range(9)]
        got = [b''] * 9
        for number in 60 * list(range(9)):
            got[number] += next(begun[number], b'')
            self.assertLessEqual(memory.SHARED.taken, 5 * PIECE)
        self.assertEqual([DATA] * 9, got)
        self.assert_nothing_left()

    def test_window(self) -> None:
        self.settings = opts.Settings(read_threads=2)
        self.store()
        begun = self.start()
        for _ in begun:
            self.assertLessEqual(memory.SHARED.taken, 2 * PIECE)

    def test_who_reads_slowly_holds_little(self) -> None:
        """Once all is there before it is asked for, one connection does."""
        self.settings = opts.Settings(read_threads=2)
        self.store(DATA * 20)
        begun = self.start()
        got = next(begun)
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.reader.gauge.FAST_RATE', 0
            )
        )
        self.assertNotEqual(0, memory.SHARED.taken)
        while memory.SHARED.taken:
            self.wait_for_fetches(begun)
            got += next(begun)
        self.assertLess(len(got), 9 * PIECE)
        self.assertEqual(DATA * 20, got + b''.join(begun))
        self.assert_nothing_left()

    def wait_for_fetches(self, begun: download.Download) -> None:
        """Have all there that is on its way."""
        for fetch in begun._reader._fetches:
            while not fetch.done:
                threading.Event().wait(0.001)


class TestRates(_TestCase):
    """A site that limits rates gets fewer connections."""

    def busiest(self, *takes: int) -> int:
        """How many connections there were at most.

        :param takes: how many the site takes, of so many that are wanted
        """
        self.store(DATA * 20)
        begun, got, most = self.start(), b'', 0
        account = begun._reader._account
        if takes:
            self.useFixture(
                fixtures.MockPatchObject(
                    account.client,
                    'connection_limit',
                    autospec=True,
                    side_effect=lambda _: takes[0],
                )
            )
        for block in begun:
            got += block
            most = max(
                most,
                begun._reader._direct.reads
                + sum(not each.done for each in begun._reader._fetches),
            )
        self.assertEqual(DATA * 20, got)
        self.assert_nothing_left()
        return most

    def test_no_limit(self) -> None:
        self.assertGreater(self.busiest(), 1)

    def test_one(self) -> None:
        self.assertEqual(1, self.busiest(1))

    def test_refused(self) -> None:
        """The requests that were refused are repeated, with fewer at once."""
        names = self.store(DATA * 20)
        refused: list[str] = []

        def refuse(method: str, name: str) -> None:
            if len(refused) < 2 and name in names[5:]:
                refused.append(name)
                raise fakes.failed(429)

        self.swift.before = refuse
        begun = self.start(retries=9)
        account = begun._reader._account
        got, least = b'', 4
        for block in begun:
            got += block
            least = min(least, account.client.connection_limit(4))
        self.assertEqual(DATA * 20, got)
        self.assertLess(least, 4)
        self.assert_nothing_left()


class TestFast(_TestCase):
    """One connection gives as much as several would."""

    fast = 0

    def test_no_thread(self) -> None:
        self.useFixture(refusal.Threads(0))
        names = self.store()
        self.assertEqual(DATA, self.read())
        self.assertEqual(
            [('GET', each) for each in ('id', *names)], self.swift.requests
        )


class TestEnd(_TestCase):
    """Whoever stops early leaves nothing."""

    def begin(self) -> download.Download:
        self.store()
        begun = self.start()
        for _ in range(4):
            next(begun)
        self.assertNotEqual(0, memory.SHARED.taken)
        return begun

    def test_closed(self) -> None:
        begun = self.begin()
        begun.close()
        self.assert_nothing_left()
        self.assertEqual([], list(begun))
        begun.close()

    def test_dropped(self) -> None:
        begun = self.begin()
        del begun
        self.assert_nothing_left()

    def test_collected(self) -> None:
        cycle: list[Any] = [self.begin()]
        cycle.append(cycle)
        del cycle
        gc.collect()
        self.assert_nothing_left()

    def test_collected_on_a_thread_that_fetches(self) -> None:
        """It can't wait for itself."""
        self.store()
        begun = self.start()
        go, ended = threading.Event(), threading.Event()
        raised: list[BaseException] = []

        def end(method: str, name: str) -> None:
            if not threading.current_thread().name.startswith('bufswift'):
                return
            go.wait()
            try:
                begun.close()
            except BaseException as exc:
                raised.append(exc)
            ended.set()

        self.swift.before = end
        next(begun)
        next(begun)
        go.set()
        ended.wait()
        for thread in threading.enumerate():
            if thread.name.startswith('bufswift'):
                thread.join()
        self.assertEqual([], raised)
        self.assert_nothing_left()

    def test_unread(self) -> None:
        self.store()
        self.start()
        self.assert_nothing_left()

    def test_while_a_thread_fetches(self) -> None:
        """It is not waited for longer than its connection lives."""
        self.store()
        started = threading.Event()
        begun = self.start()
        account = begun._reader._account
        assert isinstance(account, fakes.Account)

        def hang(method: str, name: str) -> None:
            if threading.current_thread().name.startswith('bufswift'):
                started.set()
                account.client.cancelled.wait()

        self.swift.before = hang
        next(begun)
        next(begun)
        started.wait()
        begun.close()
        self.assert_nothing_left()
