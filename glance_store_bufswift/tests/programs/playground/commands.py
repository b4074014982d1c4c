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

"""What can be typed while the cloud runs."""

from collections.abc import Callable

from glance_store_bufswift.tests.programs.playground import scene
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import faults

_HALF = scene.SEGMENT * 1024 * 1000 // 2

#: The segment that a fault strikes, which is not the last one of all.
_SEGMENT = '/0+2$'


def _revoking(cloud: clouds.Cloud) -> faults.Fault:
    return faults.Hook(
        lambda exchange: cloud.revoke(exchange.headers['x-auth-token'])
    )


#: What to type -> what it does, the fault, and how often it strikes.
_FAULTS: dict[
    str, tuple[str, Callable[[clouds.Cloud], faults.Fault], int | None]
] = {
    'reset': (
        "reset the connection of the next upload's second segment",
        lambda cloud: faults.Reset(_HALF),
        1,
    ),
    '503': (
        'answer that segment with 503, half-way',
        lambda cloud: faults.Status(_HALF, 503),
        1,
    ),
    'revoke': (
        'revoke the token that this segment is sent with',
        _revoking,
        1,
    ),
    'flip': (
        'turn over one byte of it on its way to Swift',
        lambda cloud: faults.FlipByte(_HALF),
        1,
    ),
    'slow': (
        'let Swift take 4 MB a second on each connection',
        lambda cloud: faults.Throttle(4e6),
        None,
    ),
    'down': (
        'let Swift answer each PUT with 503',
        lambda cloud: faults.Status(code=503),
        None,
    ),
}

_CLEAR = 'clear'


def help_lines() -> list[tuple[str, str]]:
    """Each command, and what it does."""
    lines = [(name, text) for name, (text, _, _) in _FAULTS.items()]
    return [*lines, (_CLEAR, 'take all faults away')]


def obey(cloud: clouds.Cloud, line: str) -> str:
    """Carry out what was typed; gives the answer to print."""
    name = line.strip()
    if not name:
        return ''
    if name == _CLEAR:
        cloud.swift_proxy.clear()
        return 'no faults any more'
    if name not in _FAULTS:
        return f'unknown: {name!r}; there are {", ".join(_FAULTS)}, {_CLEAR}'
    text, fault, times = _FAULTS[name]
    cloud.swift_proxy.add(
        faults.Rule(
            fault(cloud), 'PUT', _SEGMENT if times else '', times=times
        )
    )
    return f'will {text}'
