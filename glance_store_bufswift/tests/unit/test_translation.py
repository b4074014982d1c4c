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

"""What Glance is told about a failure."""

from collections.abc import Iterator
import traceback

import fixtures
from glance_store import exceptions
from oslotest import base

from glance_store_bufswift.buffer import space
from glance_store_bufswift import errors
from glance_store_bufswift import translation


class _Cause(Exception):
    pass


def _raised(exc: BaseException) -> BaseException:
    """What is made of an exception of add(), where that is handled."""
    try:
        try:
            raise exc
        except BaseException as caught:
            translation.reraise_adding(caught)
    except BaseException as caught:
        return caught
    raise AssertionError('Nothing was raised')


def _failed(
    status: int | None = None, timed_out: bool = False
) -> errors.RequestFailed:
    return errors.RequestFailed('PUT of c/o failed: why', status, timed_out)


def _subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _subclasses(each)


class TestTable(base.BaseTestCase):
    """The table of what add() raises."""

    def _check(self, expected: type[Exception], exc: Exception) -> None:
        raised = _raised(exc)
        self.assertIs(expected, type(raised), repr(exc))
        self.assertIn('PUT of c/o failed: why', str(raised))
        self.assertIs(exc, raised.__cause__)

    def test_denied(self) -> None:
        self._check(exceptions.StorageWriteDenied, _failed(403))

    def test_size_not_as_declared(self) -> None:
        self._check(
            exceptions.Invalid, errors.WrongSize('PUT of c/o failed: why')
        )

    def test_full(self) -> None:
        self._check(exceptions.StorageFull, _failed(413))
        self._check(exceptions.StorageFull, _failed(507))

    def test_other_answers_and_none(self) -> None:
        for status in (
            None,
            202,
            400,
            401,
            404,
            408,
            409,
            422,
            429,
            498,
            499,
            500,
            502,
            503,
            504,
        ):
            self._check(exceptions.BackendException, _failed(status))

    def test_timeout_where_glance_store_knows_one(self) -> None:
        class TimeoutError(exceptions.GlanceStoreException):
            pass

        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store.exceptions.TimeoutError', TimeoutError
            )
        )
        self._check(TimeoutError, _failed(timed_out=True))

    def test_timeout_where_glance_store_knows_none(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store.exceptions.TimeoutError',
                fixtures.MonkeyPatch.delete,
            )
        )
        self._check(exceptions.BackendException, _failed(timed_out=True))

    def test_answer_tells_more_than_a_timeout(self) -> None:
        self._check(exceptions.StorageFull, _failed(413, timed_out=True))

    def test_our_other_exceptions(self) -> None:
        for kind in (
            errors.Aborted,
            errors.NotRewindable,
            errors.NotStored,
            errors.BufferFailed,
            space.NoSpace,
        ):
            self._check(
                exceptions.BackendException, kind('PUT of c/o failed: why')
            )

    def test_never_not_found(self) -> None:
        for status in (None, *range(100, 600)):
            for timed_out in (False, True):
                self.assertNotIsInstance(
                    _raised(_failed(status, timed_out)), exceptions.NotFound
                )

    def test_what_is_not_ours_passes(self) -> None:
        for exc in (
            exceptions.Invalid(message='too long'),
            ValueError('x'),
            KeyboardInterrupt(),
        ):
            self.assertIs(exc, _raised(exc))

    def test_swiftclient_would_retry_none_of_ours(self) -> None:
        for kind in _subclasses(errors.BufswiftError):
            self.assertFalse(issubclass(kind, OSError), kind)


class TestReading(base.BaseTestCase):
    """What get() and get_size() raise."""

    def check(self, expected: type[Exception], status: int | None) -> None:
        self.assertRaises(
            expected, translation.reraise_reading, _failed(status)
        )

    def test_a_later_one_may_succeed(self) -> None:
        for status in (None, 408, 429, 498, 499, 500, 502, 503, 504, 507):
            self.check(exceptions.RemoteServiceUnavailable, status)

    def test_a_later_one_fails_too(self) -> None:
        for status in (400, 401, 403, 409, 412, 416, 422):
            self.check(exceptions.BackendException, status)


class TestSourceFailed(base.BaseTestCase):
    def _source_error(self, exc: BaseException) -> BaseException:
        def read_from_the_source() -> None:
            raise exc from _Cause('why')

        try:
            read_from_the_source()
        except BaseException as caught:
            wrapped = errors.SourceFailed(caught)
            wrapped.__cause__ = caught
        return _raised(wrapped)

    def test_caller_gets_the_very_object(self) -> None:
        for exc in (
            OSError(32, 'Broken pipe'),
            ValueError('x'),
            exceptions.Invalid(message='x'),
            KeyboardInterrupt(),
            SystemExit(3),
            _Cause(),
        ):
            self.assertIs(exc, self._source_error(exc))

    def test_its_cause_is_kept(self) -> None:
        raised = self._source_error(ValueError('x'))
        self.assertIsInstance(raised.__cause__, _Cause)

    def test_its_traceback_leads_to_the_source(self) -> None:
        raised = self._source_error(ValueError('x'))
        names = [
            frame.name for frame in traceback.extract_tb(raised.__traceback__)
        ]
        self.assertIn('read_from_the_source', names)

    def test_our_wrapper_is_not_shown(self) -> None:
        raised = self._source_error(ValueError('x'))
        shown = ''.join(traceback.format_exception(raised))
        self.assertNotIn('SourceFailed', shown)
