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

"""One upload, into a Swift in memory."""

import contextlib
import errno
import json
import logging
import threading
import types
from typing import Any
from unittest import mock

import fixtures
from oslotest import base

from glance_store_bufswift.buffer import quota
from glance_store_bufswift.buffer import segment
from glance_store_bufswift.buffer import space
from glance_store_bufswift import deletes
from glance_store_bufswift import digests
from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift import manifest
from glance_store_bufswift import opts
from glance_store_bufswift import record
from glance_store_bufswift.tests.support import logs
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import fakes
from glance_store_bufswift.tests.unit import refusal
from glance_store_bufswift.tests.unit import waits
from glance_store_bufswift import upload
from glance_store_bufswift import workers

MIB = 1 << 20
SEGMENT = 1000


class _TestCase(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path
        self.swift = fakes.Swift()
        self.account = fakes.Account(self.swift)
        self.where = layout.Layout('images', 'id', 'try')
        self.log = self.useFixture(
            fixtures.FakeLogger(
                'glance_store_bufswift', format='%(levelname)s %(message)s'
            )
        )
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.cleanup.SETTLE_SECONDS', 0
            )
        )

    def upload(
        self, stream: Any, size: int = 0, **how: Any
    ) -> upload.StoredImage:
        """Upload a stream, or these bytes, in small segments."""
        if isinstance(stream, bytes):
            stream = streams.Stream(stream)
        how = {
            'directory': self.directory,
            'min_free_percent': 0,
            'segment_size': SEGMENT,
            'plain_limit': SEGMENT,
            **how,
        }
        return upload.Upload(
            self.account,
            self.where,
            opts.Settings(**how),
            stream,
            size,
            digests.Digests('sha512'),
        ).run()

    def failing(self, method: str, end: str, exc: BaseException) -> None:
        """Let requests for names with this end fail."""

        def before(requested: str, name: str) -> None:
            if requested == method and name.endswith(end):
                raise exc

        self.swift.before = before

    def requested(self, method: str) -> list[str]:
        return [name for each, name in self.swift.requests if each == method]

    def warnings(self) -> int:
        return self.log.output.count('WARNING')


class TestStored(_TestCase):
    def test_any_size_known_or_not(self) -> None:
        for size in (0, 1, 999, 1000, 1001, 2999, 3000, 3001):
            data = streams.image(size)
            for declared in (0, size):
                self.swift.objects.clear()
                stored = self.upload(data, declared)
                self.assertEqual(data, b''.join(self.swift.parts('id')))
                self.assertEqual(
                    (size, *streams.hashes(data)),
                    (stored.size, stored.checksum, stored.multihash),
                )
                parts = -(-size // SEGMENT)
                self.assertEqual(
                    parts + 1 if parts > 1 else 1, len(self.swift.objects)
                )

    def test_last_segment_of_a_known_size_announces_what_is_left(self) -> None:
        self.upload(bytes(2300), 2300)
        self.assertEqual(
            [1000, 1000, 300],
            [
                self.swift.lengths[self.where.segment(number)]
                for number in (1, 2, 3)
            ],
        )

    def test_segments_of_an_unknown_size_announce_nothing(self) -> None:
        self.upload(bytes(2300))
        self.assertEqual({None}, set(self.swift.lengths.values()))

    def test_manifest_has_its_headers_and_comes_last(self) -> None:
        self.upload(bytes(2300))
        _, headers = self.swift.objects['id']
        self.assertEqual(
            ('images/id/try/', 'try', '3'),
            (
                headers['x-object-manifest'],
                headers[layout.ATTEMPT_HEADER],
                headers[layout.SEGMENTS_HEADER],
            ),
        )
        self.assertEqual('id', self.requested('PUT')[-1])

    def test_manifest_tells_of_its_segments(self) -> None:
        data = streams.image(2300)
        self.upload(data)
        told = record.read('id', self.swift.objects['id'][1])
        assert told is not None
        self.assertEqual(
            ((1000, 1000, 300), self.where), (told.sizes, told.dest)
        )
        for number in (1, 2, 3):
            stored, _ = self.swift.objects[self.where.segment(number)]
            self.assertTrue(told.proves(number, [fakes.md5(stored)]))

    def test_site_takes_no_more_metadata(self) -> None:
        """The image is stored without the record, which is told."""
        for status in manifest.METADATA_REFUSED:
            refused: list[str] = []

            def refuse(
                method: str,
                name: str,
                status: int = status,
                refused: list[str] = refused,
            ) -> None:
                # One with a condition, and one without for some.
                if (method, name) == ('PUT', 'id') and len(refused) < (
                    2 if status in manifest.CONDITION_UNMET else 1
                ):
                    refused.append(name)
                    raise errors.RequestFailed(f'{status}', status)

            self.swift.objects.clear()
            self.swift.before = refuse
            self.upload(bytes(2300))
            headers = self.swift.objects['id'][1]
            self.assertIsNone(record.read('id', headers))
            self.assertEqual('3', headers[layout.SEGMENTS_HEADER])
            self.assertIn('raise max_meta_count', self.log.output)

    def test_segments_grow(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.layout.MAX_DOUBLINGS', 5000
            )
        )
        self.upload(bytes(8000))
        self.assertEqual(
            [1000, 1000, 2000, 2000, 2000],
            [len(part) for part in self.swift.parts('id')],
        )

    def test_everything_is_closed(self) -> None:
        self.upload(bytes(2300))
        self.assertTrue(self.account.client.closed)
        self.assertEqual(
            [],
            [
                thread.name
                for thread in threading.enumerate()
                if thread.name.startswith('bufswift')
            ],
        )


