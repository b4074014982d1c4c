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

"""Store an image, read it, and delete it, as a Glance here would.

usage: use.py GLANCE_API_CONF STORE

It runs in an environment that has Glance and the driver but not the tests.
"""

import hashlib
import io
import os
import sys
import uuid

from glance.common import config
import glance_store
from glance_store import exceptions
from glance_store import multi_backend
from oslo_config import cfg


def main(path: str, store: str) -> None:
    """Use the store; raises what goes wrong."""
    config.parse_args(['--config-file', path])
    glance_store.register_store_opts(cfg.CONF)
    glance_store.create_multi_stores(cfg.CONF)
    glance_store.verify_store()
    data = os.urandom(3_000_000)
    image = str(uuid.uuid4())
    uri, size, checksum, multihash, _ = multi_backend.add_with_multihash(
        cfg.CONF, image, io.BytesIO(data), 0, store, 'sha512'
    )
    assert (size, multihash) == (len(data), hashlib.sha512(data).hexdigest())
    assert checksum == hashlib.md5(data).hexdigest()
    chunks, _ = multi_backend.get(uri, store)
    assert b''.join(chunks) == data
    multi_backend.delete(uri, store)
    try:
        multi_backend.get(uri, store)
    except exceptions.NotFound:
        print(type(multi_backend.get_store_from_store_identifier(store)))
    else:
        raise AssertionError('the image is still there')


if __name__ == '__main__':
    main(*sys.argv[1:])
