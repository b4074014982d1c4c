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

"""What a failed try says."""

import ssl

from keystoneauth1 import exceptions as ksa
from oslotest import base
import requests
import swiftclient

from glance_store_bufswift import errors
from glance_store_bufswift.swift import failures


def _swift(status: int | None, **headers: str) -> swiftclient.ClientException:
    return swiftclient.ClientException(
        'Object PUT failed',
        http_status=status,
        http_reason='Told',
        http_response_headers={
            name.replace('_', '-'): headers[name] for name in headers
        },
    )


def _of(exc: BaseException | None) -> failures.Failure:
    found = failures.of_exception(exc)
    assert found is not None
    return found


class TestSwift(base.BaseTestCase):
    def test_answer_is_named_with_its_transaction(self) -> None:
        found = _of(_swift(503, x_trans_id='tx-1'))
        self.assertEqual('503 Told, transaction id tx-1', found.reason)
        self.assertEqual((503, True), (found.status, found.may_pass))

    def test_gateways_name_it_otherwise_or_not(self) -> None:
        found = _of(_swift(503, x_openstack_request_id='tx-2'))
        self.assertIn('tx-2', found.reason)
        self.assertIn('none given', _of(_swift(503)).reason)

    def test_answer_that_will_not_pass(self) -> None:
        for status in (400, 403, 404, 413):
            self.assertFalse(_of(_swift(status)).may_pass)

    def test_answer_asks_to_wait(self) -> None:
        self.assertEqual(7, _of(_swift(429, retry_after='7')).retry_after)

    def test_broken_connection_may_pass(self) -> None:
        for exc in (
            ConnectionResetError(104, 'reset'),
            OSError('x'),
            requests.ConnectionError('gone'),
            requests.exceptions.ChunkedEncodingError('cut'),
        ):
            found = _of(exc)
            self.assertEqual(
                (None, True, False),
                (found.status, found.may_pass, found.timed_out),
            )
            self.assertIn(type(exc).__name__, found.reason)

    def test_timeout_is_seen_at_the_root(self) -> None:
        chain = requests.ConnectionError('outer')
        chain.__context__ = ValueError('between')
        chain.__context__.__cause__ = TimeoutError('timed out')
        for exc in (TimeoutError(), requests.Timeout(), chain):
            self.assertTrue(_of(exc).timed_out, exc)

    def test_circle_of_causes_ends(self) -> None:
        chain = requests.ConnectionError('outer')
        chain.__context__ = ValueError('between')
        chain.__context__.__context__ = chain
        self.assertFalse(_of(chain).timed_out)

    def test_bad_certificate_stays_bad(self) -> None:
        exc = requests.exceptions.SSLError(
            ssl.SSLError('certificate verify failed: self-signed')
        )
        self.assertFalse(_of(exc).may_pass)
        exc = requests.exceptions.SSLError('bad record mac')
        self.assertTrue(_of(exc).may_pass)

    def test_certificates_fail_at_once(self) -> None:
        """Of Swift and of Keystone, as ssl and requests word it."""
        for text in (
            'certificate verify failed: self-signed certificate',
            '[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate',
            '[X509] PEM lib (_ssl.c:4154)',
            'Could not find a suitable TLS CA certificate bundle, '
            'invalid path: /nowhere',
        ):
            for exc in (
                requests.exceptions.SSLError(text),
                OSError(text),
                ksa.SSLError(text),
            ):
                found = _of(exc)
                self.assertFalse(found.may_pass, text)
                self.assertIn('swift_store_cacert', found.reason)

    def test_other_failures_of_tls_may_pass(self) -> None:
        for exc in (
            requests.exceptions.SSLError('EOF occurred'),
            ksa.SSLError('EOF occurred'),
        ):
            found = _of(exc)
            self.assertTrue(found.may_pass)
            self.assertNotIn('swift_store_cacert', found.reason)

    def test_not_confirmed_may_pass(self) -> None:
        found = _of(errors.NotStored('ETag'))
        self.assertEqual(
            ('ETag', None, True), (found.reason, found.status, found.may_pass)
        )

    def test_what_is_no_failure_of_a_request(self) -> None:
        for exc in (
            None,
            errors.Aborted('x'),
            errors.SourceFailed(OSError()),
            errors.BufferFailed('x'),
            ValueError('bug'),
            KeyboardInterrupt(),
        ):
            self.assertIsNone(failures.of_exception(exc))


class TestKeystone(base.BaseTestCase):
    def test_what_may_pass(self) -> None:
        for status in (408, 429, 500, 502, 503, 504):
            exc = ksa.HttpError('told', http_status=status)
            self.assertTrue(_of(exc).may_pass, status)
        self.assertTrue(_of(ksa.ConnectFailure('gone')).may_pass)

    def test_wrong_credentials_stay_wrong(self) -> None:
        for exc in (
            ksa.Unauthorized(),
            ksa.Forbidden(),
            ksa.NotFound(),
            ksa.EndpointNotFound(),
            ksa.MissingAuthPlugin(),
        ):
            self.assertFalse(_of(exc).may_pass, exc)

    def test_its_status_is_not_taken_for_swifts(self) -> None:
        found = _of(ksa.Forbidden('no'))
        self.assertIsNone(found.status)
        self.assertIn('Keystone', found.reason)

    def test_timeout(self) -> None:
        self.assertTrue(_of(ksa.ConnectTimeout('late')).timed_out)
        self.assertFalse(_of(ksa.ConnectFailure('gone')).timed_out)


class TestFinal(base.BaseTestCase):
    def test_error_says_what_how_often_and_why(self) -> None:
        exc = failures.Failure('503 x', 503, timed_out=True).error('PUT', 6)
        self.assertEqual('PUT failed, tried 6 times: 503 x', str(exc))
        self.assertEqual((503, True), (exc.status, exc.timed_out))
        once = failures.Failure('403 x', 403).error('PUT', 1)
        self.assertEqual('PUT failed, tried once: 403 x', str(once))

    def test_lasting_failure_keeps_all_but_hope(self) -> None:
        found = failures.Failure('503 x', 503, True, 7, True).not_resent(
            'lost'
        )
        self.assertEqual(
            (503, False, 7, True),
            (found.status, found.may_pass, found.retry_after, found.timed_out),
        )
        self.assertIn('503 x; not sent again, as lost', found.reason)


class TestStatuses(base.BaseTestCase):
    def test_what_may_pass(self) -> None:
        for status in (None, 401, 408, 422, 429, 498, 499, *range(500, 600)):
            self.assertTrue(failures.may_pass(status), status)

    def test_what_may_not(self) -> None:
        for status in (
            100,
            200,
            202,
            301,
            400,
            402,
            403,
            404,
            405,
            409,
            411,
            412,
            413,
            416,
            600,
        ):
            self.assertFalse(failures.may_pass(status), status)


class TestRetryAfter(base.BaseTestCase):
    def _read(self, value: str) -> float:
        return failures.retry_after({'retry-after': value})

    def test_seconds(self) -> None:
        self.assertEqual(7, self._read('7'))
        self.assertEqual(1.5, self._read(' 1.5 '))

    def test_nothing_sensible_is_no_wait(self) -> None:
        for value in (
            '',
            'soon',
            '-3',
            'nan',
            '-inf',
            'Sun, 06 Nov 1994 08:49:37 GMT',
        ):
            self.assertEqual(0, self._read(value), value)

    def test_none_given_is_no_wait(self) -> None:
        self.assertEqual(0, failures.retry_after({}))
