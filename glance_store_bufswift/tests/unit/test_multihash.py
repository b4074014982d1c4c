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

"""Algorithms that Glance may name."""

import hashlib

from oslotest import base

from glance_store_bufswift import errors
from glance_store_bufswift import multihash


class TestNew(base.BaseTestCase):
    def test_usable(self) -> None:
        for name in ('md5', 'sha256', 'sha512', 'sha3_512', 'blake2b'):
            made = multihash.new(name)
            made.update(b'image')
            self.assertEqual(
                hashlib.new(name, b'image').hexdigest(), made.hexdigest()
            )

    def test_not_usable(self) -> None:
        for name in ('shake_128', 'shake_256', 'sha-513', '', 'SHA 512'):
            exc = self.assertRaises(errors.ConfigError, multihash.new, name)
            self.assertIn(f' {name}', str(exc))
            self.assertIn('hashing_algorithm', str(exc))
