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

"""The accelerator, compiled of this tree for the tests.

What is installed may be older, or missing; and an installation passes over
what the compiler complains about.
"""

import functools
import importlib.util
import os
from pathlib import Path
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from typing import Any
import unittest

import fixtures

from glance_store_bufswift import accelerator

NAME = 'glance_store_bufswift._onepass'
SOURCE = Path(accelerator.__file__).with_name('_onepass.c')

#: Read of the environment: further options of the compiler. Who sets it wants
#: the accelerator tested: without a compiler the tests fail then.
FLAGS = 'TESTS_CFLAGS'

#: Of testscenarios: who does the work.
SCENARIOS = [
    ('all in one pass', {'accelerated': 'Triple'}),
    ('MD5s in one pass', {'accelerated': 'Pair'}),
    ('hashlib', {'accelerated': ''}),
]

_ALWAYS = (
    '-std=c11',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-fPIC',
    '-shared',
    '-DPy_LIMITED_API=0x030a0000',
)


class Failed(Exception):
    """The compiler does not take the accelerator."""


def skip_without_compiler() -> None:
    """Skip a test that compiles where nothing can be."""
    compiler = shlex.split(sysconfig.get_config_var('CC') or 'cc')[0]
    header = Path(sysconfig.get_path('include'), 'Python.h')
    if FLAGS in os.environ or (shutil.which(compiler) and header.exists()):
        return
    raise unittest.SkipTest(f'{compiler} or {header} is missing')


@functools.cache
def load() -> Any:
    """The module, or what else keeps it from being tested.

    :raises SkipTest: there is no compiler
    :raises Failed: it does not compile, or not without a warning
    """
    skip_without_compiler()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, '_onepass.abi3.so')
        done = subprocess.run(
            [
                *shlex.split(sysconfig.get_config_var('CC') or 'cc'),
                *_ALWAYS,
                *shlex.split(os.environ.get(FLAGS, '')),
                '-I',
                sysconfig.get_path('include'),
                SOURCE,
                '-o',
                path,
            ],
            text=True,
            capture_output=True,
        )
        if done.returncode:
            raise Failed(done.stderr)
        spec = importlib.util.spec_from_file_location(NAME, path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


class Chosen(fixtures.Fixture):
    """Have the accelerator do the work, or hashlib.

    :param accelerated: the accelerator's type that computes most, '' for
        hashlib
    :raises SkipTest: there is none of that name
    """

    def __init__(self, accelerated: str) -> None:
        super().__init__()
        self._choice = _choice(accelerated)

    def _setUp(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.accelerator.chosen',
                lambda: self._choice,
            )
        )


def _choice(accelerated: str) -> accelerator.Choice:
    if not accelerated:
        return accelerator.Choice(None, 'a test says so')
    built = load()
    if accelerated == 'Pair':
        return accelerator.Choice(built.Pair)
    if not hasattr(built, accelerated):
        raise unittest.SkipTest('this processor has no AVX-512')
    return accelerator.Choice(
        built.VectorPair, vector=True, triple=built.Triple
    )
