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

"""Tests, what they stand on, and programs beside them.

::

    unit/        one module at a time, without a server but on sockets of its
                 own; "tools/tox -e py3"
    functional/  the driver, its commands and Glance against a real Swift,
                 Keystone and Glance; "tools/tox -e functional", and "-e rgw"
                 against a real Ceph RGW
    packaging/   sdist and wheel, built, installed and used

    support/     what they stand on
      cloud/       the real services, and the fault proxies before them
      stores.py    glance_store with a configuration of its own
      streams.py   images, and sources that stall or fail
      leaks.py     files and connections that are open
      tokens.py    tokens that tests share
      logs.py      what was logged
      durations.py what the functional tests take, for stestr
      fresh.py     what a process remembers, emptied
      signals.py, arguments.py   of the programs

    programs/    each in a tox environment of its name
      demo/        an upload through faults, beside the stock driver
      bench/       measured beside the stock driver
      chaos/       many uploads under random faults, each checked
      playground/  "cloud": the services to play with
      tempest/     Tempest's image tests with both drivers
      devstack/    the DevStack plugin, on stubs and real functions
      sanitize.py  the accelerator under ASan and UBSan

No test module imports another one: what several of them use is in a module
beside them whose name does not begin with "test_".
"""
