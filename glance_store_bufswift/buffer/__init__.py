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

"""What holds a segment while it is sent.

In the order in which they build on each other::

    quota.py     a bound that all processes of the host keep together
    space.py     room on disk
    buffers.py   what one upload takes of it, and gives back
    window.py    the latest bytes of a segment, in memory
    segment.py   written by one thread, read by another, rewound for a retry
"""
