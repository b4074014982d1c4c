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

import setuptools


def has_version() -> bool:
    """Whether pbr can tell the version: from git, or from an sdist."""
    try:
        git = subprocess.run(['git', 'rev-parse', '--git-dir'],
                             capture_output=True).returncode
    except OSError:
        git = None
    return git == 0 or Path('PKG-INFO').exists()


# An archive of the repository has neither. It gets a version before that of
# each release rather than none, with which pbr would not install it.
if not has_version():
    os.environ.setdefault('PBR_VERSION', '0.0.1.dev0')

setuptools.setup(setup_requires=['pbr>=7.0.3'], pbr=True)
