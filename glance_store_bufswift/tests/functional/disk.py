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

"""Tests about the buffer directory: what they have in common."""

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import logging
import os
import re
from typing import Any
from unittest import mock

from testtools import content

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import uploaders
from glance_store_bufswift.tests.support import streams

MIB = 1 << 20

#: Several of the blocks that the source is read in, and what the quota
#: counts for it.
SEGMENT = 3 * base.SEGMENT
UNITS = 3

#: A place in the first segment: so many bytes in whole blocks are written
#: when the source gets there.
MIDDLE = 2_500_000
WRITTEN = 2 * MIB

_SUMMARY = re.compile(
    r'Image (\S+) stored: .*, (\d+) bytes buffered, (\d+) unbuffered'
)


class Case(base.TestCase):
    """Tests of uploads in segments of SEGMENT bytes."""

    shares_tokens = True

    options = {
        'swift_store_large_object_chunk_size': 3,
        'swift_store_large_object_size': 3,
    }

    def uploader(
        self,
        prefix: Iterable[str] = (),
        reserves: bool = True,
        quota: int = 0,
        small: bool = False,
        **options: Any,
    ) -> uploaders.Uploader:
        """Start a process that uploads.

        :param quota: in MiB
        :param small: whether it has a second store, of segments of 2 "MB"
        :param options: for all its stores; see also uploaders.Uploader
        """
        names = ['fast', 'small'] if small else ['fast']
        sections = {
            'DEFAULT': {
                'enabled_backends': ','.join(
                    f'{name}:swift+buffered' for name in names
                )
            },
            'glance_store': {'default_backend': 'fast'},
        }
        section = (
            self._section('swift+buffered')
            | {'swift_buffered_disk_quota': quota}
            | options
        )
        for name in names:
            sections[name] = section | (
                {}
                if name == 'fast'
                else {'swift_store_large_object_chunk_size': 2}
            )
        return self.useFixture(uploaders.Uploader(sections, prefix, reserves))

    def mounted(
        self, kind: str = 'tmpfs', options: str = 'rw', **more: Any
    ) -> uploaders.Uploader:
        """The same, on a file system of its own."""
        reason = uploaders.can_mount(self.buffers)
        if reason:
            self.skipTest(f'nothing can be mounted here: {reason}')
        self.addDetail(
            'file system', content.text_content(f'{kind}, {options}')
        )
        prefix = uploaders.mounting(kind, options, self.buffers)
        return self.uploader(prefix, **more)

    def assert_right(
        self,
        uploader: uploaders.Uploader,
        image: str,
        size: int,
        seed: int = 1,
        store: str = 'fast',
    ) -> None:
        """An upload of another process has ended well."""
        self.image = image
        answer = uploader.done(image)
        self.assert_stored(streams.image(size, seed), answer, store=store)

    def counts(self, messages: list[str]) -> dict[str, tuple[int, int]]:
        """Bytes buffered and unbuffered of each image, by its id."""
        found = filter(None, map(_SUMMARY.match, messages))
        return {match[1]: (int(match[2]), int(match[3])) for match in found}

    def assert_counted(
        self,
        buffered: int,
        unbuffered: int,
        uploader: uploaders.Uploader | None = None,
    ) -> None:
        """The summary of the image says so."""
        messages = (
            uploader.logged(logging.INFO)
            if uploader
            else self.records.of(logging.INFO)
        )
        self.assertEqual(
            (buffered, unbuffered), self.counts(messages)[self.image]
        )

    def assert_warned(
        self, *says: str, uploader: uploaders.Uploader | None = None
    ) -> None:
        """There is one warning for the image, and it says all that.

        The last line of an upload that failed is told elsewhere.
        """
        messages = (
            uploader.logged() if uploader else self.records.of(logging.WARNING)
        )
        warnings = [
            each
            for each in messages
            if self.image in each
            and f'{self.image} was not stored' not in each
        ]
        self.assertEqual(1, len(warnings), str(messages))
        for each in says:
            self.assertIn(each, warnings[0])


@contextlib.contextmanager
def giving_out(code: int, after: int) -> Iterator[None]:
    """A disk on which the first file can't grow beyond so many bytes."""
    real, failed = os.pwrite, False

    def pwrite(descriptor: int, block: Any, position: int) -> int:
        nonlocal failed
        left = after - position
        if left <= 0 and not failed:
            failed = True
            raise OSError(code, os.strerror(code))
        if not failed:
            block = memoryview(block)[:left]
        return real(descriptor, block, position)

    with mock.patch.object(os, 'pwrite', autospec=True, side_effect=pwrite):
        yield
