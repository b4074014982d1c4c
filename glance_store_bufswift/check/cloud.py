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

"""Keystone and Swift, as the service user of a store finds them."""

from collections.abc import Iterator

from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding
from glance_store_bufswift.check import limits
from glance_store_bufswift import errors
from glance_store_bufswift import naming
from glance_store_bufswift import opts
from glance_store_bufswift import provisioning
from glance_store_bufswift import service
from glance_store_bufswift.swift import accounts

_KEYSTONE = 'keystone'
_ENDPOINT = 'endpoint'
_CONTAINER = 'container'

#: The most containers of a store with a seed that are looked at.
MAX_CONTAINERS = 100


def sign_in(user: service.ServiceUser) -> Iterator[Finding]:
    """Keystone, and the endpoint in its catalog."""
    try:
        user.sign_in()
    except errors.BufswiftError as exc:
        yield _refused(exc)
        return
    yield finding.ok(_KEYSTONE, f'{user.auth_url} gives a token')
    url = user.endpoint()
    if url is None:
        yield finding.error(
            _ENDPOINT,
            f'Keystone has no {user.wanted_endpoint}',
            'set swift_store_region, swift_store_endpoint_type and '
            'swift_store_service_type to what `openstack catalog list` '
            'shows, or set swift_store_endpoint',
        )
    else:
        yield finding.ok(_ENDPOINT, url)


def _refused(exc: errors.BufswiftError) -> Finding:
    text = f'{exc}; Swift was not tested'
    if (
        isinstance(exc, errors.ConfigError)
        or getattr(exc.__cause__, 'http_status', None) == 401
    ):
        advice = (
            'correct user (project:user), password and domains: '
            'swift_store_user and swift_store_key, or the file of '
            'swift_store_config_file'
        )
    elif 'ertificate' in text:
        advice = "name the CA of Keystone's certificate in swift_store_cacert"
    else:
        advice = (
            'correct swift_store_auth_address (http or https, the '
            'port, /v3 at its end), or let this host reach it'
        )
    return finding.error(_KEYSTONE, text, advice)


def in_swift(
    user: service.ServiceUser,
    which: naming.StoreContainers,
    settings: opts.Settings,
    may_create: bool,
) -> Iterator[Finding]:
    """The containers, and the limits of the site; after sign_in().

    :param which: the containers of the store
    :param may_create: swift_store_create_container_on_put
    """
    with user.account() as account:
        try:
            yield from _containers(account, which, may_create)
        except errors.RequestFailed as exc:
            yield _unusable(exc)
        try:
            capabilities, why = account.site.fetch_capabilities(), None
        except errors.RequestFailed as exc:
            capabilities, why = {}, exc
    if why is not None:
        yield _unknown_limits(why)
    yield from limits.findings(capabilities, settings)


def _unknown_limits(exc: errors.RequestFailed) -> Finding:
    """Why Swift's limits are not known."""
    compare = (
        'compare max_file_size and container_listing_limit of '
        "Swift's configuration with "
        'swift_store_large_object_chunk_size yourself'
    )
    if exc.status in (401, 403):
        return finding.warning(
            limits.SUBJECT,
            f'/info is refused: {exc}',
            'let /info pass without a '
            f'token where it is refused, a proxy or gateway; else {compare}',
        )
    if exc.status in (404, 410):
        return finding.warning(
            limits.SUBJECT,
            'Swift does not tell its limits: /info is missing or turned off',
            f'set expose_info in proxy-server.conf; else {compare}',
        )
    return finding.warning(
        limits.SUBJECT, f'/info can not be read: {exc}', compare
    )


def _unusable(exc: errors.RequestFailed) -> Finding:
    if exc.status in (401, 403):
        advice = (
            "give the user a role of operator_roles in Swift's "
            'proxy-server.conf on the project'
        )
    elif 'ertificate' in str(exc):
        advice = "name the CA of Swift's certificate in swift_store_cacert"
    else:
        advice = 'see that this host reaches the endpoint, and its log'
    return finding.error(_CONTAINER, str(exc), advice)


def _containers(
    account: accounts.Account, which: naming.StoreContainers, may_create: bool
) -> Iterator[Finding]:
    if which.multi_tenant:
        if may_create:
            yield finding.ok(
                _CONTAINER,
                f'each image gets one of its own, {which.name}_<image id>',
            )
        else:
            yield finding.error(
                _CONTAINER,
                'each image gets one of its own, but none may be created',
                'set swift_store_create_container_on_put = True',
            )
        return
    names = _names(account, which)
    found = False
    for name in names:
        headers = account.containers.head(name)
        if headers is not None:
            found = True
            yield _of_container(name, headers)
    if not found or which.many:
        yield _missing(which, may_create, found)


def _names(
    account: accounts.Account, which: naming.StoreContainers
) -> list[str]:
    if not which.many:
        return [which.name]
    names = [
        name
        for name in account.containers.names(which.prefix)
        if which.has(name)
    ]
    return names[:MAX_CONTAINERS]


def _missing(
    which: naming.StoreContainers, may_create: bool, some: bool
) -> Finding:
    """What happens to an image whose container does not exist."""
    name = f'{which.name}_...' if which.many else which.name
    if may_create:
        return finding.ok(
            _CONTAINER,
            f'{name}: what is missing is created with the first '
            'upload (swift_store_create_container_on_put)',
        )
    text = (
        f'of {name}, only those listed exist'
        if some
        else f'{name} does not exist'
    )
    return (finding.warning if some else finding.error)(
        _CONTAINER,
        text,
        'create it, or set swift_store_create_container_on_put = True',
    )


def _of_container(name: str, headers: dict[str, str]) -> Finding:
    kept_by = provisioning.versioning(headers)
    if kept_by:
        header = kept_by[0]
        return finding.warning(
            _CONTAINER,
            f'{name} is versioned ({header}: {headers[header]}): a '
            'deleted image, and what is left of a failed upload, goes '
            'on taking space',
            f'turn it off: swift post -H "{provisioning.VERSIONING[header]}" '
            f'{name}',
        )
    return finding.ok(_CONTAINER, f'{name} exists, not versioned')
