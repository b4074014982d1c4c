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

"""Options that do nothing, options that contradict each other."""

from typing import Any

from glance_store._drivers.swift import store as upstream
from oslotest import base

from glance_store_bufswift.check import options
from glance_store_bufswift import opts


#: The service user of a multi-tenant store, whom users give trusts.
TRUSTEE = {
    'swift_store_user': 'project:user',
    'swift_store_key': 'key',
    'swift_store_auth_address': 'https://keystone/v3',
}


def judged(**given: Any) -> list[tuple[str, str]]:
    """What is said of these options: how bad, and what to change."""
    return [
        (each.result.value, each.advice)
        for each in options.findings(given, {}, {})
    ]


class TestOptions(base.BaseTestCase):
    def test_nothing_set(self) -> None:
        self.assertEqual([('ok', '')], judged())

    def test_a_good_configuration(self) -> None:
        self.assertEqual(
            [('ok', '')],
            judged(
                swift_store_config_file='/etc/glance/swift.conf',
                swift_buffered_dir='/buffers',
                swift_buffered_retries=3,
                swift_store_cacert='/ca',
                swift_store_auth_version='3',
                swift_store_multiple_containers_seed=2,
            ),
        )

    def test_each_ignored_option(self) -> None:
        for name in options.IGNORED:
            for value in (True, False, 0, 5):
                self.assertEqual(
                    [('warning', f'remove {name}')], judged(**{name: value})
                )

    def test_a_tenants_download_may_have_a_trust(self) -> None:
        """Which swift_store_retry_get_count says."""
        self.assertEqual(
            [('ok', '')],
            judged(
                swift_store_retry_get_count=3,
                swift_store_multi_tenant=True,
                **TRUSTEE,
            ),
        )

    def test_each_option_that_is_looked_at_exists(self) -> None:
        known = {opt.name for opt in upstream.Store.OPTIONS + opts.OPTIONS}
        self.assertEqual(
            [], [name for name in options.LOOKED_AT if name not in known]
        )

    def test_one_makes_the_other_useless(self) -> None:
        self.assertEqual(
            [('warning', 'remove swift_upload_buffer_dir')],
            judged(swift_buffered_dir='/a', swift_upload_buffer_dir='/b'),
        )
        self.assertEqual(
            [('warning', 'remove swift_store_user, swift_store_key')],
            judged(
                swift_store_config_file='/a',
                swift_store_user='u',
                swift_store_key='k',
                swift_store_auth_address='',
            ),
        )
        self.assertEqual(
            [('warning', 'remove swift_store_multiple_containers_seed')],
            judged(
                swift_store_multi_tenant=True,
                swift_store_multiple_containers_seed=1,
                **TRUSTEE,
            ),
        )
        self.assertEqual(
            [('warning', 'remove swift_store_auth_insecure')],
            judged(swift_store_auth_insecure=True, swift_store_cacert='/a'),
        )

    def test_upstreams_directory_alone_is_taken(self) -> None:
        self.assertEqual([('ok', '')], judged(swift_upload_buffer_dir='/b'))

    def test_what_exclude_each_other(self) -> None:
        self.assertEqual(
            [('error', 'unset one of them')],
            judged(
                swift_store_multi_tenant=True, swift_store_config_file='/a'
            ),
        )

    def test_what_gives_safety_away(self) -> None:
        for name, value in (
            ('swift_buffered_retries', 0),
            ('swift_buffered_confirm_timeout', 0),
            ('swift_store_auth_insecure', True),
            ('swift_store_auth_version', '2'),
        ):
            [(result, advice)] = judged(**{name: value})
            self.assertEqual('warning', result)
            self.assertTrue(advice)
        [(result, _)] = judged(
            swift_store_multi_tenant=True, swift_store_use_trusts=False
        )
        self.assertEqual('warning', result)
        self.assertEqual([('ok', '')], judged(swift_store_use_trusts=False))

    def test_nobody_to_trust(self) -> None:
        for missing in TRUSTEE:
            given = {
                name: value
                for name, value in TRUSTEE.items()
                if name != missing
            }
            [(result, _)] = judged(swift_store_multi_tenant=True, **given)
            self.assertEqual('warning', result)
        self.assertEqual(
            [('ok', '')], judged(swift_store_multi_tenant=True, **TRUSTEE)
        )

    def test_names_that_nobody_reads(self) -> None:
        known = options.known('fast', upstream.Store.OPTIONS)
        written = {
            'fast': [
                'swift_buffered_thread',
                'swift_store_user',
                'weight',
                'swift_buffered_retries',
            ],
            'backend_defaults': ['swift_store_container'],
            'swift_buffered': ['swift_buffered_dir', 'swift_zzz'],
        }
        self.assertEqual(
            [
                (
                    'swift_buffered_thread is not read in [fast]',
                    'write swift_buffered_threads',
                ),
                (
                    'swift_zzz is not read in [swift_buffered]',
                    'remove swift_zzz, or put it into the section of the '
                    'store',
                ),
            ],
            [
                (each.found, each.advice)
                for each in options.findings({}, written, known)
            ],
        )
        # What only the stock driver has is not read in our own group.
        [each] = options.findings(
            {}, {'swift_buffered': ['swift_store_container']}, known
        )
        self.assertEqual('warning', each.result.value)

    def test_no_value_is_told(self) -> None:
        """Among them are passwords."""
        for each in options.findings(
            {
                'swift_store_config_file': '/a',
                'swift_store_key': 'secret',
                'swift_store_user': 'name',
            },
            {},
            {},
        ):
            self.assertNotIn('secret', each.found + each.advice)
