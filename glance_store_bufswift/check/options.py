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

"""Options that do nothing here, and options that contradict each other.

Pure: it checks only what is set; defaults are never to blame.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import difflib
from typing import Any

from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding
from glance_store_bufswift import opts
from glance_store_bufswift import precedence

_SUBJECT = 'options'

#: Options of the stock driver that this one does not read, and why.
IGNORED = {
    'swift_buffer_on_upload': (
        'this driver always buffers, in swift_buffered_dir'
    ),
    'swift_store_expire_soon_interval': (
        'a token that is about to expire is replaced before each request, '
        'one that is refused after it'
    ),
    'swift_store_retry_get_count': (
        'downloads are resumed up to swift_buffered_retries times'
    ),
    'swift_store_ssl_compression': (
        'python-swiftclient has no compression any more'
    ),
}

# What names the account if there is no swift_store_config_file.
_ACCOUNT = (
    'swift_store_user',
    'swift_store_key',
    'swift_store_auth_address',
)

#: Every option that the checks here look at.
LOOKED_AT = (
    *IGNORED,
    *_ACCOUNT,
    'swift_buffered_confirm_timeout',
    'swift_buffered_dir',
    'swift_buffered_retries',
    'swift_store_auth_insecure',
    'swift_store_auth_version',
    'swift_store_cacert',
    'swift_store_config_file',
    'swift_store_multi_tenant',
    'swift_store_multiple_containers_seed',
    'swift_store_use_trusts',
    'swift_upload_buffer_dir',
)


def known(backend: str | None, upstream: Iterable[Any]) -> dict[str, set[str]]:
    """The names that are read in the sections that count for a store.

    :param upstream: the options of the stock driver
    """
    ours = {str(opt.dest) for opt in opts.OPTIONS}
    theirs = {
        str(name)
        for opt in upstream
        for name in [opt.dest, *(old.name for old in opt.deprecated_opts)]
    }
    return {
        group: ours | (theirs if group != precedence.GROUP else set())
        for group in precedence.groups(backend)
    }


def findings(
    given: Mapping[str, Any],
    written: Mapping[str, Iterable[str]],
    known: Mapping[str, Collection[str]],
) -> Iterator[Finding]:
    """Check the options of a store.

    :param given: the values of those of LOOKED_AT that are set
    :param written: the names written in the sections that count for it
    :param known: the names that are read in each of these sections
    """
    found = [
        *_unknown(written, known),
        *_ignored(given),
        *_shadowed(given),
        *_contradicting(given),
        *_risky(given),
    ]
    if not found:
        found.append(
            finding.ok(_SUBJECT, 'none is ignored, none contradicts another')
        )
    yield from found


def _unknown(
    written: Mapping[str, Iterable[str]], known: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    """Names that nothing reads: oslo.config ignores them silently."""
    for section, names in written.items():
        for name in names:
            if not name.startswith('swift_') or name in known[section]:
                continue
            alike = difflib.get_close_matches(name, known[section], 1)
            yield finding.warning(
                _SUBJECT,
                f'{name} is not read in [{section}]',
                f'write {alike[0]}'
                if alike
                else f'remove {name}, or put it into the section of the store',
            )


def _ignored(given: Mapping[str, Any]) -> Iterator[Finding]:
    for name, why in IGNORED.items():
        # A multi-tenant store reads it, to decide on a trust for a download.
        if name in given and not (
            name == 'swift_store_retry_get_count'
            and given.get('swift_store_multi_tenant')
        ):
            yield finding.warning(
                _SUBJECT, f'{name} is ignored: {why}', f'remove {name}'
            )


def _shadowed(given: Mapping[str, Any]) -> Iterator[Finding]:
    """Options that another one makes useless."""
    if given.get('swift_buffered_dir') and given.get(
        'swift_upload_buffer_dir'
    ):
        yield finding.warning(
            _SUBJECT,
            'swift_upload_buffer_dir is ignored, as swift_buffered_dir is set',
            'remove swift_upload_buffer_dir',
        )
    if given.get('swift_store_config_file'):
        names = [name for name in _ACCOUNT if given.get(name)]
        if names:
            yield finding.warning(
                _SUBJECT,
                f'{", ".join(names)} ignored, as '
                'swift_store_config_file is set',
                f'remove {", ".join(names)}',
            )
    if given.get('swift_store_multi_tenant') and given.get(
        'swift_store_multiple_containers_seed'
    ):
        yield finding.warning(
            _SUBJECT,
            'swift_store_multiple_containers_seed is ignored: '
            'with swift_store_multi_tenant each image has a container of '
            'its own',
            'remove swift_store_multiple_containers_seed',
        )


def _contradicting(given: Mapping[str, Any]) -> Iterator[Finding]:
    if given.get('swift_store_multi_tenant') and given.get(
        'swift_store_config_file'
    ):
        yield finding.error(
            _SUBJECT,
            'swift_store_multi_tenant and swift_store_config_file '
            'exclude each other: the store can not be used',
            'unset one of them',
        )
    version = given.get('swift_store_auth_version')
    if version and not str(version).startswith('3'):
        yield finding.warning(
            _SUBJECT,
            f'swift_store_auth_version is {version}, but the '
            'driver signs in with version 3 of the Identity API',
            'set swift_store_auth_version = 3',
        )
    if given.get('swift_store_auth_insecure') and given.get(
        'swift_store_cacert'
    ):
        yield finding.warning(
            _SUBJECT,
            'swift_store_cacert is not used, as '
            'swift_store_auth_insecure turns verification off',
            'remove swift_store_auth_insecure',
        )


def _risky(given: Mapping[str, Any]) -> Iterator[Finding]:
    """Options that defeat the driver's purpose."""
    if given.get('swift_store_auth_insecure') and not given.get(
        'swift_store_cacert'
    ):
        yield finding.warning(
            _SUBJECT,
            'swift_store_auth_insecure: certificates go '
            'unverified, anybody on the path can read passwords and images',
            'remove it, and name your CA in swift_store_cacert',
        )
    if given.get('swift_buffered_retries') == 0:
        yield finding.warning(
            _SUBJECT,
            'swift_buffered_retries is 0: the first broken '
            'request fails an upload',
            'remove it; the default is 5',
        )
    if given.get('swift_buffered_confirm_timeout') == 0:
        yield finding.warning(
            _SUBJECT,
            'swift_buffered_confirm_timeout is 0: an image may '
            'read back short right after its upload',
            'remove it; the default is 15',
        )
    if given.get('swift_store_multi_tenant'):
        yield from _without_trusts(given)


def _without_trusts(given: Mapping[str, Any]) -> Iterator[Finding]:
    """What keeps uploads of a multi-tenant store from having trusts."""
    if given.get('swift_store_use_trusts') is False:
        yield finding.warning(
            _SUBJECT,
            'swift_store_use_trusts is False: an upload ends when '
            "the user's token expires",
            'remove swift_store_use_trusts',
        )
    elif not given.get('swift_store_config_file') and not all(
        given.get(name) for name in _ACCOUNT
    ):
        yield finding.warning(
            _SUBJECT,
            f'without {", ".join(_ACCOUNT)} there are no trusts: '
            "an upload ends when the user's token expires",
            'set them; an application credential is not enough',
        )
