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

"""The containers that images are in."""

import contextlib

from oslo_log import log as logging

from glance_store_bufswift import errors
from glance_store_bufswift.swift import account as swift

LOG = logging.getLogger(__name__)


def make(account: swift.Account, container: str, create: bool) -> bool:
    """Make sure of a container; tells whether it was missing.

    :param create: whether it may be created
    :raises RequestFailed: it is not there, and may or can not be created
    """
    if account.has_container(container):
        return False
    if not create:
        raise errors.RequestFailed(
            f'Container {container} does not exist in Swift; create it '
            'or set swift_store_create_container_on_put')
    LOG.info('Creating container %s in Swift', container)
    account.create_container(container)
    return True


def take_back(account: swift.Account, container: str) -> None:
    """Remove a container that was made for an upload that failed.

    :param account: closed at the end
    """
    with contextlib.closing(account):
        try:
            account.delete_container(container)
        except errors.RequestFailed as exc:
            LOG.warning('%s', exc)
