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

"""Tokens that Swift refuses, and a Keystone that fails."""

from glance_store import exceptions
import testscenarios

from glance_store_bufswift.tests.functional import expiry
from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support import stores

load_tests = testscenarios.load_tests_apply_scenarios

BACKEND = exceptions.BackendException
TOKENS = '/auth/tokens$'


class TestRevoked(matrix.Case):
    """A token that Keystone has revoked: Swift's own 401."""

    shares_tokens = False

    def revoke(self, exchange: journal.Exchange) -> None:
        self.cloud.revoke(exchange.headers['x-auth-token'])

    def test_before_each_object(self) -> None:
        for target in (matrix.FIRST, matrix.MIDDLE, matrix.MANIFEST):
            self.inject(faults.Hook(self.revoke), target)
        self.recovers(swift_buffered_threads=1)
        self.assertEqual(3, sum(each.status == 401 for each in self.puts()))

    def test_in_several_at_once(self) -> None:
        self.inject(faults.Hook(self.revoke), matrix.MIDDLE)
        self.recovers()

    def test_of_an_object(self) -> None:
        self.inject(faults.Hook(self.revoke), matrix.PLAIN)
        self.recovers(matrix.LAST)
        self.assertEqual([401, 201], [each.status for each in self.puts()])

    def test_each_time(self) -> None:
        self.inject(faults.Hook(self.revoke), matrix.MIDDLE, None)
        self.fails(
            BACKEND,
            '/00000002 failed, tried 3 times: 401 ',
            'transaction id tx',
        )

    def test_in_cleaning_up(self) -> None:
        self.inject(matrix.status(403), matrix.LATEST)
        self.inject(faults.Hook(self.revoke), '', 2, 'DELETE')
        self.fails(exceptions.StorageWriteDenied, ': 403 ')


class TestExpired(expiry.TestCase, matrix.Case):
    shares_tokens = False

    def test_renewed_in_time(self) -> None:
        """keystoneauth knows when: no request is refused."""
        self.inject(faults.Hook(self.expire), matrix.FIRST)
        self.recovers(swift_buffered_threads=1)

    def test_unnoticed(self) -> None:
        """The clocks differ: a segment's PUT is the first to know."""
        self.let_clocks_differ()
        self.inject(faults.Hook(self.expire), matrix.MIDDLE)
        self.recovers(swift_buffered_threads=1)
        self.assertEqual(
            [401, 201], [each.status for each in self.puts(matrix.MIDDLE.path)]
        )


class TestClock(matrix.Case):
    """This host's clock is ahead of Keystone's, by more than a token's life.

    keystoneauth takes each token for expired then.
    """

    shares_tokens = False

    def test_one_token_for_each_operation(self) -> None:
        self.set_clock_ahead()
        answer = self.add(5 * matrix.SEGMENT)
        self.assert_stored(self.data, answer, 5)
        self.assertEqual(1, self.tokens_asked_for())
        size = self.made.store('fast').get_size(
            stores.location_of(answer[0], 'fast', self.made.conf)
        )
        self.assertEqual((len(self.data), 2), (size, self.tokens_asked_for()))
        self.assertEqual(self.data, self.made.get(answer[0]))
        self.assertEqual(3, self.tokens_asked_for())
        self.made.delete(answer[0])
        self.assertEqual(4, self.tokens_asked_for())

    def test_another_one_when_it_is_refused(self) -> None:
        self.set_clock_ahead()
        self.inject(
            faults.Hook(
                lambda exchange: self.cloud.revoke(
                    exchange.headers['x-auth-token']
                )
            ),
            matrix.MIDDLE,
        )
        self.recovers(swift_buffered_threads=1)
        self.assertEqual(2, self.tokens_asked_for())


class TestKeystone(matrix.Case):
    """Keystone itself fails, before the upload or in its middle."""

    shares_tokens = False

    scenarios: list[matrix.Row] = [
        ('reset', {'fault': faults.Reset(), 'says': 'Connection aborted'}),
        (
            'stall',
            {
                'fault': faults.Stall(),
                'says': 'timed out',
                'error': matrix.TIMEOUT,
            },
        ),
        (
            'answer lost',
            {'fault': faults.LostAnswer(), 'says': 'Connection aborted'},
        ),
        *(
            (str(code), {'fault': matrix.status(code), 'says': str(code)})
            for code in (429, 503)
        ),
    ]

    fault: faults.Fault
    says: str
    error: type[Exception] = BACKEND

    options = {
        **matrix.Case.options,
        'swift_buffered_timeout': 1,
        'swift_buffered_threads': 1,
    }

    def refuse(self, times: int | None, skip: int = 0) -> None:
        self.cloud.keystone_proxy.add(
            faults.Rule(self.fault, 'POST', TOKENS, times=times, skip=skip)
        )

    def in_the_middle(self, times: int) -> None:
        """Have a segment need a new token, and Keystone fail then."""
        self.inject(matrix.status(401, after=5000), matrix.MIDDLE)
        self.refuse(times, skip=1)

    def test_once_before(self) -> None:
        self.refuse(1)
        self.recovers()

    def test_always_before(self) -> None:
        self.refuse(None)
        self.fails(
            self.error,
            self.says,
            'Authentication for Swift failed, tried 3 times: Keystone',
        )
        self.assertEqual([], self.puts())

    def test_once_in_the_middle(self) -> None:
        self.in_the_middle(1)
        self.recovers()

    def test_always_in_the_middle(self) -> None:
        self.in_the_middle(matrix.RETRIES)
        self.fails(
            self.error,
            self.says,
            '/00000002 failed, tried 3 times: Keystone: ',
        )


class TestCredentials(matrix.Case):
    shares_tokens = False

    def test_wrong(self) -> None:
        self.fails(
            BACKEND,
            'Authentication for Swift failed, tried once',
            'Keystone.*401',
            swift_store_key='not-the-password',
        )
        self.assertEqual(1, len(self.cloud.keystone_proxy.log))
