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

"""Another project's account."""

from typing import Any
from unittest import mock

from keystoneauth1 import session
from oslotest import base

from glance_store_bufswift import errors
from glance_store_bufswift.swift import pool


def made(url: str, own: str | None = 'own') -> pool.Endpoint:
    known: Any = None
    if own:
        known = mock.create_autospec(session.Session, instance=True)
        known.get_project_id.return_value = own
    return pool.Endpoint(url, known)


class TestOfProject(base.BaseTestCase):
    def test_its_id_stands_in_place_of_the_own(self) -> None:
        for url, other in (
            ('http://own/v1/AUTH_own', 'http://own/v1/AUTH_x'),
            ('http://h/swift/v1/own', 'http://h/swift/v1/x'),
        ):
            self.assertEqual(other, made(url).of_project('x').url)

    def test_where_it_is_can_not_be_told(self) -> None:
        for each in (
            made('http://h/v1/AUTH_other'),
            made('http://own/v1'),
            made('http://h/v1/AUTH_own', None),
        ):
            self.assertRaises(errors.ConfigError, each.of_project, 'x')
