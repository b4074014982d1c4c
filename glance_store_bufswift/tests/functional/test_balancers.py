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

"""Through real HAProxy and nginx; tests/unit/test_wire_proxies.py has fakes.

The fault proxy is behind them: what they make of a fault is what counts.
"""

import functools

import fixtures
from glance_store import exceptions
from glance_store import multi_backend
import requests
import testscenarios

from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support.cloud import balancer
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support import leaks
from glance_store_bufswift.tests.support import streams

load_tests = testscenarios.load_tests_apply_scenarios

SEGMENT = matrix.SEGMENT


@functools.cache
def through(kind: str) -> clouds.Cloud:
    """The cloud behind such a proxy."""
    return clouds.Cloud.attach().through(kind)


class Case(matrix.Case):
    """Tests through a kind of proxy, if it is installed."""

    shares_container = True

    options = {**matrix.Case.options, 'swift_buffered_timeout': 5}

    kind: str

    def attach(self) -> clouds.Cloud:
        if missing := balancer.missing(self.kind):
            self.skipTest(missing)
        return through(self.kind)

    def _connections(self) -> list[str]:
        return leaks.connections(
            self.cloud.front_port, self.cloud.keystone_proxy.port
        )

    def read(self, **part: int) -> bytes:
        """The image's bytes, or a part of them, as many as are announced."""
        chunks, size = multi_backend.get(self.uri, 'fast', **part)
        data = b''.join(chunks)
        self.assertEqual(size, len(data))
        self.assert_nothing_runs()
        return data

    def have(self, size: int = matrix.IMAGE) -> None:
        """Have an image."""
        self.uri = self.add(size)[0]
        self.proxy.clear()


def kinds(*names: str) -> list[matrix.Row]:
    """Scenarios of these."""
    return [(name, {'kind': name}) for name in names]


PASSING = kinds('haproxy', 'nginx')
BUFFERING = kinds('haproxy buffering', 'nginx buffering')
ALL = PASSING + BUFFERING


class TestUpload(Case):
    """Nothing goes wrong: each object is sent once."""

    scenarios = ALL

    def test_segments(self) -> None:
        """In chunks, as nobody knows how long they get."""
        self.recovers(known=False)
        self.assertEqual(4, len(self.puts()))

    def test_one_object(self) -> None:
        self.recovers(matrix.LAST)
        self.assertEqual(1, len(self.puts()))


#: What a segment's first try meets behind the proxy.
FAULTS: dict[str, faults.Fault] = {
    '401': matrix.status(401, after=300_000),
    '503': matrix.status(503, after=300_000),
    'reset': faults.Reset(after=300_000),
    'reset at the end': faults.Reset(after=faults.WHOLE),
    'stall': faults.Stall(after=300_000),
    'answer lost': faults.LostAnswer(),
    'landing late': faults.LateLanding(reset=True),
    'byte flipped': faults.FlipByte(200_000),
    'wrong etag': faults.Rewrite(headers={'etag': '0' * 32}),
}


class TestFaults(Case):
    """What goes wrong behind the proxy, in the middle of a body or after.

    One that buffers changes when a body's faults come. What comes after the
    body passes all of them alike.
    """

    scenarios = testscenarios.multiply_scenarios(
        PASSING, [(name, {'fault': fault}) for name, fault in FAULTS.items()]
    ) + testscenarios.multiply_scenarios(
        BUFFERING,
        [
            (name, {'fault': FAULTS[name]})
            for name in ('401', '503', 'reset', 'stall')
        ],
    )

    fault: faults.Fault

    def test_recovers(self) -> None:
        rules = [
            self.inject(self.fault, target)
            for target in (matrix.FIRST, matrix.LATEST)
        ]
        self.recovers(known=False)
        self.assertEqual([1, 1], [rule.applied for rule in rules])
        self.assertEqual(
            [2, 1, 2, 1],
            [
                len(self.puts(path))
                for path in (
                    '/00000001$',
                    '/00000002$',
                    '/00000003$',
                    f'{self.image}$',
                )
            ],
        )


