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

"""The accelerator beside the RFC and hashlib."""

import array
from collections.abc import Iterator
import copy
import hashlib
import mmap
import random
import sys
import threading
from typing import Any

from hypothesis import given
from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st
from oslotest import base
import testscenarios

from glance_store_bufswift.tests.unit import compiled

load_tests = testscenarios.load_tests_apply_scenarios

#: Of MD5, RFC 1321, A.5.
KNOWN = {
    b'': 'd41d8cd98f00b204e9800998ecf8427e',
    b'a': '0cc175b9c0f1b6a831c399e269772661',
    b'abc': '900150983cd24fb0d6963f7d28e17f72',
    b'message digest': 'f96b697d7cb7938d525a2f31aaf161d0',
    b'abcdefghijklmnopqrstuvwxyz': 'c3fcd3d76192e4007dfb496cca67e13b',
    b'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789': (
        'd174ab98d277d9f5a5611c2c9f419d9f'
    ),
    8 * b'1234567890': '57edf4a22be3c955ac49da2e2107b67a',
}

#: Of SHA-512, from the examples that NIST gives for FIPS 180-4.
KNOWN_SHA512 = {
    b'abc': (
        'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a'
        '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f'
    ),
    b'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn'
    b'hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu': (
        '8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018'
        '501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909'
    ),
}

#: Up to which length every split is tried.
LONGEST = 1100

#: Rounds in which a thread has to be seen at work, of which one is enough.
ROUNDS = 1000

#: Lengths at and around the places where a block of MD5 ends, or every second
#: time one of SHA-512, or where its padding does not fit any more.
LENGTHS = st.one_of(
    st.integers(0, 300),
    st.builds(
        lambda blocks, more: max(0, 64 * blocks + more),
        st.integers(0, 5),
        st.sampled_from([-17, -16, -9, -8, -1, 0, 1]),
    ),
)

#: A property is tested with each type, by an object of its own.
ALL_TYPES = [HealthCheck.differing_executors]

#: What is done to a stream: so many bytes come, or a part ends.
STEPS = st.lists(st.one_of(LENGTHS, st.none()), max_size=30)


def md5(data: Any) -> str:
    """hashlib's MD5 in hex."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class TestCase(base.BaseTestCase):
    """Tests of the type for all processors, and of those for some."""

    scenarios = [
        (name, {'name': name}) for name in ('Pair', 'VectorPair', 'Triple')
    ]

    name: str

    def setUp(self) -> None:
        super().setUp()
        found = getattr(compiled.load(), self.name, None)
        if found is None:
            self.skipTest('this processor has no AVX-512')
        self.type = found

    def of_all(self, data: Any) -> list[str]:
        """hashlib's hashes of a stream that the type computes, in hex."""
        found = [md5(data)]
        if self.name == 'Triple':
            found.append(hashlib.sha512(data).hexdigest())
        return found

    def told(self, hashes: Any) -> list[str]:
        """What one of that type tells of all that it has taken."""
        found = [hashes.hexdigest()]
        if self.name == 'Triple':
            found.append(hashes.sha512_hexdigest())
        return found

    def refused(self, call: Any, update: Any, block: bytes) -> bool:
        """Whether a call is refused while a block is hashed."""

        def work() -> None:
            try:
                update(block)
            except RuntimeError:  # now this call was the second one
                work()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            while thread.is_alive():
                call()
        except RuntimeError:
            return True
        finally:
            thread.join()
        return False


