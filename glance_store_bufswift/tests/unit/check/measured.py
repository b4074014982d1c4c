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

"""A store whose site was measured; in MB/s."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from glance_store_bufswift.check import advice
from glance_store_bufswift.check import figures
from glance_store_bufswift import opts

MB = 1e6
SIZE = 6 << 20

DIGESTS = {'md5': 845, 'sha256': 1950, 'sha512': 866}


def store(
    up: Sequence[float] = (60, 120, 235, 240),
    down: Sequence[float] = (50, 100, 200, 210),
    stream: float | None = None,
    head: float = 0.004,
    put: float = 0.02,
    disk: float | None = 500,
    digests: Mapping[str, float] = DIGESTS,
    pair: float | None = 770,
    triple: float | None = None,
    cores: int = 2,
    **what: Any,
) -> advice.MeasuredStore:
    """The figures, with what a test wants to have otherwise.

    :param stream: what one connection carries in the midst of an object
    """
    if stream is not None:
        up = [SIZE / (SIZE / (stream * MB) + put) / MB, *up[1:]]
    rates = [
        figures.Rate(connections, to * MB, of * MB)
        for connections, to, of in zip((1, 2, 4, 8), up, down)
    ]
    told = figures.Host(
        None if disk is None else disk * MB,
        {name: rate * MB for name, rate in digests.items()},
        None if pair is None else pair * MB,
        None if triple is None else triple * MB,
        cores,
    )
    return advice.MeasuredStore(
        **{
            'store': 'fast',
            'settings': opts.Settings(directory='/buffers'),
            'algorithm': 'sha512',
            'uploads': 4,
            'room': None,
            'traffic': figures.Traffic(rates, SIZE, head, put),
            'host': told,
            **what,
        }
    )
