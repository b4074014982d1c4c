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

"""What an answer says, besides its status: pure.

Proxies and gateways say the same things in their own ways.
"""

from collections.abc import Mapping
import hashlib
import json
import re
from typing import Any
from urllib import parse

#: Codes in bodies that say that there is no room, whatever the status: Ceph
#: RGW 16.2 answers 400 to an object above rgw_max_put_size.
NO_ROOM_CODES = frozenset(('EntityTooLarge', 'QuotaExceeded'))

#: Most characters of an error's body that are read, of it in a message, and of
#: one word there: a longer word can be a token that a page repeats.
MAX_BODY, MAX_MESSAGE, MAX_WORD = 8192, 100, 60

#: The MD5 of nothing.
EMPTY_MD5 = hashlib.md5(usedforsecurity=False).hexdigest()

_ETAG = re.compile(r'(?:W/)?"?([^"]*)"?', re.IGNORECASE)
_MD5 = re.compile('[0-9a-f]{32}', re.IGNORECASE)
_XML = re.compile(r'<Code>\s*(\w+)\s*</Code>', re.IGNORECASE)
_MESSAGE = re.compile(r'<Message>([^<]*)</Message>', re.IGNORECASE)
_HEAD = re.compile(r'<(head|style|script)\b.*?</\1>', re.I | re.S)


def md5_of(headers: Mapping[str, str]) -> str | None:
    """The MD5 in an object's ETag, in lower case.

    Undoes what a proxy does to it: a ``W/`` before it (nginx, when it
    compresses), quotes (Swift's middleware etag-quoter), capitals.

    :param headers: of an answer, names in lower case
    :returns: the ETag unchanged if it is no MD5; None if there is none
    """
    text = headers.get('etag', '').strip()
    match = _ETAG.fullmatch(text)
    etag = match[1].strip() if match else text
    if _MD5.fullmatch(etag):
        return etag.lower()
    return None if etag in ('', '-') else etag


def number(headers: Mapping[str, str], name: str) -> int | None:
    """A header that is a count, None if it is missing or no count."""
    text = headers.get(name, '').strip()
    return int(text) if re.fullmatch('[0-9]{1,18}', text) else None


def length(headers: Mapping[str, str]) -> int | None:
    """The bytes in an answer's body, None if it does not say.

    A chunked body has no length, even with a Content-Length (RFC 9112, 6.3).
    """
    if 'chunked' in headers.get('transfer-encoding', '').lower():
        return None
    return number(headers, 'content-length')


def error_code(body: Any) -> str:
    """The code in an error's body, in JSON or XML; '' if there is none."""
    text = _text(body)
    value = json_object(text).get('Code')
    if isinstance(value, str):
        return value
    found = _XML.search(text)
    if found:
        return found[1]
    # RGW writes the bare code if the request accepts no format.
    return next((each for each in NO_ROOM_CODES if each in text), '')


def error_text(body: Any, *known: str) -> str:
    """What an error's body says, in one short line; '' if nothing.

    :param known: what the message says anyway, not to be said twice
    """
    text = _text(body)
    code = error_code(body)
    if code:
        more = json_object(text).get('Message') or _MESSAGE.search(text)
        more = more[1] if isinstance(more, re.Match) else more
        text = f'{code}: {more}' if more else code
    else:
        text = re.sub('<[^>]*>', ' ', _HEAD.sub(' ', text))
        for each in filter(None, known):
            text = text.replace(each, ' ')
    kept = [word if len(word) <= MAX_WORD else '...' for word in text.split()]
    line = ''.join(each for each in ' '.join(kept) if each.isprintable())
    return line if len(line) <= MAX_MESSAGE else f'{line[:MAX_MESSAGE]}...'


def redirect_target(location: str) -> str:
    """Where a redirect points to, without credentials and query."""
    try:
        parsed = parse.urlsplit(location)
        where = parsed.netloc.rpartition('@')[2]
    except ValueError:
        return 'an address that can not be read'
    return f'{parsed.scheme}://{where}{parsed.path}' if where else parsed.path


def _text(body: Any) -> str:
    if isinstance(body, bytes):
        return body[:MAX_BODY].decode('utf-8', 'replace')
    return body[:MAX_BODY] if isinstance(body, str) else ''


def json_object(text: str) -> dict[str, Any]:
    """The members of a JSON object; none if a text is no such object."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        members = None
    return members if isinstance(members, dict) else {}