class TestHashes(TestCase):
    """Right for all lengths, splits and places of the parts."""

    def test_known_answers(self) -> None:
        for data, known in KNOWN.items():
            pair = self.type()
            pair.update(data)
            self.assertEqual(known, pair.hexdigest())
            self.assertEqual(known, pair.end_part())
            # The same beside the first, and behind it in mid-block.
            pair.update(data)
            self.assertEqual(known, pair.end_part())
            self.assertEqual(md5(data + data), pair.hexdigest())

    def test_every_length_with_every_split(self) -> None:
        data = random.Random(1).randbytes(LONGEST)
        whole = [self.of_all(data[:length]) for length in range(LONGEST + 1)]
        wrong = [
            (length, split)
            for length in range(LONGEST + 1)
            for split in range(length + 1)
            if self.in_two_parts(data[:length], split)
            != (whole[split][0], whole[length], md5(data[split:length]))
        ]
        self.assertEqual([], wrong)

    def in_two_parts(
        self, data: bytes, split: int
    ) -> tuple[str, list[str], str]:
        """The first part's MD5, the whole's hashes, the second part's MD5."""
        pair = self.type()
        pair.update(data[:split])
        first = pair.end_part()
        pair.update(data[split:])
        return first, self.told(pair), pair.end_part()

    def test_every_length_in_three_blocks(self) -> None:
        """Both states have bytes left over, as many or not."""
        data = random.Random(2).randbytes(400)
        wrong = []
        for start in (0, 1, 63, 64, 65, 128):
            for first in range(130):
                for second in (0, 1, 55, 56, 63, 64, 65, 200):
                    blocks = [
                        data[:start],
                        data[start:][:first],
                        data[start + first :][:second],
                    ]
                    if self.differs([blocks[:1], blocks[1:]]):
                        wrong.append((start, first, second))
        self.assertEqual([], wrong)

    def differs(self, parts: list[list[bytes]]) -> bool:
        """Whether anything differs from hashlib, at any time."""
        pair, whole = self.type(), b''
        for blocks in parts:
            for block in blocks:
                pair.update(block)
                whole += block
                if self.told(pair) != self.of_all(whole):
                    return True
            if pair.end_part() != md5(b''.join(blocks)):
                return True
        return False

    @given(STEPS, st.integers(0, 2**32))
    @settings(
        deadline=None,
        max_examples=500,
        suppress_health_check=ALL_TYPES,
    )
    def test_same_as_hashlib(self, steps: list[int | None], seed: int) -> None:
        parts: list[list[bytes]] = [[]]
        for number, length in enumerate(steps):
            if length is None:
                parts.append([])
            else:
                parts[-1].append(
                    random.Random(seed + number).randbytes(length)
                )
        self.assertFalse(self.differs(parts))

    def test_more_than_2_to_the_32_bits(self) -> None:
        block = random.Random(3).randbytes(1 << 20)
        begin = block[:64]
        pair, whole, part = self.type(), hashlib.md5(begin), hashlib.md5()
        sha512 = hashlib.sha512(begin)
        pair.update(begin)
        pair.end_part()
        for _ in range((1 << 29 >> 20) + 1):
            for each in (pair, whole, sha512, part):
                each.update(block)
        expected = [whole.hexdigest(), sha512.hexdigest()]
        self.assertEqual(expected[: len(self.told(pair))], self.told(pair))
        self.assertEqual(part.hexdigest(), pair.end_part())


class TestType(TestCase):
    """What Python sees of it."""

    def test_asking_changes_nothing(self) -> None:
        pair = self.type()
        pair.update(b'x' * 100)
        for _ in range(2):
            self.assertEqual(self.of_all(b'x' * 100), self.told(pair))
        pair.update(b'y')
        self.assertEqual(self.of_all(b'x' * 100 + b'y'), self.told(pair))

    def test_it_is_not_copied(self) -> None:
        for change in (copy.copy, copy.deepcopy):
            self.assertRaises(TypeError, change, self.type())

    def test_it_is_no_base(self) -> None:
        self.assertRaises(TypeError, type, 'Sub', (self.type,), {})

    def test_it_takes_no_arguments(self) -> None:
        self.assertRaises(TypeError, self.type, b'x')
        self.assertRaises(TypeError, self.type, data=b'x')
        self.assertRaises(TypeError, self.type().update)
        self.assertRaises(TypeError, self.type().hexdigest, 1)

    def test_names(self) -> None:
        self.assertEqual(compiled.NAME, self.type.__module__)
        self.assertEqual(compiled.NAME, compiled.load().__name__)

    def buffers(self, data: bytes) -> Iterator[Any]:
        """Everything that has bytes to give."""
        yield data
        yield type('Bytes', (bytes,), {})(data)
        yield bytearray(data)
        yield memoryview(data)
        yield memoryview(data)[5:-5]
        yield memoryview(data)[::-3]
        yield memoryview(data).cast('I')
        yield array.array('d', data)
        with mmap.mmap(-1, len(data)) as mapped:
            mapped[:] = data
            yield mapped

    def test_buffers(self) -> None:
        for data in self.buffers(random.Random(4).randbytes(400)):
            pair = self.type()
            pair.update(data)
            self.assertEqual(self.of_all(bytes(data)), self.told(pair))
            self.assertEqual(md5(bytes(data)), pair.end_part())

    def test_what_has_no_buffer(self) -> None:
        pair = self.type()
        pair.update(b'x')
        for nothing in ('text', 5, None, [1, 2], object()):
            self.assertRaises(TypeError, pair.update, nothing)
        self.assertEqual(self.of_all(b'x'), self.told(pair))

    def test_nothing_is_kept(self) -> None:
        block, other = bytes(1000), bytearray(1000)
        counted = (block, other, self.type, None)
        before = [sys.getrefcount(each) for each in counted]
        for _ in range(1000):
            pair = self.type()
            pair.update(block)
            pair.update(other)
            pair.end_part()
            self.assertRaises(TypeError, pair.update, 5)
        for each, count in zip(counted, before):
            # What the test itself keeps is not told apart.
            self.assertLess(sys.getrefcount(each) - count, 500)


