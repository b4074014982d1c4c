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

"""Tempest's tests of the image API, against Glance with either driver.

__main__.py   the command: one driver after the other, then the comparison
config.py     the configurations of Glance and of Tempest
run.py        one run of Tempest, in a workspace of its own
compare.py    what the runs have in common, and what not
"""
