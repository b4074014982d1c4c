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

"""What gateways and proxies make of Swift's answers to a download."""

from typing import Any

from glance_store import exceptions
from glance_store import multi_backend

from glance_store_bufswift.tests.functional import downloads
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import fresh
from glance_store_bufswift.tests.support import stores

IMAGE, SEGMENT = downloads.IMAGE, downloads.SEGMENT


def rewrite(
    status: int | None = None, **headers: str | None
) -> faults.Rewrite:
    """Swift's answer with other headers; ``_`` stands for ``-``."""
    return faults.Rewrite(
        status, {name.replace('_', '-'): headers[name] for name in headers}
    )


#: What becomes of the answer to a request for a range.
RANGES = {
    'no Content-Range': rewrite(206, content_range=None),
    'no Content-Range, no length': rewrite(
        206, content_range=None, content_length=None
    ),
    'another unit': rewrite(206, content_range='lines 5-104/1000'),
    'another range': rewrite(206, content_range='bytes 10-109/3372000'),
    'a contradiction': rewrite(206, content_range='bytes 10-104/3372000'),
    'the part, as if it were all': rewrite(200, content_range=None),
    'the part, as if it were all, no length': rewrite(
        200, content_range=None, content_length=None
    ),
    'the part, 200': rewrite(200),
    'several parts': rewrite(
        206,
        content_range=None,
        content_type=('multipart/byteranges; boundary=x'),
    ),
    'refused': faults.Status(code=416),
    'no length': rewrite(content_length=None),
}


class TestCase(downloads.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fresh.Notices())

    def upload(self, *args: Any, **options: Any) -> None:
        """Have an image; what the stock driver leaves open is not ours."""
        super().upload(*args, **options)
        self.before = self.connections()

    def part(self, first: int, size: int) -> None:
        """A part reads back right."""
        self.assertEqual(
            self.data[first : first + size],
            self.get(offset=first, chunk_size=size),
        )


