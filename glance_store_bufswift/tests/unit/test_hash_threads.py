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

"""When SHA-512 gets a thread of its own, beside the MD5s."""

import threading

import fixtures
from oslotest import base

from glance_store_bufswift import hash_threads

#: Seconds after which a test that hangs is a failed test.
GENEROUS = 30

BLOCKS = [bytes([number]) for number in range(8)]

#: More than wait before there are two passes.
MANY = BLOCKS[: hash_threads.MAX_BLOCKS_BEHIND_ONE_PASS]


class _Hashes:
    """Notes which hashes take a block; may be held up in its first one.

    :ivar one_pass: the blocks that all hashes took in one pass
    """

    def __init__(self) -> None:
        self.md5s: list[bytes] = []
        self.sha512: list[bytes] = []
        self.one_pass: list[bytes] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.two_begun = threading.Event()
        self.go_on_with_sha512 = threading.Event()
        self.go_on_with_sha512.set()
        self.error: Exception | None = None
        self.error_beside: Exception | None = None

    def update(self, block: bytes, /) -> None:
        if self.error:
            raise self.error
        self.begun.set()
        self.go.wait(GENEROUS)
        if self.md5s != self.sha512:
            raise AssertionError('SHA-512 has yet to take earlier blocks')
        self.one_pass.append(block)
        self.md5s.append(block)
        self.sha512.append(block)

    def update_md5s(self, block: bytes, /) -> None:
        self.md5s.append(block)
        self.two_begun.set()

    def update_sha512(self, block: bytes, /) -> None:
        self.go_on_with_sha512.wait(GENEROUS)
        if self.error_beside:
            raise self.error_beside
        self.sha512.append(block)

    def end_part(self) -> str:
        return ''

    def hexdigest(self) -> str:
        return ''

    def sha512_hexdigest(self) -> str:
        return ''


class TestOnePass(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.hashes = _Hashes()
        self.thread = hash_threads.OnePassThread(self.hashes)
        self.addCleanup(self.thread.close)
        self.addCleanup(self.hashes.go.set)
        self.cores(hash_threads.CORES_FOR_TWO_PASSES)

    def cores(self, count: int) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.hash_threads.cores', lambda: count
            )
        )

    def fall_behind(self) -> None:
        """Have blocks wait while the first one is hashed."""
        self.thread.put(MANY[0])
        self.assertTrue(self.hashes.begun.wait(GENEROUS))
        for block in MANY[1:]:
            self.thread.put(block)

    def finish(self) -> None:
        """Have all blocks taken: each once by each hash, in their order."""
        self.hashes.go.set()
        self.thread.wait()
        self.thread.close()
        self.thread.raise_error()
        self.assertEqual(self.hashes.md5s, self.hashes.sha512)

    def test_one_pass_keeps_up(self) -> None:
        self.hashes.go.set()
        for block in BLOCKS:
            self.thread.put(block)
            self.thread.wait()
        self.finish()
        self.assertEqual(BLOCKS, self.hashes.one_pass)

    def test_blocks_wait(self) -> None:
        self.fall_behind()
        self.finish()
        self.assertEqual(MANY, self.hashes.md5s)
        # The first one came alone, and nothing waited behind the last two.
        self.assertEqual([MANY[0], *MANY[2:]], self.hashes.one_pass)

    def test_sha512_catches_up_before_one_pass(self) -> None:
        """Otherwise it would miss what the MD5s have taken."""
        self.hashes.go_on_with_sha512.clear()
        self.fall_behind()
        self.hashes.go.set()
        self.assertTrue(self.hashes.two_begun.wait(GENEROUS))
        # No sign tells that a pass waits: if it did not, it would be through
        # long before this.
        self.hashes.go_on_with_sha512.wait(0.2)
        self.assertEqual(MANY[:2], self.hashes.md5s)
        self.assertEqual(MANY[:1], self.hashes.sha512)
        self.hashes.go_on_with_sha512.set()
        self.finish()
        self.assertEqual(MANY, self.hashes.md5s)

    def test_no_core_is_free(self) -> None:
        self.cores(hash_threads.CORES_FOR_TWO_PASSES - 1)
        self.fall_behind()
        self.finish()
        self.assertEqual(MANY, self.hashes.one_pass)

    def test_another_upload_has_the_cores(self) -> None:
        """As long as it hashes; enough cores for both are for both."""
        per_upload = hash_threads.CORES_FOR_TWO_PASSES
        for cores, in_one_pass in (
            (2 * per_upload - 1, 4),
            (2 * per_upload, 3),
        ):
            self.cores(cores)
            other = _Hashes()
            thread = hash_threads.OnePassThread(other)
            self.hashes = _Hashes()
            self.thread = hash_threads.OnePassThread(self.hashes)
            try:
                thread.put(b'')
                self.assertTrue(other.begun.wait(GENEROUS))
                self.fall_behind()
                self.finish()
            finally:
                other.go.set()
                thread.close()
            self.assertEqual(in_one_pass, len(self.hashes.one_pass))

    def test_upload_that_failed_has_no_cores(self) -> None:
        failed = _Hashes()
        failed.error = ValueError()
        thread = hash_threads.OnePassThread(failed)
        thread.put(b'')
        thread.close()
        self.assertRaises(ValueError, thread.raise_error)
        self.fall_behind()
        self.finish()
        self.assertNotEqual(MANY, self.hashes.one_pass)

    def test_error_beside(self) -> None:
        """It fails the upload as an error in one pass does."""
        self.hashes.error_beside = ValueError()
        self.fall_behind()
        self.hashes.go.set()
        self.thread.close()
        raised = self.assertRaises(ValueError, self.thread.raise_error)
        self.assertIs(self.hashes.error_beside, raised)

    def test_error_beside_in_the_last_block(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.hash_threads.BLOCKS_TOO_MANY', 0
            )
        )
        self.hashes.error_beside = ValueError()
        self.thread.put(b'')
        self.thread.close()
        self.assertRaises(ValueError, self.thread.raise_error)

    def test_close_ends_both_threads(self) -> None:
        self.fall_behind()
        self.finish()
        self.assertNotIn(
            hash_threads.NAME, {each.name for each in threading.enumerate()}
        )
