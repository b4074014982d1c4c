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

"""The entry point of ``glance-bufswift``."""

from collections.abc import Sequence
import importlib
import os
import sys
import warnings

from glance_store_bufswift.cmd import status
from glance_store_bufswift import errors


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the entry point of the console script.

    :param argv: the arguments, those of the process by default
    :returns: an exit status
    """
    # The warnings of Glance's libraries about each other do not help an
    # operator, and cron would mail them.
    with warnings.catch_warnings(record=True):
        warnings.simplefilter('always')
        arguments = importlib.import_module(
            'glance_store_bufswift.cmd.arguments'
        )
        config = importlib.import_module('glance_store_bufswift.cmd.config')
    parsed = arguments.parse(argv)
    config.set_logging_up(parsed.debug)
    try:
        code = int(parsed.run(parsed))
        sys.stdout.flush()
    except errors.ConfigError as exc:
        return _fail(exc, status.USAGE)
    except errors.BufswiftError as exc:
        return _fail(exc, status.FAILED)
    except BrokenPipeError:
        # Python flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return status.CLOSED
    except KeyboardInterrupt:
        return status.INTERRUPTED
    return code


def _fail(exc: Exception, code: int) -> int:
    print(f'glance-bufswift: {exc}', file=sys.stderr)
    return code


if __name__ == '__main__':
    sys.exit(main())
