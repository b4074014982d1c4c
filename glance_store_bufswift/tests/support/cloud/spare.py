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

"""What Swift's servers work out for each request, and need not.

A run of tests sends Swift tens of thousands of requests: nearly half of its
processor time. What is replaced here gives the same answers, remembered or
found in a shorter way. All else is Swift's own.
"""

import email.message
import email.parser
import functools
import re
from typing import Any

# A field as nearly all are: one line of ASCII. The name is what the email
# package takes for one.
_FIELD = re.compile(r'([!-9;-~]+):[ \t]*([\t -~]*)')

_END = '\r\n'

# Of names, addresses and times: some hundred are in use.
_remembered = functools.lru_cache(maxsize=4096)


def spare_work(kind: str) -> None:
    """Do so in this process, which becomes a server of that kind."""
    _parse_plain_fields()
    _remember_names()
    _remember_addresses()
    if kind == 'proxy':
        _remember_times()
        _remember_methods('allowed_methods')
        _remember_methods('private_methods')


def plain_fields(head: str) -> list[tuple[str, str]] | None:
    """Return the fields of a head, up to its empty line.

    None, if one is not plain or the empty line is not the end.
    """
    lines = head.split(_END)
    if lines[-2:] != ['', '']:
        return None
    found = [_FIELD.fullmatch(line) for line in lines[:-2]]
    fields = [(field[1], field[2]) for field in found if field]
    return fields if len(fields) == len(found) else None


def _parse_plain_fields() -> None:
    """Have plain heads not parsed as e-mail: a tenth of a server's work."""
    parse = email.parser.Parser.parsestr

    def parsestr(parser: Any, head: str, headersonly: bool = False) -> Any:
        fields = plain_fields(head)
        if fields is None:
            return parse(parser, head, headersonly)
        kind: Any = parser._class or email.message.Message
        message = kind(policy=parser.policy)
        message._headers = fields
        message.set_payload('')
        return message

    setattr(email.parser.Parser, 'parsestr', parsestr)  # noqa: B010


def _remember_names() -> None:
    """Have each header's name spelt in another way only once."""
    from swift.common import header_key_dict
    from swift.common import swob

    kind = swob.HeaderEnvironProxy
    look = kind.keys

    @_remembered
    def names_in(environ: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(look(kind(dict.fromkeys(environ))))

    def keys(headers: Any) -> list[str]:
        return list(names_in(tuple(headers.environ)))

    kind.keys = keys
    swob.header_to_environ_key = _remembered(swob.header_to_environ_key)
    titled = _remembered(header_key_dict.HeaderKeyDict._title)
    header_key_dict.HeaderKeyDict._title = staticmethod(titled)


def _remember_addresses() -> None:
    """Have addresses, which are numbers here, looked up only once."""
    import eventlet.green.socket

    eventlet.green.socket.getaddrinfo = _remembered(
        eventlet.green.socket.getaddrinfo
    )


def _remember_times() -> None:
    """Have the end of a token, which each request looks at, parsed once."""
    import keystoneauth1._utils

    keystoneauth1._utils.parse_isotime = _remembered(
        keystoneauth1._utils.parse_isotime
    )


def _remember_methods(name: str) -> None:
    """Have a proxy look for the methods of its controllers only once.

    It looks at all their attributes for each request: a tenth of its work.

    :param name: a property of swift.proxy.controllers.base.Controller
    """
    from swift.proxy.controllers import base

    look = vars(base.Controller)[name].fget
    found: dict[type, set[str]] = {}

    def look_once(controller: object) -> set[str]:
        kind = type(controller)
        if kind not in found:
            found[kind] = look(controller)
        return found[kind]

    setattr(base.Controller, name, property(look_once))