class TestReadsBack(_TestCase):
    def setUp(self) -> None:
        super().setUp()
        # Waiting lets the time pass.
        self.now = 0.0
        self.account.client.pause = self._pause  # type: ignore[method-assign]
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.confirmation.time',
                types.SimpleNamespace(monotonic=lambda: self.now),
            )
        )

    def _pause(self, seconds: float) -> None:
        self.now += seconds

    def test_lagging_listing_is_waited_for(self) -> None:
        self.swift.lag = 3
        self.upload(bytes(2300), confirm_timeout=15)
        self.assertEqual((0, 0), (self.swift.lag, self.warnings()))

    def test_wait_is_bounded_and_ends_with_a_warning(self) -> None:
        self.swift.lag = 10_000
        self.assertEqual(
            2300, self.upload(bytes(2300), confirm_timeout=15).size
        )
        self.assertEqual(1, self.warnings())
        self.assertIn('after 15 s', self.log.output)
        self.assertLess(self.now, 17)

    def test_replica_that_lags_is_waited_for(self) -> None:
        self.lags({'X-Timestamp': '1'})

    def test_replica_that_lags_behind_an_slo_is_waited_for(self) -> None:
        self.failing('GET', 'id', errors.RequestFailed('503', 503))
        self.lags({'X-Timestamp': '1', layout.SLO_HEADER: 'True'})

    def lags(self, headers: dict[str, str]) -> None:
        """A replica knows the object that stood there before."""
        self.swift.store('id', b'[]', headers)
        true_head = self.account.objects.head
        stale = [true_head('images', 'id')] * 3

        def head(
            container: str, name: str, newest: bool
        ) -> dict[str, str] | None:
            self.assertTrue(newest)
            return stale.pop() if stale else true_head(container, name)

        with mock.patch.object(
            self.account.objects, 'head', autospec=True, side_effect=head
        ):
            self.upload(bytes(2300), confirm_timeout=15)
        self.assertEqual([], stale)
        self.assertNotIn('does not show all', self.log.output)

    def test_no_wait(self) -> None:
        """One look; what it does not show is asked for."""
        self.swift.lag = 10_000
        self.upload(bytes(2300), confirm_timeout=0)
        self.assertEqual(
            (9_999, 1, 0.0), (self.swift.lag, self.warnings(), self.now)
        )
        self.assertIn('after 0 s', self.log.output)
        self.assertEqual(
            ['id', 'id'] + self.names(3), sorted(self.requested('HEAD'))
        )

    def test_no_more_than_a_look_is_taken(self) -> None:
        for timeout in (0, 15):
            self.swift.requests.clear()
            self.swift.objects.clear()
            self.upload(bytes(2300), confirm_timeout=timeout)
            self.assertEqual(['id', 'id'], self.requested('HEAD'))
            self.assertEqual(1, self.requested('PUT').count('id'))

    def names(self, count: int) -> list[str]:
        """The names of the first segments."""
        return [self.where.segment(number) for number in range(1, count + 1)]

    def lose(self, *names: str, when: str = 'id') -> None:
        """These are deleted by somebody when a manifest is put."""

        def before(method: str, name: str) -> None:
            if (method, name) == ('PUT', when):
                for each in names:
                    self.swift.objects.pop(each)

        self.swift.before = before

    def fails(self, *says: str, **how: Any) -> None:
        """The upload fails, and leaves nothing."""
        exc = self.assertRaises(
            errors.RequestFailed, self.upload, bytes(2300), **how
        )
        for text in says:
            self.assertIn(text, str(exc))
        self.assertEqual({}, self.swift.objects)

    def test_what_is_gone_is_not_taken_for_not_listed_yet(self) -> None:
        for timeout in (0, 15):
            for number in (1, 3):
                name = self.where.segment(number)
                self.lose(name)
                self.fails(
                    f'Segment images/{name} was stored, but is gone',
                    confirm_timeout=timeout,
                )

    def test_what_is_another_object_now(self) -> None:
        name = self.where.segment(2)
        for data, says in ((b'x', '1 bytes'), (bytes(999) + b'x', '1000')):

            def before(method: str, put: str, data: bytes = data) -> None:
                if (method, put) == ('PUT', 'id'):
                    self.swift.store(name, data, {})

            self.swift.before = before
            self.fails(
                f'Segment images/{name} is another object now: {says}',
                fakes.md5(data),
                confirm_timeout=15,
            )

    def test_what_is_shorter_now_as_a_gateway_without_etags_tells(
        self,
    ) -> None:
        name = self.where.segment(2)
        true_head = self.account.objects.head

        def head(
            container: str, asked: str, newest: bool = False
        ) -> dict[str, str] | None:
            headers = true_head(container, asked, newest)
            if asked != name or headers is None:
                return headers
            del headers['etag']
            return headers | {'content-length': '999'}

        self.swift.lag = 10_000
        with mock.patch.object(
            self.account.objects, 'head', autospec=True, side_effect=head
        ):
            self.fails('another object now: 999 bytes', confirm_timeout=0)

    def test_what_can_not_be_asked_for(self) -> None:
        self.swift.lag = 10_000
        self.failing('HEAD', '00000002', errors.RequestFailed('503', 503))
        self.fails('503', confirm_timeout=15)

    def test_manifest_that_is_gone(self) -> None:
        def before(method: str, name: str) -> None:
            if (method, name) == ('HEAD', 'id'):
                self.swift.objects.pop('id', None)

        self.swift.before = before
        self.fails('The manifest of image id was stored, but is gone')

    def test_rows_of_what_is_gone(self) -> None:
        """An upload that lasted is not believed for a listing alone.

        It lists what somebody deleted as he took it for an orphan.
        """
        lost = self.where.segment(2)
        true_head = self.account.objects.head

        def head(
            container: str, name: str, newest: bool = False
        ) -> dict[str, str] | None:
            if name == lost:
                self.swift.request('HEAD', name)
                return None
            return true_head(container, name, newest)

        for least, fails in ((0, True), (3600, False)):
            self.useFixture(
                fixtures.MonkeyPatch(
                    'glance_store_bufswift.layout.MIN_ORPHAN_AGE', least
                )
            )
            with mock.patch.object(
                self.account.objects, 'head', autospec=True, side_effect=head
            ):
                if fails:
                    self.fails('is gone', confirm_timeout=15)
                else:
                    self.upload(bytes(2300), confirm_timeout=15)
        self.assertEqual(1, self.requested('HEAD').count(lost))

    def test_it_lasts_that_there_is_none(self) -> None:
        """A 404 is asked again, as often as any request that fails."""
        self.account = fakes.Account(self.swift, retries=2)
        self.swift.lag = 10_000
        name = self.where.segment(2)
        hidden = 0

        def before(method: str, asked: str) -> None:
            nonlocal hidden
            if method == 'HEAD' and asked == name:
                hidden += 1
                if hidden == 1:
                    self.data = self.swift.objects.pop(name)
                if hidden == 3:
                    self.swift.objects[name] = self.data

        self.swift.before = before
        self.upload(bytes(2300), confirm_timeout=0)
        self.assertEqual(3, hidden)


