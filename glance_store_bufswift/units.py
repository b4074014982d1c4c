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

"""Sizes that several modules have to agree on."""

MIB = 1 << 20

#: Bytes that are handed on at a time, from the source to Swift. Large enough
#: that Python's work per block does not count, small enough that a few of them
#: in memory do not either.
BLOCK = MIB


def mib(size: int) -> int:
    """The MiB that so many bytes take, rounded up."""
    return -(-size // MIB)
