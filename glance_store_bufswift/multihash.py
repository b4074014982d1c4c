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

"""The hash of an image by Glance's option hashing_algorithm."""

import hashlib
from typing import Any

from glance_store_bufswift import errors


def new(algorithm: str) -> Any:
    """A hash that gives a hex digest in the end.

    :param algorithm: hashlib's name of it
    :raises ConfigError: there is none of that name, or it has no length of
        its own
    """
    try:
        made = hashlib.new(algorithm, usedforsecurity=False)
    except ValueError as exc:
        raise errors.ConfigError(
            f'Python has no hash {algorithm}: set hashing_algorithm in '
            'glance-api.conf to one that it has, sha512 by default'
        ) from exc
    # A SHAKE digest has the length its caller asks for; Glance asks for none.
    if not made.digest_size:
        raise errors.ConfigError(
            f'The hash {algorithm} has no length of its own: set '
            'hashing_algorithm in glance-api.conf to one that has, sha512 by '
            'default'
        )
    return made
