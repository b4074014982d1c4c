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

"""What Swift's middleware "bulk" is asked to delete, and what it answers.

It always answers 200; the body says what happened
(swift/common/middleware/bulk.py).
"""

from collections.abc import Mapping
from collections.abc import Sequence
import json
from typing import Any
from urllib import parse

from glance_store_bufswift import errors

HEADERS = {'Content-Type': 'text/plain', 'Accept': 'application/json'}


def limit(capabilities: Mapping[str, Any]) -> int:
    """How many objects one request may delete; 0 if a site has no "bulk".

    :param capabilities: the site's
    """
    offer = capabilities.get('bulk_delete')
    most = (
        offer.get('max_deletes_per_request') if isinstance(offer, dict) else 0
    )
    return most if isinstance(most, int) else 0


def request(container: str, names: Sequence[str]) -> bytes:
    """The body that asks for these objects to be deleted."""
    return '\n'.join(_path(container, name) for name in names).encode()


def failed(answer: bytes, container: str, names: Sequence[str]) -> list[str]:
    """The names of those not deleted; one that was gone counts as deleted.

    :param answer: the body of the answer
    :param names: the objects in the request
    :raises Unconfirmed: it does not account for every name
    """
    result = _read(answer)
    paths = {_path(container, name): name for name in names}
    left = [paths[path] for path in _errors(result) if path in paths]
    try:
        gone = int(result['Number Deleted']) + int(result['Number Not Found'])
    except (KeyError, TypeError, ValueError, OverflowError):
        gone = 0
    if gone + len(left) != len(paths):
        raise errors.Unconfirmed(
            f'{result.get("Response Status")} {result.get("Response Body")}, '
            f'{gone} of {len(paths)} objects deleted'
        )
    return left


def slo_left(answer: bytes) -> list[str]:
    """What a DELETE with ``multipart-manifest=delete`` could not delete.

    :param answer: the body of the answer
    :returns: container/name of each object, unquoted, with its error
    :raises Unconfirmed: it does not say that all was deleted
    """
    result = _read(answer)
    left = [
        f'{parse.unquote(path.lstrip("/"))} ({why})'
        for path, why in _errors(result).items()
    ]
    status = str(result.get('Response Status'))
    if not left and not status.startswith('2'):
        raise errors.Unconfirmed(f'{status} {result.get("Response Body")}')
    return left


def _path(container: str, name: str) -> str:
    return parse.quote(f'/{container}/{name}')


def _read(answer: bytes) -> dict[str, Any]:
    try:
        result = json.loads(answer)
    except (ValueError, RecursionError):
        result = None
    if not isinstance(result, dict):
        raise errors.Unconfirmed(f'no JSON object: {answer[:200]!r}')
    return result


def _errors(result: dict[str, Any]) -> dict[str, str]:
    """The errors by quoted path, with a slash at the front."""
    try:
        return {
            '/' + parse.quote(parse.unquote(path).lstrip('/')): str(why)
            for path, why in result.get('Errors') or []
        }
    except (TypeError, ValueError, AttributeError) as exc:
        raise errors.Unconfirmed(f'unknown form of errors: {exc}') from exc
