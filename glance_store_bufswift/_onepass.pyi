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

class Pair:
    def update(self, block: bytes, /) -> None: ...
    def end_part(self) -> str: ...
    def hexdigest(self) -> str: ...

class VectorPair(Pair):
    """Only where the processor has AVX-512."""

class Triple(Pair):
    """Only where the processor has AVX-512."""

    def update_md5s(self, block: bytes, /) -> None: ...
    def update_sha512(self, block: bytes, /) -> None: ...
    def sha512_hexdigest(self) -> str: ...
