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
import subprocess
import sysconfig
from typing import Any

import setuptools

#: The oldest Python that the accelerator's one wheel is for.
ABI = 0x030a0000


def has_version() -> bool:
    """Whether pbr can tell the version: from git, or from an sdist."""
    try:
        git = subprocess.run(['git', 'rev-parse', '--git-dir'],
                             capture_output=True).returncode
    except OSError:
        git = None
    return git == 0 or Path('PKG-INFO').exists()


def accelerator() -> dict[str, Any]:
    """The extension in C, if it can be built; nothing fails without it.

    A free-threaded Python has no stable ABI, and setuptools refuses to make
    a wheel for it.
    """
    if sysconfig.get_config_var('Py_GIL_DISABLED'):
        return {}
    return {
        'ext_modules': [setuptools.Extension(
            'glance_store_bufswift._md5pair',
            ['glance_store_bufswift/_md5pair.c'],
            define_macros=[('Py_LIMITED_API', f'{ABI:#x}')],
            py_limited_api=True, optional=True)],
        'options': {'bdist_wheel': {'py_limited_api': 'cp310'}}}


# An archive of the repository has neither. It gets a version before that of
# each release rather than none, with which pbr would not install it.
if not has_version():
    os.environ.setdefault('PBR_VERSION', '0.0.1.dev0')

setuptools.setup(setup_requires=['pbr>=7.0.3'], pbr=True, **accelerator())
