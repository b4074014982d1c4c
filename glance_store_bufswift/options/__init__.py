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

"""The options by topic, each with its help; opts.py puts them together.

Their names start with swift_buffered_, because glance_store registers a
driver's options in the section of every store whose type is contained in the
driver's name: 'swift' is contained in 'swift+buffered'. An option with a name
of upstream's but another default would keep glance-api from starting.
"""
