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

"""Credentials in locations.

Without swift_store_config_file the location of each image has user and key.
glance_store quotes them, except for '/', which ends that part of the URI. It
unquotes them before it looks for the ':' between them, and so cuts a key that
has a ':'.
"""

import re
from typing import Any
from urllib import parse

from glance_store._drivers.swift import store as upstream

from glance_store_bufswift import account_file

#: User and key at the beginning of a location, as glance_store quotes them:
#: the ':' between project and user is quoted, the one before the key is not.
#: No other location has such a ':' before one that is quoted.
_CREDENTIALS = re.compile(
    '(?P<scheme>swift(?:[+]https?)?)://(?P<user>[^:@]*%3A[^:@]*):'
    '(?P<key>[^:@]+)@(?P<rest>.*)',
    re.IGNORECASE | re.DOTALL,
)


class Quoting:
    """Makes URIs whose credentials can be read back."""

    user: str | None
    key: str | None

    def _get_credstring(self) -> str:
        """User and key in a URI; called by glance_store."""
        if not (self.user and self.key):
            return ''
        return f'{_quote(self.user)}:{_quote(self.key)}'


class StoreLocation(Quoting, upstream.StoreLocation):
    """Where an image is.

    :ivar reference: names the account in the file of accounts, None if the
        location has its own credentials, or none
    """

    reference: str | None = None

    def parse_uri(self, uri: str) -> None:
        """Take the parts of a URI.

        Also of one that the stock driver made and can't read itself.

        :raises BadStoreUri: it is no location of a Swift store
        """
        found = _CREDENTIALS.fullmatch(uri)
        if found:
            user, key = (
                parse.unquote(found[name]) for name in ('user', 'key')
            )
            uri = (
                f'{found["scheme"]}://{_quote(user)}:{_quote(key)}'
                f'@{found["rest"]}'
            )
        with account_file.LOCK:
            super().parse_uri(uri)
        if found:
            self.user, self.key = user, key
        if self.scheme == 'swift+config':
            self.reference = parse.urlsplit(uri).netloc

    def credentials(self) -> tuple[str | None, ...]:
        """User and key, or the application credential."""
        return (
            self.user,
            self.key,
            getattr(self, 'application_credential_id', None),
            getattr(self, 'application_credential_secret', None),
        )

    def take(self, account: dict[str, Any]) -> None:
        """Take the credentials that glance_store has read from a file."""
        for name in (
            'user',
            'key',
            'application_credential_id',
            'application_credential_secret',
            'project_name',
            'project_id',
        ):
            setattr(self, name, account.get(name))


def _quote(text: str) -> str:
    return parse.quote(text, safe='')