class TestThreads(TestCase):
    """The interpreter's lock is free, and nothing else is lost by that."""

    def test_one_for_each_thread(self) -> None:
        blocks = [
            random.Random(seed).randbytes(size)
            for seed, size in enumerate(
                (1 << 20, 100, 1 << 20, 64, 3, 1 << 18)
            )
        ]
        found = []

        def run() -> None:
            pair = self.type()
            parts = []
            for block in blocks:
                pair.update(block)
                parts.append(pair.end_part())
            found.append((self.told(pair), parts))

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(
            8
            * [
                (
                    self.of_all(b''.join(blocks)),
                    [md5(block) for block in blocks],
                )
            ],
            found,
        )

    def test_two_threads_at_one(self) -> None:
        """The second is told so, and the hash is right all the same."""
        pair, whole, block = self.type(), hashlib.md5(), bytes(1 << 22)
        calls = [pair.hexdigest, pair.end_part, lambda: pair.update(b'')]
        if self.name == 'Triple':
            calls += [
                pair.sha512_hexdigest,
                lambda: pair.update_md5s(b''),
                lambda: pair.update_sha512(b''),
            ]
        for call in calls:
            for _ in range(ROUNDS):
                whole.update(block)
                if self.refused(call, pair.update, block):
                    break
            else:
                self.fail('update() was never seen at work')
        self.assertEqual(whole.hexdigest(), pair.hexdigest())


class TestTriple(TestCase):
    """SHA-512, which has no need of the MD5s."""

    scenarios = [('Triple', {'name': 'Triple'})]

    def test_known_answers(self) -> None:
        for data, known in KNOWN_SHA512.items():
            triple = self.type()
            triple.update(data)
            self.assertEqual(known, triple.sha512_hexdigest())

    @given(
        st.lists(
            st.tuples(
                LENGTHS,
                st.sampled_from(('update', 'update_md5s', 'update_sha512')),
            ),
            max_size=20,
        ),
        st.integers(0, 2**32),
    )
    @settings(deadline=None, suppress_health_check=ALL_TYPES)
    def test_sha512_in_a_pass_of_its_own(
        self, steps: list[tuple[int, str]], seed: int
    ) -> None:
        """It may be behind or ahead of the MD5s."""
        triple, md5s, sha512 = self.type(), hashlib.md5(), hashlib.sha512()
        for number, (length, method) in enumerate(steps):
            block = random.Random(seed + number).randbytes(length)
            getattr(triple, method)(block)
            if method != 'update_sha512':
                md5s.update(block)
            if method != 'update_md5s':
                sha512.update(block)
        self.assertEqual(
            [md5s.hexdigest(), sha512.hexdigest()], self.told(triple)
        )

    def test_two_threads_with_a_hash_each(self) -> None:
        block = random.Random(5).randbytes(1 << 22)
        for update, beside, refused in (
            ('md5s', 'sha512', ('hexdigest', 'end_part')),
            ('sha512', 'md5s', ('sha512_hexdigest',)),
        ):
            for name in refused:
                triple, count = self.type(), 0
                work = getattr(triple, f'update_{update}')
                while not self.refused(getattr(triple, name), work, block):
                    count += 1
                    self.assertLess(count, ROUNDS)
            triple = self.type()
            self.assertFalse(
                self.refused(
                    lambda: getattr(triple, f'update_{beside}')(b'x' * 1000),
                    getattr(triple, f'update_{update}'),
                    block,
                )
            )
