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

"""What a real Ceph RGW answers: tests/unit/radosgw.py is to answer so too."""

import json
import socket
from typing import Any
import unittest
from urllib import parse

import requests

from glance_store_bufswift.check import limits
from glance_store_bufswift.tests.functional import clouds
from glance_store_bufswift.tests.support.cloud import site
from glance_store_bufswift.tests.unit import radosgw

#: Seconds until a request fails; reached only then.
TIMEOUT = 60

#: The largest object.
MOST = 5 * (1 << 30)


@unittest.skipUnless(site.on_rgw(), 'for tools/tox -e rgw')
class TestAnswers(clouds.CloudTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.connection = self.cloud.connection()
        self.url, self.token = self.connection.get_auth()

    def ask(
        self,
        method: str,
        path: str,
        token: str | None = None,
        data: bytes | None = None,
        **headers: str,
    ) -> requests.Response:
        """Ask for something in the container; ``_`` stands for ``-``."""
        return requests.request(
            method,
            f'{self.url}/{self.container}{path}',
            data=data,
            timeout=TIMEOUT,
            headers={
                'X-Auth-Token': token or self.token,
                **{name.replace('_', '-'): headers[name] for name in headers},
            },
        )

    def refused(self, answer: requests.Response) -> tuple[int, str]:
        """The status and the code of a refusal."""
        return answer.status_code, answer.text

    def announce(self, length: int) -> bytes:
        """What is answered to this length, before any body."""
        where = parse.urlsplit(self.url)
        assert where.hostname and where.port
        with socket.create_connection(
            (where.hostname, where.port), TIMEOUT
        ) as sock:
            sock.sendall(
                (
                    f'PUT {where.path}/{self.container}/o HTTP/1.1\r\n'
                    f'Host: {where.netloc}\r\nX-Auth-Token: {self.token}\r\n'
                    f'Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n'
                ).encode()
            )
            answer = b''
            # A refusal has a body, its code.
            while not answer or (
                b' 400 ' in answer and answer.endswith(b'\r\n\r\n')
            ):
                answer += sock.recv(1 << 16)
            return answer

    def test_info(self) -> None:
        told = self.connection.get_capabilities()
        self.assertEqual(radosgw.INFO['bulk_delete'], told['bulk_delete'])
        self.assertEqual(radosgw.INFO['slo'], told['slo'])
        self.assertEqual(MOST, told['swift']['max_file_size'])
        self.assertIn(limits.RGW_ONLY, told['swift'])

    def test_largest_object(self) -> None:
        self.assertRegex(self.announce(MOST), b'^HTTP/1.1 100 ')
        refusal = self.announce(MOST + 1)
        self.assertRegex(refusal, b'^HTTP/1.1 400 ')
        self.assertRegex(refusal, b'\r\n\r\nEntityTooLarge$')

    def test_tokens(self) -> None:
        self.connection.put_object(self.container, 'o', b'x')
        revoked = str(self.cloud.session(direct=True).get_token())
        self.cloud.revoke(revoked)
        for token in (revoked, 'never-was-one'):
            for method, data in (('GET', None), ('PUT', b'x' * 1000)):
                self.assertEqual(
                    (401, 'AccessDenied'),
                    self.refused(self.ask(method, '/o', token, data)),
                )
        demo = self.cloud.session(direct=True, user=self.cloud.site.demo)
        self.assertEqual(
            (403, 'AccessDenied'),
            self.refused(self.ask('GET', '/o', str(demo.get_token()))),
        )

    def test_errors(self) -> None:
        """A code, or JSON for who asks for that."""
        self.assertEqual(
            (404, 'NoSuchKey'), self.refused(self.ask('GET', '/o'))
        )
        self.assertEqual(
            (422, 'UnprocessableEntity'),
            self.refused(self.ask('PUT', '/o', data=b'x', ETag='0' * 32)),
        )
        answer = requests.get(
            f'{self.url}/{self.container}-not?format=json',
            timeout=TIMEOUT,
            headers={'X-Auth-Token': self.token},
        )
        self.assertEqual(404, answer.status_code)
        self.assertEqual('NoSuchBucket', answer.json()['Code'])

    def test_manifest(self) -> None:
        """Its own ETag, were it sent, would do no harm any more."""
        nothing = radosgw.md5(b'')
        for number in range(2):
            self.connection.put_object(self.container, f'o/{number}', b'x')
        answer = self.ask(
            'PUT',
            '/o',
            data=b'',
            ETag=nothing,
            X_Object_Manifest=f'{self.container}/o/',
        )
        self.assertEqual(
            (201, nothing), (answer.status_code, answer.headers['ETag'])
        )
        told = self.connection.head_object(self.container, 'o')
        self.assertEqual(
            f'"{radosgw.md5(radosgw.md5(b"x").encode() * 2)}"', told['etag']
        )
        self.assertEqual('2', told['content-length'])

    def test_static_manifest(self) -> None:
        """It is not told what it is made of, but can be deleted."""
        self.connection.put_object(self.container, 'part', b'x')
        self.connection.put_object(
            self.container,
            'slo',
            json.dumps([{'path': f'/{self.container}/part'}]),
            query_string='multipart-manifest=put',
        )
        answer = self.ask('GET', '/slo?multipart-manifest=get')
        self.assertEqual((200, b''), (answer.status_code, answer.content))
        self.assertNotIn('X-Static-Large-Object', answer.headers)
        self.connection.delete_object(
            self.container, 'slo', query_string='multipart-manifest=delete'
        )
        self.assertEqual([], self.cloud.listing(self.container))

    def test_bulk_delete(self) -> None:
        """What is behind the 1,024th name is left out without a word."""
        for wanted in (1, radosgw.BULK, radosgw.BULK + 1):
            self.assertEqual(
                min(wanted, radosgw.BULK),
                self.bulk(wanted)['Number Not Found'],
            )

    def bulk(self, count: int) -> dict[str, Any]:
        """What is said when so many objects are to be deleted."""
        names = '\n'.join(
            f'/{self.container}/{number}' for number in range(count)
        )
        told: dict[str, Any] = requests.post(
            f'{self.url}?bulk-delete',
            data=names.encode(),
            timeout=TIMEOUT,
            headers={
                'X-Auth-Token': self.token,
                'Accept': 'application/json',
                'Content-Type': 'text/plain',
            },
        ).json()
        self.assertEqual(
            ('200 OK', []), (told['Response Status'], told['Errors'])
        )
        return told