class TestRoom(_TestCase):
    def test_without_room_it_goes_unbuffered_with_one_warning(self) -> None:
        data = streams.image(5500)
        self.upload(data, directory='/nowhere')
        self.assertEqual(data, b''.join(self.swift.parts('id')))
        self.assertEqual(1, self.warnings())
        self.assertIn('/nowhere', self.log.output)
        self.assertIn('0 bytes buffered, 5500 unbuffered', self.log.output)

    def test_disk_that_fails_costs_a_warning(self) -> None:
        self.useFixture(
            fixtures.MockPatchObject(segment, 'BUFFERED_WINDOW', 0)
        )
        data = streams.image(5500)
        with mock.patch(
            'os.pwrite',
            autospec=True,
            side_effect=OSError(errno.ENOSPC, 'full'),
        ):
            self.upload(data)
        self.assertEqual(data, b''.join(self.swift.parts('id')))
        self.assertEqual(1, self.warnings())

    def test_own_buffers_are_waited_for(self) -> None:
        # Room for two: the first, and the one left for another upload.
        data = streams.image(9500)
        self.upload(data, disk_quota=2 * MIB)
        self.assertEqual(data, b''.join(self.swift.parts('id')))
        self.assertEqual(0, self.warnings())
        self.assertIn('9500 bytes buffered, 0 unbuffered', self.log.output)

    def test_own_room_is_not_lost_to_others_while_waiting(self) -> None:
        refused = threading.Event()
        others: list[space.BufferFile] = []
        true_room, true_close = (
            space.BufferDirectory.open,
            space.BufferFile.close,
        )

        def file(
            self: space.BufferDirectory, size: int, spare: int = 0
        ) -> space.BufferFile:
            try:
                return true_room(self, size, spare)
            except space.NoSpace:
                refused.set()
                raise

        def close(self: space.BufferFile) -> None:
            # Somebody else takes what is given back before it can be asked
            # for again.
            true_close(self)
            with contextlib.suppress(space.NoSpace):
                others.append(
                    true_room(
                        space.BufferDirectory(self._directory.directory, MIB),
                        1,
                    )
                )

        def before(method: str, name: str) -> None:
            if method == 'PUT' and name.endswith(('00000001', '00000002')):
                # The segment ends when the next one has found no room.
                refused.wait(30)
                refused.clear()

        self.swift.before = before
        data = streams.image(2300)
        with (
            mock.patch.object(space.BufferDirectory, 'open', file),
            mock.patch.object(space.BufferFile, 'close', close),
        ):
            self.upload(data, disk_quota=MIB)
        for each in others:
            each.close()
        self.assertEqual(data, b''.join(self.swift.parts('id')))
        self.assertEqual(0, self.warnings())

    def test_last_room_is_left_to_others(self) -> None:
        alone = threading.Lock()

        def check(method: str, name: str) -> None:
            if method == 'PUT' and name != 'id':
                with alone, quota.Quota(self.directory, 3 * MIB).reserved(MIB):
                    pass

        self.swift.before = check
        self.upload(bytes(9500), disk_quota=3 * MIB)
        self.assertEqual(0, self.warnings())


