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

"""Segments that no manifest refers to, left by uploads that died.

In the order in which they build on each other::

    attempts.py   which segments a listing shows, and what refers to them
    manifests.py  what objects refer to, and whether to believe it
    sweep.py      finding and deleting
"""
