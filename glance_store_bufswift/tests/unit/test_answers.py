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

"""What an answer says, beside its status."""

from oslotest import base

from glance_store_bufswift.swift import answers
from glance_store_bufswift.tests.unit import refusals

SWIFT = (
    b'<html><h1>Forbidden</h1><p>Access was denied to this resource.'
    b'</p></html>'
)
NGINX = (
    b'<html>\r\n<head><title>413 Request Entity Too Large</title></head>'
    b'\r\n<body>\r\n<center><h1>413 Request Entity Too Large</h1>'
    b'</center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n'
    b'</html>'
)


class TestCode(base.BaseTestCase):
    def test_in_every_form(self) -> None:
        for body in (
            refusals.JSON,
            refusals.XML,
            refusals.PLAIN,
            refusals.XML.decode(),
            refusals.JSON.decode(),
            b'Your proposed upload exceeds: EntityTooLarge',
        ):
            self.assertEqual(
                'EntityTooLarge', answers.error_code(body), f'{body!r}'
            )

    def test_none(self) -> None:
        for body in (
            None,
            b'',
            '',
            b'null',
            b'[]',
            b'{"Code": 7}',
            SWIFT,
            b'\xff\xfe',
            b'[' * 100_000,
            7,
        ):
            self.assertEqual('', answers.error_code(body), f'{body!r}')


class TestWords(base.BaseTestCase):
    def test_code(self) -> None:
        for body in (refusals.JSON, refusals.XML, refusals.PLAIN):
            self.assertEqual('EntityTooLarge', answers.error_text(body))

    def test_code_with_a_message(self) -> None:
        for body in (
            b'{"Code": "QuotaExceeded", "Message": "No more."}',
            b'<Error><Code>QuotaExceeded</Code>'
            b'<Message>No more.</Message></Error>',
        ):
            self.assertEqual(
                'QuotaExceeded: No more.', answers.error_text(body)
            )

    def test_page(self) -> None:
        self.assertEqual(
            'Access was denied to this resource.',
            answers.error_text(SWIFT, '403 Forbidden', 'Forbidden'),
        )
        reason = 'Request Entity Too Large'
        self.assertEqual(
            'nginx/1.22.1', answers.error_text(NGINX, f'413 {reason}', reason)
        )
        self.assertEqual(
            'Upload exceeds quota.',
            answers.error_text(b'Upload exceeds quota.', '', '413'),
        )

    def test_nothing(self) -> None:
        for body in (None, b'', b' \n ', b'<html></html>'):
            self.assertEqual('', answers.error_text(body))

    def test_one_short_line_without_secrets(self) -> None:
        token = 'gAAAAAB' + 'x' * 180
        text = f'X-Auth-Token: {token}\n\x1b[2J' + 'word ' * 10_000
        said = answers.error_text(text.encode())
        self.assertNotIn('gAAAAAB', said)
        self.assertTrue(said.isprintable())
        self.assertLess(len(said), 110)


class TestPlace(base.BaseTestCase):
    def test_places(self) -> None:
        for location, place in (
            ('https://swift:8080/v1/c/o', 'https://swift:8080/v1/c/o'),
            ('https://user:key@swift/v1?sig=secret#x', 'https://swift/v1'),
            ('/v1/c/o?sig=secret', '/v1/c/o'),
            ('', ''),
            ('//swift/v1', '://swift/v1'),
            ('http://[::1', 'an address that can not be read'),
        ):
            self.assertEqual(place, answers.redirect_target(location))


class TestLength(base.BaseTestCase):
    def length(self, **headers: str) -> int | None:
        return answers.length(
            {name.replace('_', '-'): headers[name] for name in headers}
        )

    def test_told(self) -> None:
        self.assertEqual(0, self.length(content_length='0'))
        self.assertEqual(7, self.length(content_length=' 7 '))

    def test_not_told(self) -> None:
        self.assertIsNone(self.length())
        self.assertIsNone(
            self.length(content_length='7', transfer_encoding='Chunked')
        )
        for text in (
            '',
            '-1',
            '+1',
            '1.0',
            '7, 7',
            'x',
            '\u0663',
            '\u00b2',
            '9' * 5000,
        ):
            self.assertIsNone(self.length(content_length=text), text)
