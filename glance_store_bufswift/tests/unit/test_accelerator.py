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

"""Whether the accelerator is used, and which of its types."""

import os
from pathlib import Path
import subprocess
import sys
import types
from typing import Any
from unittest import mock

import fixtures
from oslotest import base

import glance_store_bufswift
from glance_store_bufswift import accelerator
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import compiled

#: Has OpenSSL's default provider say that it runs in FIPS mode, as a host
#: does that was installed so; see fips_config(5) and config(5).
FIPS = """
openssl_conf = init
[init]
alg_section = properties
providers = providers
[providers]
default = default
[default]
activate = 1
[properties]
default_properties = fips=yes
"""

_TELL = """
import _hashlib
from glance_store_bufswift import accelerator
from glance_store_bufswift import hashes

print(_hashlib.get_fips_mode())
print(accelerator.chosen())
made = hashes.new('sha512')
made.image.update(b'abc')
print(made.image.hexdigest())
"""


class Pair:
    """An accelerator that is none, for where no compiler is.

    :cvar right: how many blocks it takes rightly
    """

    right = 100

    def __init__(self) -> None:
        self.all, self.part = b'', b''
        self._blocks = 0

    def update(self, block: bytes, /) -> None:
        self._blocks += 1
        if self._blocks <= self.right:
            self.all += block
            self.part += block

    def end_part(self) -> str:
        ended, self.part = self.part, b''
        return streams.hashes(ended)[0]

    def hexdigest(self) -> str:
        return streams.hashes(self.all)[0]


class WrongPart(Pair):
    """An accelerator that forgets to begin a part anew."""

    def end_part(self) -> str:
        return self.hexdigest()


class Triple(Pair):
    """One that computes SHA-512 too."""

    def __init__(self) -> None:
        super().__init__()
        self.sha512 = Pair()

    def update(self, block: bytes, /) -> None:
        self.update_md5s(block)
        self.sha512.update(block)

    def update_md5s(self, block: bytes, /) -> None:
        super().update(block)

    def update_sha512(self, block: bytes, /) -> None:
        self.sha512.update(block)

    def sha512_hexdigest(self) -> str:
        return streams.hashes(self.sha512.all)[1]


class WrongTwoPasses(Triple):
    """One that is right in one pass only."""

    def update_sha512(self, block: bytes, /) -> None:
        self.update(block)


class WrongSHA512(Triple):
    """One that computes the SHA-512 of the part."""

    def sha512_hexdigest(self) -> str:
        return streams.hashes(self.part)[1]


