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

"""Run the accelerator's tests under the sanitizers of addresses and of
undefined behaviour.

The interpreter is not built with them, so their runtime is loaded before it.
"""

import os
import shlex
import subprocess
import sys
import sysconfig

from glance_store_bufswift.tests.unit import compiled

#: The modules that run code in C.
MODULES = (
    'test_onepass',
    'test_accelerator',
    'test_hashes',
    'test_digests',
)

CFLAGS = (
    '-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all '
    '-fsanitize=address,undefined'
)


def runtime() -> str:
    """Where the compiler has the library that has to come first."""
    compiler = shlex.split(sysconfig.get_config_var('CC') or 'cc')
    found = subprocess.run(
        [*compiler, '-print-file-name=libasan.so'],
        check=True,
        text=True,
        capture_output=True,
    )
    return found.stdout.strip()


def environment() -> dict[str, str]:
    """What a Python needs to run code that was built with CFLAGS."""
    return {
        compiled.FLAGS: CFLAGS,
        'LD_PRELOAD': runtime(),
        # Python keeps things until its end. Its own allocator would hide
        # where a block of memory ends.
        'ASAN_OPTIONS': 'detect_leaks=0',
        'PYTHONMALLOC': 'malloc',
    }


def main(arguments: list[str]) -> int:
    """Run the tests; gives the status of unittest."""
    modules = [f'glance_store_bufswift.tests.unit.{name}' for name in MODULES]
    return subprocess.run(
        [sys.executable, '-m', 'unittest', *arguments, *modules],
        env=os.environ | environment(),
    ).returncode


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
