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

"""Asking for an object's size where the answer to a GET lacks it."""

from glance_store_bufswift import errors
from glance_store_bufswift.swift import accounts
from glance_store_bufswift.swift import answers
from glance_store_bufswift.swift import extents
from glance_store_bufswift.swift import gets
from glance_store_bufswift.swift import identity


def measure(
    account: accounts.Account,
    container: str,
    name: str,
    known: identity.Identity,
    query: str | None = None,
) -> None:
    """Learn an object's size, if any answer has it, and its encoding.

    :param known: what is known of the object so far
    :param query: what stands behind the "?" of the URL
    :raises RequestFailed: it is gone, or was replaced
    """
    what = f'HEAD of {container}/{name}'
    headers = account.objects.head(container, name, query=query)
    if headers is None:
        raise errors.RequestFailed(f'{what} failed: it is gone', status=404)
    try:
        known.compare(headers)
        known.learn(headers, answers.length(headers))
    except (errors.Incomplete, errors.Unsized) as exc:
        raise errors.RequestFailed(f'{what} failed: {exc}') from exc
    known.encoding = identity.encoding(headers)
    if known.total is None:
        known.total = _of_first_byte(account, container, name, known, query)


def _of_first_byte(
    account: accounts.Account,
    container: str,
    name: str,
    known: identity.Identity,
    query: str | None,
) -> int | None:
    """The size in the answer to a request for one byte.

    nginx 1.22 with sub_filter removes the Content-Length of a GET or HEAD, but
    keeps the Content-Range.
    """

    def take(answer: gets.Answer) -> int | None:
        answer.hang_up()
        known.compare(answer.headers)
        try:
            extent = extents.of(answer.status, answer.headers)
        except errors.Unproven:
            return None
        return extent.total if answer.status == 206 else None

    try:
        return account.objects.get(
            container,
            name,
            {'Range': 'bytes=0-0'},
            account.client.tries(
                f'GET of the first byte of {container}/{name}'
            ),
            take,
            query,
        )
    except errors.RequestFailed as exc:
        if exc.status == 416:
            return 0
        raise
