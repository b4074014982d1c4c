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

"""A buffered, resumable Swift driver for glance_store.

In the order in which the data of an upload flows::

    driver.py      the driver, as glance_store loads it
    stores/        the two kinds of store
    account_file.py the file of accounts
    access.py      opening the account that an image is in
    trusts.py      tokens in a user's name that outlive the user's own
    provisioning.py making, sharing, removing the containers of images
    recent.py      those that need not be asked for, as one was just stored
    upload.py      one upload, from source to manifest, or cleanup
    copying.py     from the source into segments, while they are sent
    summary.py     what an upload took, and where its time went, for the log
    stopwatch.py   seconds, by what was waited for
    transfers.py   the segments on their way, and what fails first
    source.py      one pass over Glance's stream
    multihash.py   the hash by Glance's hashing_algorithm
    digests.py     checksum, multihash, verifier, the segments' MD5s
    hashes.py      the hashes, by the accelerator or by hashlib
    accelerator.py whether the accelerator (_onepass.c) is used
    buffer/        what holds a segment while it is sent
    swift/         requests to Swift
    former.py      what an image replaces
    segmenting.py  how an image is cut into segments
    manifest.py    the manifest that makes an image of its segments
    confirmation.py making sure that the image is whole
    download.py    one download: an image's bytes, as Glance takes them
    reader/        reading an image over several connections
    removal.py     deleting an image
    cleanup.py     removing what a failed upload leaves
    deletes.py     deleting many objects

What operators run, besides Glance::

    service.py     the user of a store, signed in
    orphans/       segments that no manifest refers to
    check/         trying a configuration
    cmd/           the command line

What all of them use::

    units.py       sizes that modules agree on
    layout.py      names of objects, headers of manifests
    naming.py      the names of a store's containers
    record.py      a manifest's record of its segments
    options/       the options by topic, with their help
    opts.py        all options, and the settings that a store gets of them
    precedence.py  which section's value of an option counts
    workers.py     calls on threads, as far as threads can be started
    notices.py     warnings that a process logs only once
    errors.py      what went wrong
    translation.py our exceptions, as Glance sees them
"""