class TestRefused(Case):
    """Swift, or who stands for it, says no in the middle of a body."""

    scenarios = ALL

    def test_too_large(self) -> None:
        self.inject(matrix.status(413, after=300_000), matrix.MIDDLE)
        self.fails(
            exceptions.StorageFull,
            f'/00000002 failed, tried once: 413 .*{matrix.TRANSACTION}',
        )

    def test_not_allowed(self) -> None:
        self.inject(matrix.status(403, after=300_000), matrix.MIDDLE)
        self.fails(
            exceptions.StorageWriteDenied,
            '/00000002 failed, tried once: 403 ',
            known=False,
        )

    def test_revoked_token(self) -> None:
        """Swift's own 401, before it has read the body."""

        def revoke(exchange: journal.Exchange) -> None:
            self.cloud.revoke(exchange.headers['x-auth-token'])

        self.inject(faults.Hook(revoke), matrix.MIDDLE)
        self.inject(faults.Hook(revoke), matrix.MANIFEST)
        self.recovers()


class TestRead(Case):
    # HAProxy buffers requests only.
    scenarios = kinds(
        'haproxy',
        'nginx',
        'nginx buffering',
        'haproxy compressing',
        'nginx compressing',
    )

    def check(self) -> None:
        """The whole of the image is right."""
        self.assertEqual(
            streams.hashes(self.data), streams.hashes(self.read())
        )

    def test_one_object(self) -> None:
        self.have(matrix.LAST)
        self.check()

    def test_segments_and_ranges(self) -> None:
        self.have()
        self.check()
        for offset, size in ((0, 1), (SEGMENT - 5, 10), (5, SEGMENT)):
            self.assertEqual(
                self.data[offset : offset + size],
                self.read(offset=offset, chunk_size=size),
            )
        self.made.delete(self.uri)
        self.assert_nothing_left()

    def test_resumed(self) -> None:
        self.have()
        for how in ('close', 'reset'):
            rule = self.inject(
                faults.BreakAnswer(SEGMENT // 2, how),
                matrix.MIDDLE,
                method='GET',
            )
            self.check()
            self.assertEqual(1, rule.applied)


class TestCompressed(Case):
    """What compresses answers makes their ETags weak."""

    scenarios = kinds('haproxy compressing', 'nginx compressing')

    def test_weak_etag(self) -> None:
        """What the others of these tests are about is so."""
        self.have()
        session = self.cloud.session()
        url = session.get_endpoint(
            service_type='object-store', region_name=self.cloud.region
        )
        answer = requests.get(
            f'{url}/{self.container}/{self.image}',
            timeout=60,
            headers={
                'X-Auth-Token': str(session.get_token()),
                'Accept-Encoding': 'gzip',
            },
        )
        self.assertEqual('gzip', answer.headers['Content-Encoding'])
        self.assertRegex(answer.headers['ETag'], '^W/"[0-9a-f]{32}"$')
        self.assertEqual(self.data, answer.content)

    def test_uploaded(self) -> None:
        self.recovers(known=False)

    def test_deleted_in_bulk(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.deletes.MAX_ONE_BY_ONE', 1
            )
        )
        self.have()
        self.made.delete(self.uri)
        self.assert_nothing_left()


class TestOwnLimit(Case):
    """nginx takes a MiB, if nobody tells it otherwise."""

    scenarios = kinds('nginx as installed')

    def test_small_enough(self) -> None:
        self.recovers()

    def test_too_large(self) -> None:
        for known in (True, False):
            self.fails(
                exceptions.StorageFull,
                '/00000001 failed, tried once: 413 '
                'Request Entity Too Large .*transaction id none given',
                size=3 * SEGMENT,
                known=known,
                swift_store_large_object_chunk_size=2,
            )
            self.proxy.clear()
