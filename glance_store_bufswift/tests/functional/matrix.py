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

"""The fault matrix: what its tests have in common.

A row names a fault; what follows from it is looked at from all sides: what
add() gives or raises, what Swift holds, how often it was asked, and what is
still open in this process.
"""

import collections
from collections.abc import Callable
import dataclasses
import traceback
from typing import Any

from glance_store import exceptions

from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support import leaks
from glance_store_bufswift.tests.support import streams

SEGMENT = base.SEGMENT

#: Three segments, the last one a short one.
LAST = 300_000
IMAGE = 2 * SEGMENT + LAST

#: Tries of a request beyond the first.
RETRIES = 2

#: The transaction id of answers that the fault proxy gives itself.
TRANSACTION = 'tx-of-the-fault-proxy'

#: A release of glance_store without TimeoutError gets the former.
TIMEOUT = getattr(exceptions, 'TimeoutError', exceptions.BackendException)

#: One scenario of testscenarios.
Row = tuple[str, dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Target:
    """An object that a fault is for: what names it, and its length."""

    path: str
    length: int
    image: int

    def place(self, share: float) -> int:
        """A place in it: 0 for its first byte, 1 for its last one."""
        return int(share * (self.length - 1))


PLAIN = Target('/[0-9a-f-]{36}$', LAST, LAST)
FIRST = Target('/00000001$', SEGMENT, IMAGE)
MIDDLE = Target('/00000002$', SEGMENT, IMAGE)
LATEST = Target('/00000003$', LAST, IMAGE)
MANIFEST = Target('/[0-9a-f-]{36}$', 0, IMAGE)


def status(
    code: int, after: faults.Place = 0, **headers: str
) -> faults.Status:
    """An answer of the fault proxy, as Swift would give it."""
    return faults.Status(
        after=after,
        code=code,
        headers={
            'X-Trans-Id': TRANSACTION,
            **{name.replace('_', '-'): text for name, text in headers.items()},
        },
    )


class Case(base.TestCase):
    """Tests of one upload that meets faults."""

    options = {'swift_buffered_retries': RETRIES}
    shares_tokens = True

    data: bytes

    def setUp(self) -> None:
        super().setUp()
        self.verifier = streams.Verifier()
        # Other tests' clients may wait for the garbage collector.
        self.connections_before = self._connections()

    def inject(
        self,
        fault: faults.Fault,
        target: Target | str,
        times: int | None = 1,
        method: str = 'PUT',
        skip: int = 0,
    ) -> faults.Rule:
        """Have an object's requests meet a fault."""
        path = target if isinstance(target, str) else target.path
        return self.proxy.add(
            faults.Rule(fault, method, path, times=times, skip=skip)
        )

    def add(
        self, size: int = IMAGE, known: bool = True, **options: Any
    ) -> Any:
        """Upload the first bytes of the data."""
        self.data = streams.image(size)
        self.made = self.stores(fast=options)
        return self.made.add(
            self.image,
            streams.Stream(self.data),
            size if known else 0,
            verifier=self.verifier,
        )

    def recovers(
        self, size: int = IMAGE, known: bool = True, **options: Any
    ) -> None:
        """The upload succeeds, and every byte is right."""
        answer = self.add(size, known, **options)
        self.assert_stored(
            self.data, answer, -(-size // SEGMENT) if size > SEGMENT else 0
        )
        self.assertEqual(self.data, bytes(self.verifier.seen))
        self.assert_bounded()

    def fails(
        self,
        error: type[Exception],
        *says: str,
        size: int = IMAGE,
        known: bool = True,
        **options: Any,
    ) -> Exception:
        """The upload fails with just this error, and leaves nothing.

        :param says: regexes that are found in the error's message
        """
        caught = self.catch(lambda: self.add(size, known, **options))
        self.assertIs(error, type(caught), repr(caught))
        for regex in says:
            self.assertRegex(str(caught), regex)
        self.assert_no_secret(''.join(traceback.format_exception(caught)))
        self.assert_nothing_left()
        self.assert_bounded()
        return caught

    def catch(self, call: Callable[[], object]) -> Exception:
        """The exception that a call raises, whatever its class."""
        try:
            answer = call()
        except Exception as exc:
            return exc
        raise AssertionError(f'gave {answer!r} instead of raising')

    def assert_bounded(self) -> None:
        """No object was sent more often than configured.

        A first 401 costs a manifest, which has no body, none of these.
        """
        tries: dict[str, list[journal.Exchange]] = collections.defaultdict(
            list
        )
        for each in self.puts():
            tries[each.path].append(each)
        for path, puts in tries.items():
            beyond = any(
                each.status == 401 and each.length == 0 for each in puts
            )
            self.assertLessEqual(len(puts), RETRIES + 1 + beyond, path)

    def assert_nothing_runs(self) -> None:
        """Nothing is open either: no buffer, no connection."""
        super().assert_nothing_runs()
        self.assertEqual(
            [],
            leaks.files(self.buffers)
            + [
                each
                for each in self._connections()
                if each not in self.connections_before
            ],
        )

    def _connections(self) -> list[str]:
        return leaks.connections(
            self.proxy.port, self.cloud.keystone_proxy.port
        )

    def assert_no_secret(self, text: str) -> None:
        """No password and no token is in a message."""
        log = self.proxy.log + self.cloud.keystone_proxy.log
        secrets = {
            self.cloud.site.glance.password,
            *(each.headers.get('x-auth-token') for each in log),
        }
        self.assertEqual(
            [], [secret for secret in secrets if secret and secret in text]
        )