class TestBeside(_TestCase):
    """How many segments are under way at a time."""

    def most(self, threads: int, held: int) -> int:
        """Let no segment be committed until so many are under way.

        :returns: the most that ever were
        """
        lock, enough = threading.Lock(), threading.Event()
        under_way: set[str] = set()
        counts = [0]

        def before(method: str, name: str) -> None:
            if method == 'PUT':
                with lock:
                    under_way.add(name)
                    counts.append(len(under_way))
                if counts[-1] == held:
                    enough.set()
            elif method == 'END':
                if not enough.wait(waits.GENEROUS):
                    raise AssertionError('no further one was begun')
                with lock:
                    under_way.discard(name)

        self.account.client.before = before
        data = streams.image(20 * SEGMENT)
        self.upload(data, threads=threads)
        self.assertEqual(data, b''.join(self.swift.parts('id')))
        return max(counts)

    def test_next_one_begins_while_another_is_committed(self) -> None:
        for threads in (2, 4):
            self.swift.objects.clear()
            self.assertEqual(threads + 1, self.most(threads, threads + 1))

    def test_one_after_the_other(self) -> None:
        self.assertEqual(1, self.most(1, 1))


class TestFailed(_TestCase):
    def _fails(
        self,
        expected: type[BaseException],
        stream: Any,
        size: int = 0,
        **how: Any,
    ) -> Any:
        exc = self.assertRaises(expected, self.upload, stream, size, **how)
        self.assertTrue(self.account.client.closed)
        return exc

    def test_nothing_is_left(self) -> None:
        for end in ('00000001', '00000003', 'id'):
            exc = errors.RequestFailed(f'503 {end}', 503)
            self.failing('PUT', end, exc)
            self.assertIs(exc, self._fails(errors.RequestFailed, bytes(3500)))
            self.assertEqual({}, self.swift.objects)
            self.assertTrue(self.account.client.cancelled.is_set())

    def test_source_fails(self) -> None:
        def fail() -> None:
            raise OSError(errno.EPIPE, 'Broken pipe')

        stream = streams.Stream(bytes(3500), most=100, at=2700, then=fail)
        exc = self._fails(errors.SourceFailed, stream)
        self.assertEqual(errno.EPIPE, exc.original.errno)
        self.assertEqual({}, self.swift.objects)

    def test_size_is_not_as_declared(self) -> None:
        for size in (2999, 3001, 500, 0):
            if size:
                self._fails(errors.WrongSize, bytes(size), 3000)
            self.assertEqual({}, self.swift.objects)

    def test_first_error_is_kept_when_several_fail(self) -> None:
        first, second = (errors.RequestFailed(each) for each in '12')

        def before(method: str, name: str) -> None:
            if name.endswith('00000002'):
                raise first
            if method == 'PUT':
                self.account.client.cancelled.wait(waits.GENEROUS)
                raise second

        self.swift.before = before
        self.assertIs(first, self._fails(errors.RequestFailed, bytes(3500)))

    def test_cleanup_that_fails_hides_no_error(self) -> None:
        first = errors.RequestFailed('first')

        def before(method: str, name: str) -> None:
            if method == 'DELETE':
                raise ValueError('a bug')
            if name.endswith('00000002'):
                raise first

        self.swift.before = before
        self.assertIs(first, self._fails(errors.RequestFailed, bytes(3500)))
        for number in (1, 2):
            self.assertIn(self.where.segment(number), self.log.output)

    def test_interrupted_cleanup_names_what_may_be_left(self) -> None:
        def before(method: str, name: str) -> None:
            if method == 'LIST':
                raise KeyboardInterrupt
            if name.endswith('00000002'):
                raise errors.RequestFailed('503', 503)

        self.swift.before = before
        self._fails(KeyboardInterrupt, bytes(3500))
        self.assertIn(self.where.segment(1), self.log.output)

    def test_too_many_segments(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.layout.MAX_SEGMENTS', 3
            )
        )
        exc = self._fails(errors.RequestFailed, bytes(3001))
        self.assertEqual(413, exc.status)
        self.assertIn('more than 3 segments', str(exc))
        self.assertEqual({}, self.swift.objects)

    def test_manifest_that_landed_without_an_answer_is_removed(self) -> None:
        def before(method: str, name: str) -> None:
            if (method, name) == ('PUT', 'id'):
                self.swift.store('id', b'', self.where.dlo_headers(4))
                raise errors.RequestFailed('503', 503)

        self.swift.before = before
        self._fails(errors.RequestFailed, bytes(3500))
        self.assertEqual({}, self.swift.objects)

    def test_another_attempts_manifest_stays(self) -> None:
        self.failing('PUT', 'id', errors.RequestFailed('503', 503))
        other = layout.Layout('images', 'id', 'other')
        self.swift.store('id', b'', other.dlo_headers(1))
        self.swift.store(other.segment(1), b'x', {})
        self._fails(errors.RequestFailed, bytes(3500))
        self.assertEqual({'id', other.segment(1)}, set(self.swift.objects))

    def test_cleanup_gives_up_and_names_the_orphans(self) -> None:
        def before(method: str, name: str) -> None:
            if method == 'DELETE':
                raise errors.RequestFailed('503', 503)
            if name.endswith('00000020'):
                raise errors.RequestFailed('503', 503)

        self.swift.before = before
        self._fails(errors.RequestFailed, bytes(19_500))
        # In two sweeps, each with some at a time.
        self.assertLessEqual(
            len(self.requested('DELETE')),
            2 * (deletes.MAX_FAILURES + workers.EACH_THREADS),
        )
        self.assertIn(self.where.segment(19), self.log.output)


