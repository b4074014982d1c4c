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

import os
from pathlib import Path
import re
import subprocess
import sysconfig
from typing import Any

import setuptools

#: The oldest Python that the accelerator's one wheel is for.
ABI = 0x030A0000

#: A version before that of each release.
UNKNOWN = '1.0.0.dev0'


def has_version() -> bool:
    """Whether pbr can tell the version: from git, or from an sdist.

    A tree unpacked below the work tree of another project is not asked for
    its git: pbr would take the version of that project.
    """
    try:
        git = subprocess.run(
            ['git', 'rev-parse', '--show-prefix'],
            capture_output=True,
            text=True,
        )
        own = git.returncode == 0 and not git.stdout.strip()
    except OSError:
        own = False
    return own or Path('PKG-INFO').exists()


def of_archive() -> str:
    """The version of what "git archive" packed, as forges do for downloads.

    Git writes there which release it is, and how many commits were made
    since: 1.2.0 or 1.2.0-7-g0123456. A copy of the tree does not have it.
    """
    written = Path('.git_archival.txt')
    described = re.match(
        r'(\d[\d.]*)(?:-(\d+)-g)?',
        written.read_text() if written.exists() else '',
    )
    if not described:
        return UNKNOWN
    release, since = described.groups()
    return f'{release}.post{since}' if since else release


def accelerator() -> dict[str, Any]:
    """The extension in C, if it can be built; nothing fails without it.

    A free-threaded Python has no stable ABI, and setuptools refuses to make
    a wheel for it.
    """
    if sysconfig.get_config_var('Py_GIL_DISABLED'):
        return {}
    return {
        'ext_modules': [
            setuptools.Extension(
                'glance_store_bufswift._onepass',
                ['glance_store_bufswift/_onepass.c'],
                depends=[
                    'glance_store_bufswift/_md5.h',
                    'glance_store_bufswift/_sha512.h',
                    'glance_store_bufswift/_sha512_steps.h',
                    'glance_store_bufswift/_sha512_words.h',
                ],
                define_macros=[('Py_LIMITED_API', f'{ABI:#x}')],
                # Python's own -O3 makes code of gcc that is 9 % slower.
                extra_compile_args=['-O2'],
                py_limited_api=True,
                optional=True,
            )
        ],
        'options': {'bdist_wheel': {'py_limited_api': 'cp310'}},
    }


if not has_version():
    os.environ.setdefault('PBR_VERSION', of_archive())

setuptools.setup(setup_requires=['pbr>=7.0.3'], pbr=True, **accelerator())
