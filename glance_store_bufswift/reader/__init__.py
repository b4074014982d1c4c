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

"""Reading an image over several connections, ahead of the caller.

In the order in which they build on each other::

    parts.py     what an image is made of, and how it is cut into pieces
    plan.py      the pieces that are not begun yet
    proving.py   opening a piece, with proof that it is of the right object
    gauge.py     whether several connections help
    direct.py    reading on the thread that wants the bytes
    memory.py    what all downloads of the process may hold in memory
    fetch.py     a piece that another thread reads
    ahead.py     the pieces in their order, some of them fetched ahead
    listed.py    the segments of a manifest that does not name them
    lookup.py    what an image is stored as, and how to read it
"""