class TestFewThreads(_TestCase):
    """A process that ends, or a limit on its threads, gives fewer or none."""

    #: Those of the four digests' and four segments' that the system gives.
    MOST = (0, 1, 2, 3, 5, 7)

    def setUp(self) -> None:
        super().setUp()
        # Several blocks in a segment.
        self.useFixture(
            fixtures.MonkeyPatch('glance_store_bufswift.units.BLOCK', 300)
        )

    def test_stored(self) -> None:
        for most in self.MOST:
            for size in (0, 1, 999, 1000, 1001, 3000, 5500):
                for how in (
                    {},
                    {'directory': '/nowhere'},
                    {'disk_quota': MIB},
                ):
                    self._store(most, streams.image(size), how)

    def _store(self, most: int, data: bytes, how: dict[str, Any]) -> None:
        for declared in {0, len(data)}:
            self.swift.objects.clear()
            with refusal.Threads(most):
                stored = self.upload(
                    streams.Stream(data, most=300), declared, **how
                )
            self.assertEqual(data, b''.join(self.swift.parts('id')))
            self.assertEqual(
                (len(data), *streams.hashes(data)),
                (stored.size, stored.checksum, stored.multihash),
            )

    def test_source_fails(self) -> None:
        """swiftclient would take an OSError for the network's."""
        original = OSError(errno.EPIPE, 'Broken pipe')

        def fail() -> None:
            raise original

        for most in self.MOST:
            self.account.client.cancelled.clear()
            stream = streams.Stream(bytes(3500), most=100, at=2700, then=fail)
            with refusal.Threads(most):
                exc = self.assertRaises(
                    errors.SourceFailed, self.upload, stream
                )
            self.assertIs(original, exc.original)
            self.assertEqual({}, self.swift.objects)

    def test_verifier_fails(self) -> None:
        verifier = mock.Mock(spec=['update'])
        verifier.update.side_effect = OSError('bad signature')
        true_put = self.account.objects.put

        def put(*args: Any) -> None:
            try:
                true_put(*args)
            except OSError as exc:
                # Which swiftclient would have tried again.
                raise AssertionError('taken for the network') from exc

        self.useFixture(
            fixtures.MockPatchObject(self.account.objects, 'put', put)
        )
        with refusal.Threads(0):
            self.assertRaises(
                OSError,
                upload.Upload(
                    self.account,
                    self.where,
                    opts.Settings(
                        self.directory,
                        segment_size=SEGMENT,
                        plain_limit=SEGMENT,
                    ),
                    streams.Stream(bytes(3500), most=100),
                    0,
                    digests.Digests('sha512', verifier),
                ).run,
            )
        self.assertEqual({}, self.swift.objects)

    def test_segment_fails(self) -> None:
        for most in self.MOST:
            for end in ('00000001', '00000003', 'id'):
                exc = errors.RequestFailed(f'503 {end}', 503)
                self.failing('PUT', end, exc)
                with refusal.Threads(most):
                    self.assertIs(
                        exc,
                        self.assertRaises(
                            errors.RequestFailed, self.upload, bytes(3500)
                        ),
                    )
                self.assertEqual({}, self.swift.objects)

    def test_interrupt(self) -> None:
        for most in self.MOST:
            self.failing('PUT', '00000003', KeyboardInterrupt())
            with refusal.Threads(most):
                self.assertRaises(KeyboardInterrupt, self.upload, bytes(3500))
            self.assertEqual({}, self.swift.objects)


