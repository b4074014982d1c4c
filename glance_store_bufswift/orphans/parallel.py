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

"""Calls beside each other, in bounded memory."""

import collections
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent import futures
import itertools
from typing import TypeVar

A = TypeVar('A')
R = TypeVar('R')

THREADS = 8

#: Calls begun ahead of the one whose result is waited for.
AHEAD = 4 * THREADS


def each(function: Callable[[A], R],
         items: Iterable[A]) -> Iterator[tuple[A, R]]:
    """Call a function with each item, and give both in the items' order.

    Executor.map() would take all items first: here they may be millions.

    :raises: what the function raises
    """
    left = iter(items)
    with futures.ThreadPoolExecutor(
            THREADS, thread_name_prefix='bufswift-look') as pool:
        begun: collections.deque[tuple[A, futures.Future[R]]] = (
            collections.deque())

        def begin(count: int) -> None:
            for item in itertools.islice(left, count):
                begun.append((item, pool.submit(function, item)))

        try:
            begin(AHEAD)
            while begun:
                item, future = begun.popleft()
                yield item, future.result()
                begin(1)
        finally:
            for _, future in begun:
                future.cancel()
