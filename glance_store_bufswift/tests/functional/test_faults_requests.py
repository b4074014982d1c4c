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

"""Faults of the requests around an upload, and of its cleaning up."""

import logging
from typing import Any

from glance_store import exceptions
import testscenarios

from glance_store_bufswift.tests.functional import matrix
from glance_store_bufswift.tests.support.cloud import faults

load_tests = testscenarios.load_tests_apply_scenarios

CONTAINER = '/images-[0-9a-f]{32}$'
IMAGE = matrix.PLAIN.path
LISTING = r'\?.*prefix='
BACKEND = exceptions.BackendException


class TestOnce(matrix.Case):
    """Any request may fail once: the outcome is the same."""

    shares_tokens = False

    scenarios: list[matrix.Row] = [
        ('reset', {'fault': faults.Reset()}),
        ('stall', {'fault': faults.Stall()}),
        *(
            (str(code), {'fault': matrix.status(code)})
            for code in (401, 429, 503)
        ),
    ]

    fault: faults.Fault

    options = {**matrix.Case.options, 'swift_buffered_timeout': 1}

    def test_around_an_upload(self) -> None:
        rules = [
            self.inject(self.fault, CONTAINER, method='HEAD'),
            self.inject(self.fault, CONTAINER, method='PUT'),
            self.inject(self.fault, IMAGE, method='HEAD'),
            self.inject(self.fault, IMAGE, method='HEAD'),
        ]
        self.recovers()
        self.assertEqual([1] * 4, [rule.applied for rule in rules])

    def test_in_cleaning_up(self) -> None:
        self.inject(matrix.status(403, after=5), matrix.LATEST)
        rules = [
            self.inject(self.fault, LISTING, method='GET'),
            self.inject(self.fault, '/00000001$', method='DELETE'),
            self.inject(self.fault, '/00000003$', method='DELETE'),
        ]
        self.fails(exceptions.StorageWriteDenied, ': 403 ')
        self.assertEqual([1] * 3, [rule.applied for rule in rules])

    def test_in_cleaning_up_an_object(self) -> None:
        self.inject(faults.LostAnswer(), IMAGE, times=None)
        rules = [
            self.inject(self.fault, IMAGE, method='HEAD', skip=1),
            self.inject(self.fault, IMAGE, method='DELETE'),
        ]
        self.fails(BACKEND, 'Connection aborted', size=matrix.LAST)
        self.assertEqual([1] * 2, [rule.applied for rule in rules])


class TestForGood(matrix.Case):
    """Requests that fail each time."""

    shares_tokens = False

    def orphans(self) -> list[str]:
        """The names that the log calls orphans, and that are some."""
        [message] = self.records.of(logging.ERROR)
        self.assertIn(self.container, message)
        names = message.rpartition(': ')[2].split(', ')
        really = self.listing(self.image)
        self.assertEqual([], sorted(set(really) - set(names)))
        return really

    def catch_403(self) -> None:
        """The first error is what comes out."""
        self.inject(matrix.status(403, after=5), matrix.LATEST)
        caught = self.catch(lambda: self.add(swift_buffered_threads=1))
        self.assertIs(exceptions.StorageWriteDenied, type(caught))
        self.assertIn('/00000003 failed, tried once: 403', str(caught))
        self.assert_nothing_runs()

    def test_head_of_container(self) -> None:
        errors: dict[int, Any] = {
            403: exceptions.StorageWriteDenied,
            401: BACKEND,
            503: BACKEND,
            507: exceptions.StorageFull,
        }
        for code, error in errors.items():
            self.proxy.clear()
            self.inject(matrix.status(code), CONTAINER, None, 'HEAD')
            self.fails(
                error,
                f'HEAD of {self.container} failed',
                f'{code} ',
                matrix.TRANSACTION,
            )
            self.assertEqual([], self.puts())

    def test_put_of_container(self) -> None:
        self.inject(matrix.status(403), CONTAINER, None)
        self.fails(
            exceptions.StorageWriteDenied,
            f'PUT of {self.container} failed, tried once: 403 ',
        )

    def test_container_is_missing(self) -> None:
        self.fails(
            BACKEND,
            f'Container {self.container} does not exist',
            swift_store_create_container_on_put=False,
        )

    def test_head_of_image(self) -> None:
        """What stood there is unknown, and whether it reads back too."""
        self.inject(matrix.status(503), IMAGE, None, 'HEAD')
        self.recovers(swift_buffered_confirm_timeout=1)
        first, *_, last = self.records.of(logging.WARNING)
        self.assertIn(f'HEAD of {self.container}/{self.image}', first)
        self.assertIn('does not show all of its segments', last)

    def test_listing(self) -> None:
        self.inject(matrix.status(503), LISTING, None, 'GET')
        self.catch_403()
        self.assert_nothing_left()

    def test_delete(self) -> None:
        """What could not be deleted is named."""
        self.inject(matrix.status(503), '/00000001$', None, 'DELETE')
        self.catch_403()
        self.assertEqual(1, len(self.orphans()))

    def test_every_delete(self) -> None:
        """Swift is down: it is not asked for each object."""
        self.inject(matrix.status(503), '', None, 'DELETE')
        self.catch_403()
        self.assertEqual(2, len(self.orphans()))

    def test_delete_of_the_first_pass(self) -> None:
        """Names in doubt have a second one."""
        self.inject(
            matrix.status(503), '/00000003$', matrix.RETRIES + 1, 'DELETE'
        )
        self.catch_403()
        self.assert_nothing_left()
        self.assertEqual([], self.records.of(logging.ERROR))
