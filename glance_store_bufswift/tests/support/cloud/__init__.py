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

"""A real OpenStack cloud for tests: Keystone and Swift on loopback ports.

Glance joins them when it is asked for.

    process.py, keeper.py, nursery.py
                                      servers as processes; gone when we are
    serve.py, serve_glance.py, prepare.py
                                      what runs in them
    spare.py                          what Swift's servers need not work out
    keystone.py, swift.py, glance.py  how each of them is set up
    radosgw.py                        Ceph in the place of Swift
    cache.py, changes.py              what Swift's proxy keeps in the place of
                                      memcached
    balancer.py                       HAProxy or nginx in front of it
    rows.py, replicated.py            a Swift of three replicas, and what goes
                                      wrong in one: listings that lag
    certificates.py                   of signed images, for that Glance
    faults.py, journal.py, proxy.py   the fault injecting HTTP proxy, its
                                      rules and its log
    messages.py, channel.py, relay.py, answer.py, strike.py
                                      how that proxy works
    site.py, cloud.py, __main__.py    all of it, shared by a run of tests
"""
