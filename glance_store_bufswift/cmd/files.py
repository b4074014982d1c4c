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

"""The files that glance-api reads, and what is written in them."""

from collections.abc import Mapping
import os
from pathlib import Path
from typing import Any

from oslo_config import cfg

#: Where glance-api looks when it runs under a WSGI server, unless
#: OS_GLANCE_CONFIG_DIR is set, and for which files
#: (glance/common/wsgi_app.py).
WSGI_DIRECTORY = '/etc/glance'
WSGI_FILES = ('glance-image-import.conf', 'glance-api.conf')

#: By section and name: file and text of each place where it is written; the
#: last one counts.
Written = Mapping[str, Mapping[str, list[tuple[str, str]]]]


def default(environment: Mapping[str, str] = os.environ) -> list[str] | None:
    """The files that glance-api reads if none is named.

    :returns: None for those that oslo.config finds
    """
    named = environment.get('OS_GLANCE_CONFIG_DIR', '').strip()
    directory = Path(named or WSGI_DIRECTORY)
    found = [
        str(path)
        for name in WSGI_FILES
        if (path := directory / name).is_file()
    ]
    return found if named or str(directory / WSGI_FILES[-1]) in found else None


def names(conf: cfg.ConfigOpts) -> list[str]:
    """The files and directories that were read."""
    return [*(conf.config_file or ()), *_directories(conf)]


def written(conf: cfg.ConfigOpts) -> Written:
    """What the files say, section by section.

    :raises OSError: a file is gone since it was read
    """
    files = [Path(name) for name in conf.config_file or ()]
    for directory in _directories(conf):
        files += sorted(Path(directory).glob('*.conf'))
    found: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for file in files:
        sections: dict[str, dict[str, Any]] = {}
        cfg.ConfigParser(str(file), sections).parse()
        for section, options in sections.items():
            for name, values in options.items():
                found.setdefault(section, {}).setdefault(name, []).append(
                    (str(file), ','.join(map(str, values)))
                )
    return found


def _directories(conf: cfg.ConfigOpts) -> list[str]:
    """The directories that were named, else those that oslo.config found."""
    return list(conf.config_dirs or conf.config_dir or ())
