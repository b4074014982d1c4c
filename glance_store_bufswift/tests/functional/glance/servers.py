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

"""The Glances that tests share; each is started on first use."""

import functools
from typing import Any
import uuid

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import glance
from glance_store_bufswift.tests.support.cloud import keystone

#: Where this process's Glances keep the images of the store `fast`.
CONTAINER = f'images-{uuid.uuid4().hex}'

#: The largest image, bytes.
SIZE_CAP = 6 * base.SEGMENT

#: What a store of our type has beyond what the stock driver takes.
_OURS = {
    'swift_buffered_dir': '{root}/buffers',
    'swift_buffered_min_free_percent': 0,
    'swift_buffered_max_backoff': 0,
}


@functools.cache
def customer() -> keystone.User:
    """A user whom Swift's quotas apply to: no administrator of accounts."""
    cloud = clouds.Cloud.attach()
    admin = keystone.Admin(cloud.direct_auth_url, cloud.site.admin)
    user = keystone.new_user(*[f'customer-{uuid.uuid4().hex}'] * 2)
    project = admin.create(
        'project', name=user.project, domain_id=keystone.DOMAIN
    )
    admin.create_user(user, project, 'member')
    return user


def _swift(**more: Any) -> dict[str, Any]:
    return {
        **clouds.Cloud.attach().glance_store_options(CONTAINER),
        'swift_store_large_object_size': 1,
        'swift_store_large_object_chunk_size': 1,
        **more,
    }


def _config(
    fast: str, defaults: dict[str, Any] | None = None, **more: Any
) -> dict[str, dict[str, Any]]:
    """The configuration of a Glance whose store `fast` is of that type.

    :param defaults: what its section DEFAULT has beside
    """
    user = customer()
    own = {} if fast == 'swift' else _OURS
    return {
        'DEFAULT': {
            'enabled_backends': f'fast:{fast}, cheap:file, '
            'small:swift+buffered',
            'image_size_cap': SIZE_CAP,
            **(defaults or {}),
        },
        'glance_store': {'default_backend': 'fast'},
        'fast': _swift(**own),
        'small': _swift(
            swift_store_user=f'{user.project}:{user.name}',
            swift_store_key=user.password,
            **_OURS,
        ),
        'cheap': {'filesystem_store_datadir': '{root}/cheap'},
        **more,
    }


def _start(
    config: dict[str, dict[str, Any]],
    beside: glance.Glance | None = None,
    server: str = 'uwsgi',
) -> glance.Glance:
    cloud = clouds.Cloud.attach()
    return cloud.start_glance(config, beside, server=server)


@functools.cache
def ours() -> glance.Glance:
    """A Glance with `fast:swift+buffered, cheap:file`.

    The store `small` is in an account that has a quota, if a test sets one.
    """
    return _start(_config('swift+buffered'))


@functools.cache
def stock() -> glance.Glance:
    """The same images, but `fast` has the stock driver."""
    return _start(_config('swift'), beside=ours())


@functools.cache
def caching() -> glance.Glance:
    """The same images, with Glance's image cache on."""
    return _start(
        _config(
            'swift+buffered',
            paste_deploy={'flavor': 'keystone+cachemanagement'},
        ),
        beside=ours(),
    )


@functools.cache
def tenants() -> glance.Glance:
    """The same images, but `fast` has each in its project's own account."""
    config = _config('swift+buffered')
    config['fast']['swift_store_multi_tenant'] = True
    return _start(config, beside=ours())


@functools.cache
def delaying() -> glance.Glance:
    """The same images; what is deleted stays until a scrubber comes."""
    return _start(
        _config(
            'swift+buffered',
            defaults={'delayed_delete': True, 'wakeup_time': 1},
        ),
        beside=ours(),
    )


def ending(server: str) -> glance.Glance:
    """The same images; no other test uses it, and it may end.

    :param server: of its workers: 'uwsgi' or 'gunicorn'
    """
    return _start(_config('swift+buffered'), beside=ours(), server=server)
