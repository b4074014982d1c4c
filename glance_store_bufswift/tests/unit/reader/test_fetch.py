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

"""A piece that another thread reads."""

import mmap
import threading
from typing import Any

from oslotest import base

from glance_store_bufswift import errors
from glance_store_bufswift.reader import fetch
from glance_store_bufswift.reader import parts

PIECE = parts.Range(parts.Part('c', 'o', 9), 0, 9)


class Reading:
    """Gives one block, and the next ones when it may.

    :param more: what comes then: blocks, or an error
    """

    def __init__(self, more: list[Any]) -> None:
        self.may = threading.Event()
        self.closed = False
        self._blocks = [b'first', *more]

    def open(self, piece: parts.Range) -> 'Reading':
        """As a Prover does."""
        return self

    def read(self) -> bytes:
        """The next block."""
        if len(self._blocks) < 3:
            self.may.wait()
        block = self._blocks.pop(0)
        if isinstance(block, Exception):
            raise block
        return bytes(block)

    def close(self) -> None:
        """What is done after an error."""
        self.closed = True


class TestFetch(base.BaseTestCase):
    def begin(self, *more: Any) -> tuple[Reading, fetch.Fetch]:
        opened = Reading([*more])
        begun = fetch.Fetch(opened, PIECE, mmap.mmap(-1, 9))  # type: ignore[arg-type]
        thread = threading.Thread(target=begun.run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(opened.may.set)
        return opened, begun

    def test_handed_on_while_it_comes(self) -> None:
        opened, begun = self.begin(b'next', b'')
        self.assertEqual(b'first', begun.take())
        self.assertFalse(opened.may.is_set())
        self.assertTrue(begun.waits)
        opened.may.set()
        self.assertEqual([b'next', b''], [begun.take(), begun.take()])
        self.assertFalse(begun.waits)
        self.assertFalse(opened.closed)

    def test_error_comes_behind_what_is_right(self) -> None:
        lost = errors.RequestFailed('lost')
        opened, begun = self.begin(lost)
        opened.may.set()
        self.assertEqual(b'first', begun.take())
        self.assertIs(
            lost, self.assertRaises(errors.RequestFailed, begun.take)
        )
        self.assertTrue(opened.closed)
