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

"""What the exit statuses of ``glance-bufswift`` mean."""

WELL, FOUND, USAGE, FAILED, IN_DOUBT, MISSING = range(6)

#: After a pipe was closed, as a shell reports SIGPIPE; and SIGINT.
CLOSED, INTERRUPTED = 141, 130

MEANING = {
    WELL: 'all is well: no error found, no orphans (left)',
    FOUND: 'the check found an error; orphans were found, or are left',
    USAGE: 'the arguments or the configuration can not be used',
    FAILED: 'Swift or Keystone failed: the result is not known',
    IN_DOUBT: 'orphans: something is kept, as it may be in use',
    MISSING: 'orphans: a container of a store does not exist',
}
