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

"""The multihash that Glance asks for, and what computes the hashes."""

from collections.abc import Iterator

from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding
from glance_store_bufswift import errors
from glance_store_bufswift import hashes
from glance_store_bufswift import multihash

_SUBJECT = 'hashing'


def findings(algorithm: str) -> Iterator[Finding]:
    """Check how this host hashes images.

    glance-api may have another environment than the command, and compute the
    MD5s in the other way; uploads are right either way.

    :param algorithm: Glance's hashing_algorithm
    """
    try:
        multihash.new(algorithm)
    except errors.ConfigError as exc:
        yield finding.error(
            _SUBJECT,
            f'no image can be stored: {exc}',
            'set hashing_algorithm = sha512',
        )
    yield finding.ok(_SUBJECT, hashes.describe(algorithm))
