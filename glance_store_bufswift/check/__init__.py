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

"""Trying a configuration before it goes live.

In the order in which they build on each other::

    finding.py    one line of the table
    options.py    options that do nothing, or contradict each other
    hashing.py    the multihash, and what computes the hashes
    credentials.py user and key
    limits.py     Swift's limits
    mounts.py     what the buffer directory's file system is
    disk.py       the buffer directory, and the file system that it is on
    together.py   how stores affect one another
    cloud.py      Keystone and Swift
    as_glance.py  a store as Glance uses it
    roundtrip.py  a small image to Swift and back
    figures.py    what was measured
    host.py       measuring this host
    ending.py     ending early, but with time to clean up
    temporary.py  objects that must not stay in Swift
    load.py       measuring Swift
    advice.py     the values that the figures propose
    table.py      both of them, as lines of the table
"""