class TestLog(_TestCase):
    """A failed upload has one line, and its cleaning one more at most."""

    def setUp(self) -> None:
        super().setUp()
        self.records = self.useFixture(logs.Records())

    def lines(self, stream: Any) -> tuple[list[str], list[str]]:
        """The errors and the warnings of an upload that fails."""
        self.records.clear()
        self.assertRaises(Exception, self.upload, stream)  # noqa: H202
        self.assertEqual([], self.records.doubled())
        return (
            self.records.of(logging.ERROR),
            self.records.of(logging.WARNING),
        )

    def test_nothing_is_left(self) -> None:
        self.failing('PUT', '00000004', errors.RequestFailed('503', 503))
        wrong, [warning] = self.lines(bytes(3500))
        self.assertEqual([], wrong)
        self.assertRegex(
            warning,
            r'^Image id was not stored: 3500 bytes read into \d '
            r'segments, \d objects stored, 0 retries, \d+\.\d s, .*; left in '
            r'Swift: nothing; cause: RequestFailed: 503 \| \S.*\d$',
        )

    def test_source_fails(self) -> None:
        def fail() -> None:
            raise ValueError('bad')

        _, [warning] = self.lines(
            streams.Stream(bytes(3500), most=100, at=2700, then=fail)
        )
        self.assertIn('2700 bytes read into ', warning)
        self.assertIn('cause: ValueError: bad', warning)

    def test_credentials_are_lost(self) -> None:
        """Of twenty segments and all else that is asked for."""

        def before(method: str, name: str) -> None:
            if name.endswith('00000020') or method != 'PUT':
                raise errors.RequestFailed(f'{method}: 401', 401)

        self.swift.before = before
        for offer in ({}, {'bulk_delete': {'max_deletes_per_request': 5}}):
            self.swift.info = offer
            [error], [*look, warning] = self.lines(bytes(19_500))
            # What stood there before may have been looked for by then.
            self.assertLessEqual({*look}, {'HEAD: 401'})
            self.assertIn('are orphans now. DELETE: 401. Their names: ', error)
            for number in range(1, 21):
                self.assertIn(self.where.segment(number), error)
            self.assertRegex(
                warning, r'left in Swift: 2\d objects, named above; cause'
            )

    def test_listing_can_not_be_had(self) -> None:
        def before(method: str, name: str) -> None:
            if method == 'LIST' or (method, name[-8:]) == ('PUT', '00000004'):
                raise errors.RequestFailed(f'{method}: 503', 503)

        self.swift.before = before
        wrong, [unlisted, warning] = self.lines(bytes(3500))
        self.assertEqual([], wrong)
        self.assertIn(
            'what else may have been stored is not known: LIST: 503', unlisted
        )
        self.assertIn('left in Swift: not known', warning)

    def test_cleaning_breaks_off(self) -> None:
        def before(method: str, name: str) -> None:
            if method == 'DELETE':
                raise TypeError('a bug')
            if name.endswith('00000004'):
                raise errors.RequestFailed('503', 503)

        self.swift.before = before
        [error], [warning] = self.lines(bytes(3500))
        self.assertIn('broke off', error)
        self.assertIn('left in Swift: not known', warning)

    def test_no_room_is_told_once(self) -> None:
        self.upload(bytes(3500), directory='/nowhere')
        [warning] = self.records.of(logging.WARNING)
        self.assertEqual(1, warning.count('/nowhere'))
        self.assertEqual([], self.records.doubled())

    def test_former_can_not_be_looked_at(self) -> None:
        self.failing('HEAD', 'id', errors.RequestFailed('HEAD: 503', 503))
        self.upload(bytes(500))
        self.assertEqual(['HEAD: 503'], self.records.of(logging.WARNING))
        self.assertEqual([], self.records.doubled())