class TestChosen(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.built(types.SimpleNamespace(Pair=Pair))
        self.useFixture(
            fixtures.EnvironmentVariable(accelerator.SWITCH_VARIABLE)
        )
        accelerator.chosen.cache_clear()
        self.addCleanup(accelerator.chosen.cache_clear)

    def built(self, module: Any) -> None:
        """Have the accelerator be a module, or None for none."""
        self.imported(compiled.NAME, module)

    def imported(self, name: str, module: Any) -> None:
        """Have a module be imported already; None: it can't be."""
        patch = mock.patch.dict(sys.modules, {name: module})
        patch.start()
        self.addCleanup(patch.stop)

    def test_accelerator(self) -> None:
        self.assertEqual(accelerator.Choice(Pair), accelerator.chosen())
        self.assertEqual(
            'the accelerator in one pass', str(accelerator.chosen())
        )

    def test_accelerator_as_compiled(self) -> None:
        built = compiled.load()
        self.built(built)
        vector = getattr(built, 'VectorPair', None)
        self.assertEqual(
            accelerator.Choice(
                vector or built.Pair,
                vector=vector is not None,
                triple=getattr(built, 'Triple', None),
            ),
            accelerator.chosen(),
        )

    def test_vectors(self) -> None:
        right = type('VectorPair', (Pair,), {})
        self.built(types.SimpleNamespace(Pair=Pair, VectorPair=right))
        self.assertEqual(
            accelerator.Choice(right, vector=True), accelerator.chosen()
        )
        self.assertEqual(
            'the accelerator in one pass, with AVX-512',
            str(accelerator.chosen()),
        )

    def test_wrong_vectors_are_not_used(self) -> None:
        self.built(
            types.SimpleNamespace(
                Pair=Pair, VectorPair=WrongPart, Triple=Triple
            )
        )
        self.assertEqual(accelerator.Choice(Pair), accelerator.chosen())

    def test_sha512_beside(self) -> None:
        self.built(
            types.SimpleNamespace(Pair=Pair, VectorPair=Pair, Triple=Triple)
        )
        self.assertEqual(
            accelerator.Choice(Pair, vector=True, triple=Triple),
            accelerator.chosen(),
        )

    def test_wrong_sha512_is_not_used(self) -> None:
        for wrong in (WrongSHA512, WrongTwoPasses):
            accelerator.chosen.cache_clear()
            self.built(
                types.SimpleNamespace(Pair=Pair, VectorPair=Pair, Triple=wrong)
            )
            self.assertEqual(
                accelerator.Choice(Pair, vector=True), accelerator.chosen()
            )

    def test_not_built(self) -> None:
        self.built(None)
        self.assertEqual(
            'hashlib in two passes: the accelerator is not built',
            str(accelerator.chosen()),
        )

    def test_built_for_another_machine(self) -> None:
        path = Path(self.useFixture(fixtures.TempDir()).path)
        path.joinpath('_onepass.abi3.so').write_text('not of this machine')
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.__path__',
                [str(path), *glance_store_bufswift.__path__],
            )
        )
        del sys.modules[compiled.NAME]
        self.assertIn('can not be loaded (', str(accelerator.chosen()))
        self.assertIsNone(accelerator.chosen().pair)

    def test_wrong(self) -> None:
        for right in range(5):
            pair = type('Pair', (Pair,), {'right': right})
            self.assertEqual(right == 4, accelerator.is_right(pair))
        self.assertFalse(accelerator.is_right(WrongPart))

    def test_wrong_is_not_used(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.accelerator.is_right',
                lambda pair: False,
            )
        )
        self.assertIn('is built wrong', str(accelerator.chosen()))
        self.assertIsNone(accelerator.chosen().pair)

    def test_switch(self) -> None:
        for value, on in (
            ('0', False),
            ('off', False),
            ('False', False),
            ('NO', False),
            ('1', True),
            ('', True),
        ):
            self.useFixture(
                fixtures.EnvironmentVariable(
                    accelerator.SWITCH_VARIABLE, value
                )
            )
            accelerator.chosen.cache_clear()
            self.assertEqual(on, accelerator.chosen().pair is not None, value)

    def test_switch_is_named(self) -> None:
        self.useFixture(
            fixtures.EnvironmentVariable(accelerator.SWITCH_VARIABLE, '0')
        )
        self.assertIn(accelerator.SWITCH_VARIABLE, str(accelerator.chosen()))

    def test_fips_mode(self) -> None:
        """Of a real OpenSSL; MD5 is there, from hashlib."""
        path = Path(self.useFixture(fixtures.TempDir()).path, 'openssl.cnf')
        path.write_text(FIPS)
        root = str(Path(accelerator.__file__).parents[1])
        done = subprocess.run(
            [sys.executable, '-c', _TELL],
            text=True,
            capture_output=True,
            check=True,
            env=os.environ | {'OPENSSL_CONF': str(path), 'PYTHONPATH': root},
        )
        mode, choice, digest = done.stdout.splitlines()
        if mode == '0':
            self.skipTest('Python does not use OpenSSL 3')
        self.assertEqual(
            'hashlib in two passes: OpenSSL runs in FIPS mode', choice
        )
        self.assertEqual(streams.hashes(b'abc')[0], digest)

    def test_policy_without_md5(self) -> None:
        def refuse(*, usedforsecurity: bool = True) -> None:
            raise ValueError('disabled')

        self.useFixture(fixtures.MonkeyPatch('hashlib.md5', refuse))
        self.assertIn('FIPS', str(accelerator.chosen()))

    def test_python_without_openssl(self) -> None:
        self.imported('_hashlib', None)
        self.assertIsNotNone(accelerator.chosen().pair)
