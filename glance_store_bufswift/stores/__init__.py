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

"""The stores, as glance_store uses them.

In the order in which they build on each other::

    locations.py   where images are, with the credentials to get there
    configured.py  what a store has from its sections
    base.py        what both kinds of store do with images
    single.py      all images in the account of one service user
    multi.py       each image in its project's account
"""
