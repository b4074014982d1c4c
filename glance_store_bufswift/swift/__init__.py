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

"""Requests to Swift: the only part that knows swiftclient.

In the order in which they build on each other::

    answers.py      what an answer says, besides its status
    pace.py         how many requests are under way at a time
    failures.py     what a failed try says
    retry.py        whether a request is tried again, and after how long
    tokens.py       a user's session with Keystone, and tokens for swiftclient
    tcp.py          connections that can be broken off
    guard.py        swiftclient's errors and log lines, without surprises
    connections.py  swiftclient's connection, over those of tcp.py
    pool.py         where an account is, and a connection for each thread
    client.py       sends requests, each until it is done or given up
    capabilities.py what sites say about themselves, kept for a while
    sites.py        the requests to a site about itself
    listings.py     what a container lists
    containers.py   the requests for containers
    bulk.py         many deletes in one request
    puts.py         one try of an object's PUT
    gets.py         one try of an object's GET
    objects.py      the requests for objects
    slo_manifest.py manifests of Static Large Objects
    slos.py         the requests for Static Large Objects
    accounts.py     an account, which holds a client and all of its requests
    extents.py      which bytes of an object an answer has
    identity.py     what distinguishes an object that is read
    measuring.py    asking for an object's size
    opening.py      asking for an object's bytes
    reading.py      reading an object over connections that break
"""
