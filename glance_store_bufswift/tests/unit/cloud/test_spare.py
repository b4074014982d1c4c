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

"""What the test cloud's Swift finds in a shorter way is the same."""

import email.parser
import http.client

from oslotest import base

from glance_store_bufswift.tests.support.cloud import spare

PLAIN = (
    '\r\n',
    'Host: 127.0.0.1:8080\r\n\r\n',
    'X-A:b\r\nx-a: c \r\nX-A:  d\te\r\nContent-Length: 0\r\n\r\n',
    'Empty:\r\nBlank: \r\nColons: a:b: c\r\n\r\n',
    'X_Odd!name~: "quoted"; q=0.5, <x>\r\n\r\n',
    'Content-Type: multipart/mixed; boundary=x\r\n\r\n',
)

OTHERS = (
    '',
    'Host: a',
    'Host: a\r\n',
    'Host: a\n\n',
    'Host: a\r\n\r\nbody',
    'Folded: a\r\n b\r\n\r\n',
    'No colon\r\nHost: a\r\n\r\n',
    'Space before : a\r\n\r\n',
    ': no name\r\n\r\n',
    'From someone\r\nHost: a\r\n\r\n',
    'X-Latin: caf\xe9\r\n\r\n',
    'X-Next-Line: a\x85b\r\n\r\n',
    'X-Return: a\rb\r\n\r\n',
)


class TestPlainFields(base.BaseTestCase):
    def test_as_the_email_package_finds_them(self) -> None:
        for head in PLAIN:
            parser = email.parser.Parser(_class=http.client.HTTPMessage)
            self.assertEqual(
                parser.parsestr(head).items(), spare.plain_fields(head), head
            )

    def test_not_plain(self) -> None:
        for head in OTHERS:
            self.assertIsNone(spare.plain_fields(head), head)