class TestRange(TestCase):
    """The right bytes, or none: by way of the start, if need be."""

    def check(self, first: int, size: int, segment: int = 0) -> None:
        for name, fault in RANGES.items():
            self.proxy.clear()
            rule = self.inject(fault, segment=segment)
            self.part(first, size)
            self.assertEqual(1, rule.applied, name)

    def test_plain(self) -> None:
        self.upload(SEGMENT // 2)
        for first, size in ((5, 100), (0, 5), (SEGMENT // 2 - 5, 100)):
            self.check(first, size)

    def test_segments(self) -> None:
        self.upload()
        for first, size, segment in (
            (5, 100, 1),
            (SEGMENT - 5, SEGMENT, 1),
            (SEGMENT - 5, SEGMENT, 2),
            (IMAGE - 5, 100, 4),
        ):
            self.check(first, size, segment)

    def test_stocks(self) -> None:
        self.upload(IMAGE, 'swift')
        self.check(5, 100, 1)

    def test_resumed(self) -> None:
        for size, segment in ((SEGMENT // 2, 0), (IMAGE, 2)):
            self.upload(size)
            for fault in RANGES.values():
                self.proxy.clear()
                self.inject(faults.BreakAnswer(SEGMENT // 4), segment=segment)
                self.inject(fault, segment=segment)
                self.assert_read(self.get())


class TestForms(TestCase):
    def test_of_a_content_range(self) -> None:
        self.upload()
        for form in (
            'Bytes  5-104/ {}',
            'BYTES 5 - 104 / {}',
            'bytes=5-104/{}',
            'bytes 5-104/*',
        ):
            self.proxy.clear()
            self.inject(
                rewrite(content_range=form.format(SEGMENT)), None, segment=1
            )
            self.part(5, 100)
            self.assertEqual({'bytes=5-104'}, set(self.ranges(1)))

    def test_of_an_etag(self) -> None:
        self.upload(SEGMENT)
        etag = self.cloud.connection().head_object(self.container, self.image)[
            'etag'
        ]
        for form in (f'W/"{etag}"', etag.upper(), f'"{etag}"'):
            self.proxy.clear()
            self.inject(faults.BreakAnswer(SEGMENT // 2))
            self.inject(rewrite(etag=form), None)
            self.assert_read(self.get())

    def test_of_no_etag(self) -> None:
        """Then it tells when it was written."""
        for size, segment in ((SEGMENT, 0), (IMAGE, 2)):
            self.upload(size)
            self.inject(faults.BreakAnswer(SEGMENT // 2), segment=segment)
            self.inject(rewrite(etag=None), segment=segment)
            self.assert_read(self.get())
            self.proxy.clear()
            self.inject(faults.BreakAnswer(SEGMENT // 2), segment=segment)
            self.inject(
                rewrite(etag=None, x_timestamp=None, last_modified=None),
                None,
                segment=segment,
            )
            said = self.assert_lost(downloads.UNAVAILABLE)
            self.assertIn('does a proxy remove ETags?', said)
            self.assertNotIn('another object', said)

    def test_of_no_etag_of_a_segment(self) -> None:
        """A HEAD tells it; if that does not either it is not believed."""
        self.upload()
        self.inject(rewrite(etag=None), None, segment=2)
        self.assert_read(self.get())
        self.part(SEGMENT + 5, 100)
        self.inject(rewrite(etag=None), None, 0, 'HEAD', segment=2)
        said = self.assert_lost(exceptions.RemoteServiceUnavailable)
        self.assertIn('does a proxy remove ETags?', said)


class TestLength(TestCase):
    """What a proxy sends in chunks has none."""

    bare = rewrite(content_length=None)

    def size(self) -> int:
        location = stores.location_of(self.uri, 'fast', self.made.conf)
        size: int = self.made.store('fast').get_size(location)
        return size

    def test_read(self) -> None:
        for size in (0, 1, SEGMENT, IMAGE):
            self.upload(size)
            for segment in (0, 1, 4):
                self.inject(self.bare, None, segment=segment)
            self.assert_read(self.get())
            self.assertEqual(size, self.size())

    def test_only_a_range_tells_it(self) -> None:
        """As with nginx and its sub_filter."""
        for size in (0, 1, SEGMENT):
            self.upload(size)
            self.inject(self.bare, None)
            self.inject(self.bare, None, method='HEAD')
            self.assert_read(self.get())
            self.assertEqual(size, self.size())

    def test_nobody_tells_it(self) -> None:
        self.upload(SEGMENT)
        self.inject(rewrite(content_length=None, content_range=None), None)
        self.inject(self.bare, None, method='HEAD')
        for call in (self.size, self.get):
            caught = self.assertRaises(exceptions.BackendException, call)
            self.assertIn(
                'its size is not told, not even by a HEAD; does a '
                'proxy remove the Content-Length?',
                str(caught),
            )
            self.assert_closed()

    def test_only_a_get_tells_it(self) -> None:
        self.upload(SEGMENT)
        self.inject(self.bare, None, method='HEAD')
        self.assertEqual(SEGMENT, self.size())
        self.assert_read(self.get())


class TestEncoded(TestCase):
    def test_on_its_way(self) -> None:
        """Only the headers are said to be so: it is not believed."""
        self.upload()
        for segment in (0, 1):
            self.proxy.clear()
            self.inject(
                rewrite(content_encoding='gzip'), None, segment=segment
            )
            caught = self.assertRaises(
                exceptions.BackendException,
                multi_backend.get,
                self.uri,
                'fast',
            )
            self.assertIn('gzip', str(caught))
            self.assert_closed()


class TestHeader(TestCase):
    def test_no_utf_8(self) -> None:
        odd = rewrite(x_odd='caf\xe9')
        self.upload()
        for skip in (0, 1):
            self.proxy.clear()
            self.inject(faults.BreakAnswer(SEGMENT // 2), segment=2)
            self.inject(odd, skip=skip, segment=2)
            self.assert_read(self.get())
        self.inject(odd, None)
        caught = self.assertRaises(
            downloads.UNAVAILABLE, multi_backend.get, self.uri, 'fast'
        )
        self.assertIn('UnicodeDecodeError', str(caught))
        self.assert_closed()


class TestRedirected(TestCase):
    def test_not_followed(self) -> None:
        self.upload()
        self.inject(
            faults.Status(
                code=302, headers={'Location': f'{self.proxy.url}/elsewhere'}
            )
        )
        caught = self.assertRaises(
            exceptions.BackendException, multi_backend.get, self.uri, 'fast'
        )
        self.assertIn('302 Found (to ', str(caught))
        self.assertEqual(
            [], [each for each in self.proxy.log if 'elsewhere' in each.path]
        )