class TestReplaced(_TestCase):
    def _replace(
        self,
        prefix: str,
        container: str = 'images',
        unlisted: int = 0,
        **headers: str,
    ) -> set[str]:
        """What is left of an image stored before with this prefix.

        :param unlisted: how many of its segments are not listed yet
        """
        self.swift.store(
            'id',
            b'',
            {'X-Object-Manifest': f'{container}/{prefix}', **headers},
        )
        self.swift.store(f'{prefix}00001', b'old', {})
        self.swift.unlisted = {
            f'{prefix}{number:08d}' for number in range(1, unlisted + 1)
        }
        for name in self.swift.unlisted:
            self.swift.store(name, b'old', {})
        self.upload(bytes(2300))
        new = {'id', *(self.where.segment(each) for each in (1, 2, 3))}
        self.assertLessEqual(new, set(self.swift.objects))
        return set(self.swift.objects) - new

    def _recorded(self, count: int = 2) -> dict[str, str]:
        """What a manifest of ours tells of its segments."""
        return {
            layout.ATTEMPT_HEADER: 'before',
            layout.SEGMENTS_HEADER: str(count),
        }

    def test_former_segments_are_removed(self) -> None:
        self.assertEqual(set(), self._replace('id/before/'))
        self.assertEqual(set(), self._replace('id-'))

    def test_those_that_are_not_listed_yet(self) -> None:
        self.assertEqual(
            set(), self._replace('id/before/', unlisted=2, **self._recorded())
        )

    def test_what_can_not_be_listed_is_recorded(self) -> None:
        self.failing('LIST', 'id/before/', errors.RequestFailed('503', 503))
        self.assertEqual(
            {'id/before/00001'},
            self._replace('id/before/', unlisted=2, **self._recorded()),
        )
        self.assertIn('id/before/*', self.log.output)

    def test_those_that_are_not_listed_yet_when_the_upload_fails(self) -> None:
        """Its manifest has taken the former one's place."""

        def before(method: str, name: str) -> None:
            if (method, name) == ('PUT', 'id'):
                self.swift.store('id', b'', self.where.dlo_headers(3))
                raise errors.RequestFailed('503', 503)

        self.swift.before = before
        self.assertRaises(
            errors.RequestFailed,
            self._replace,
            'id/before/',
            unlisted=2,
            **self._recorded(),
        )
        self.assertEqual({}, self.swift.objects)

    def test_segments_of_others_stay(self) -> None:
        for prefix in ('other/before/', 'id2-', 'i'):
            self.assertIn(f'{prefix}00001', self._replace(prefix))
        self.assertEqual(
            {
                f'other/before/{number}'
                for number in ('00001', '00000001', '00000002')
            },
            {
                name
                for name in self._replace(
                    'other/before/', unlisted=2, **self._recorded()
                )
                if name.startswith('other')
            },
        )

    def test_own_segments_stay_below_a_former_prefix(self) -> None:
        self.assertEqual(set(), self._replace('id/'))

    def test_image_stands_when_the_former_can_not_be_removed(self) -> None:
        for exc in (errors.RequestFailed('503', 503), ValueError('a bug')):
            self.failing('LIST', 'id/before/', exc)
            self.assertEqual({'id/before/00001'}, self._replace('id/before/'))
        self.assertIn('id/before/*', self.log.output)

    def test_former_segments_stay_when_the_upload_fails(self) -> None:
        self.failing('PUT', 'id', errors.RequestFailed('503', 503))
        self.assertRaises(errors.RequestFailed, self._replace, 'id/before/')
        self.assertEqual({'id', 'id/before/00001'}, set(self.swift.objects))


class TestReplacedStatic(_TestCase):
    """The former image is an SLO: only its manifest told its segments."""

    def setUp(self) -> None:
        super().setUp()
        self.store()

    def store(self) -> None:
        own = ['id/old/1', 'id-2', 'id/old/3']
        self.others = ['other/1', 'id2-1', 'id']
        for name in own + self.others:
            self.swift.store(name, b'old', {})
        self.swift.store(
            'id',
            json.dumps(
                [{'name': f'/images/{name}'} for name in own + self.others]
            ).encode(),
            {layout.SLO_HEADER: 'True'},
        )
        self.before = set(self.swift.objects)

    def test_own_segments_are_removed(self) -> None:
        for size in (2300, 5):
            self.store()
            self.upload(bytes(size))
            self.assertEqual(
                set(self.others),
                {
                    name
                    for name in self.swift.objects
                    if not name.startswith('id/try/')
                },
            )

    def test_segments_that_can_not_be_read_stay(self) -> None:
        self.failing('GET', 'id', errors.RequestFailed('503', 503))
        self.upload(bytes(2300))
        self.assertLessEqual(self.before, set(self.swift.objects))

    def test_segments_stay_when_the_upload_fails(self) -> None:
        self.failing('PUT', 'id', errors.RequestFailed('503', 503))
        self.assertRaises(errors.RequestFailed, self.upload, bytes(2300))
        self.assertEqual(self.before, set(self.swift.objects))
