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

"""``glance-bufswift check``: each finding, provoked."""

import os
from pathlib import Path
from typing import Any
from unittest import mock

import fixtures

from glance_store_bufswift.check import as_glance
from glance_store_bufswift import driver
from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import commands
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support import fresh

SEGMENT = base.SEGMENT


class Case(commands.Case):
    # The defaults but for what a test changes.
    options: dict[str, Any] = {
        'swift_store_large_object_size': None,
        'swift_store_large_object_chunk_size': 200,
    }

    def check(self, *words: str, **options: Any) -> commands.Rows:
        """What is found in a store with these options."""
        self.code, rows = self.rows(
            self.config(fast=options), 'check', '--uploads', '1', *words
        )
        for row in rows:
            self.assertIn(row['store'], ('fast', '*'))
            self.assertEqual(
                row['result'] != 'ok', bool(row['advice']), str(row)
            )
        self.assertEqual([], os.listdir(self.buffers))
        self.assertEqual(
            [],
            [
                record
                for record in self.records.all
                if record.levelname == 'CRITICAL'
            ],
        )
        return rows

    def bad(self, *words: str, **options: Any) -> list[tuple[str, str, str]]:
        """Subject, result and text of what is not well."""
        rows = self.check(*words, **options)
        bad = [
            (row['subject'], row['result'], row['found'])
            for row in rows
            if row['result'] != 'ok'
        ]
        code = (
            2
            if ('credentials', 'error') in [each[:2] for each in bad]
            else int('error' in [result for _, result, _ in bad])
        )
        self.assertEqual(code, self.code)
        return bad

    def assert_found(
        self,
        subject: str,
        result: str,
        text: str,
        bad: list[tuple[str, str, str]],
    ) -> None:
        """This is the one thing that is not well."""
        self.assertEqual(
            [(subject, result)], [each[:2] for each in bad], str(bad)
        )
        self.assertIn(text, bad[0][2])


class TestWell(Case):
    def test_nothing_is_found_and_nothing_left(self) -> None:
        rows = self.check()
        self.assertEqual({'ok'}, {row['result'] for row in rows}, str(rows))
        self.assertEqual(0, self.code)
        self.assertEqual(
            {
                'configuration',
                'options',
                'buffer directory',
                'buffer room',
                'hashing',
                'keystone',
                'endpoint',
                'container',
                'limits',
                'download rate',
                'round trip',
            },
            {row['subject'] for row in rows},
        )
        self.assertEqual([], self.listing())

    def test_a_container_that_exists(self) -> None:
        self.cloud.connection().put_container(self.container)
        for may in (True, False):
            self.assertEqual(
                [], self.bad(swift_store_create_container_on_put=may)
            )

    def test_without_a_round_trip(self) -> None:
        rows = self.check('--no-round-trip')
        self.assertNotIn('round trip', [row['subject'] for row in rows])
        self.assertEqual(
            [],
            [
                each
                for each in self.proxy.log
                if each.method in ('PUT', 'POST', 'DELETE')
            ],
        )

    def test_with_a_seed(self) -> None:
        name = self.container
        self.assertEqual(
            [],
            self.bad(
                '--no-round-trip', swift_store_multiple_containers_seed=1
            ),
        )
        self.container = f'{name}_a'
        self.addCleanup(self.cloud.release_container, self.container)
        self.cloud.connection().put_container(self.container)
        self.container = name
        self.assertEqual(
            [],
            self.bad(
                '--no-round-trip', swift_store_multiple_containers_seed=1
            ),
        )
        self.assert_found(
            'container',
            'warning',
            'only those listed',
            self.bad(
                '--no-round-trip',
                swift_store_multiple_containers_seed=1,
                swift_store_create_container_on_put=False,
            ),
        )

    def test_a_stock_store_before_it_moves_over(self) -> None:
        config = self.config(
            'old:swift',
            old={
                'swift_store_large_object_chunk_size': 200,
                'swift_buffered_dir': self.buffers,
            },
        )
        code, rows = self.rows(
            config, 'check', '--backend', 'old', '--uploads', '1'
        )
        self.assertEqual((0, 'old'), (code, rows[-1]['store']), str(rows))
        code, _, err = self.command(config, 'check')
        self.assertEqual(2, code)
        self.assertIn('--backend old', err)

    def test_a_table(self) -> None:
        config = self.config(fast={'swift_buffer_on_upload': 1})
        for form, says in (
            ('text', '  -> remove swift_buffer_on_upload'),
            ('table', '| What to change'),
        ):
            done = self.process(
                'check',
                '--uploads',
                '1',
                '--format',
                form,
                '--config-file',
                config,
            )
            self.assertEqual((0, ''), (done.returncode, done.stderr))
            self.assertIn(says, done.stdout)
            self.assertNotIn(self.cloud.site.glance.password, done.stdout)

    def test_quiet(self) -> None:
        """cron has nothing to send."""
        for form in ('text', 'table', 'csv'):
            done = self.process(
                'check',
                '--quiet',
                '--uploads',
                '1',
                '-f',
                form,
                '--config-file',
                self.config(),
            )
            self.assertEqual(
                (0, '', ''), (done.returncode, done.stderr, done.stdout)
            )

    def test_the_buffers_of_the_round_trip(self) -> None:
        """A quota file of this user would turn glance-api's buffering off."""
        used: list[Any] = []
        true_make = driver.Store

        def make(*args: Any) -> Any:
            store = true_make(*args)
            used.append(store)
            return store

        with mock.patch.object(driver, 'Store', make):
            self.assertEqual([], self.bad(swift_buffered_disk_quota=1176))
        [store] = used
        directory = store.settings().directory
        self.assertEqual(self.buffers, os.path.dirname(directory))
        self.assertFalse(os.path.exists(directory))

    def test_a_warning_of_the_driver_is_not_told_beside_it(self) -> None:
        done = self.process(
            'check',
            '--no-round-trip',
            '--config-file',
            self.config(fast={'swift_buffered_dir': '/nowhere'}),
        )
        self.assertEqual((1, ''), (done.returncode, done.stderr))


class TestAccount(Case):
    def section(self, text: str) -> dict[str, Any]:
        path = Path(self.useFixture(fixtures.TempDir()).path, 'swift.conf')
        # glance_store warns that it does not need the version any more.
        path.write_text(text.replace('auth_version = 3\n', ''))
        return {
            'swift_store_config_file': path,
            'swift_store_user': None,
            'swift_store_key': None,
            'swift_store_auth_address': None,
        }

    def test_in_a_file(self) -> None:
        rows = self.check(
            '--no-round-trip', **self.section(self.cloud.config_file())
        )
        self.assertEqual({'ok'}, {row['result'] for row in rows}, str(rows))
        self.assertIn('credentials', [row['subject'] for row in rows])

    def test_in_a_file_that_can_not_be_read(self) -> None:
        """It is told once, and Keystone is not asked."""
        good = self.cloud.config_file()
        for text, says in (
            (good.replace('key = ', 'key = s3%'), '%'),
            ('\ufeff' + good, 'byte order mark'),
            (good.replace('ref1', 'ref2'), 'lacks'),
        ):
            self.assert_found(
                'credentials', 'error', says, self.bad(**self.section(text))
            )
        self.assertEqual([], self.cloud.keystone_proxy.log)

    def test_a_key_in_quotes(self) -> None:
        good = self.cloud.config_file()
        password = self.cloud.site.glance.password
        self.assert_found(
            'credentials',
            'warning',
            'quotes',
            self.bad(**self.section(good.replace(password, f'"{password}"'))),
        )

    def test_a_key_that_no_location_takes(self) -> None:
        self.assert_found(
            'credentials',
            'error',
            'swift_store_key',
            self.bad(swift_store_key='s3:cret'),
        )

    def test_hashing_algorithm(self) -> None:
        config = self.config()
        with open(config) as file:
            text = file.read()
        Path(config).write_text(
            text.replace(
                '[DEFAULT]', '[DEFAULT]\nhashing_algorithm = shake_256'
            )
        )
        code, rows = self.rows(
            config, 'check', '--no-round-trip', '--uploads', '1'
        )
        self.assertEqual(1, code)
        [found] = [row['found'] for row in rows if row['result'] == 'error']
        self.assertIn('shake_256', found)


class TestKeystone(Case):
    def test_wrong_password(self) -> None:
        bad = self.bad(swift_store_key='wrong')
        self.assert_found('keystone', 'error', '401', bad)
        self.assertEqual([], self.proxy.log)

    def test_wrong_user(self) -> None:
        self.assert_found(
            'credentials',
            'error',
            'project:glance',
            self.bad(swift_store_user='glance'),
        )

    def test_asked_once(self) -> None:
        """Who waits for a check wants to hear of the first failure."""
        self.cloud.keystone_proxy.add(
            faults.Rule(faults.Status(code=503), 'POST', times=None)
        )
        self.assert_found('keystone', 'error', 'tried once', self.bad())
        self.assertEqual(1, len(self.cloud.keystone_proxy.log))

    def test_nobody_answers(self) -> None:
        [port] = process.free_ports(1)
        self.assert_found(
            'keystone',
            'error',
            'Connection refused',
            self.bad(swift_store_auth_address=f'http://127.0.0.1:{port}/v3'),
        )

    def test_no_credentials(self) -> None:
        self.assert_found(
            'credentials',
            'error',
            'auth_address',
            self.bad(swift_store_auth_address=None),
        )
        [(subject, result, _)] = self.bad(
            swift_store_config_file='/nowhere',
            swift_store_user=None,
            swift_store_key=None,
            swift_store_auth_address=None,
        )
        self.assertEqual(('credentials', 'error'), (subject, result))

    def test_no_endpoint(self) -> None:
        self.assert_found(
            'endpoint',
            'error',
            'in region nowhere',
            self.bad(swift_store_region='nowhere'),
        )


class TestSwift(Case):
    shares_tokens = True

    def test_no_container(self) -> None:
        bad = self.bad(
            '--no-round-trip', swift_store_create_container_on_put=False
        )
        self.assert_found('container', 'error', 'does not exist', bad)

    def versioned(self, headers: dict[str, str]) -> str:
        """A container with these headers, and the finding of it."""
        name = self.new_container()
        self.cloud.connection().put_container(name, headers=headers)
        bad = self.bad('--no-round-trip', swift_store_container=name)
        self.assert_found('container', 'warning', 'is versioned', bad)
        return name

    def archive(self) -> str:
        """A container for the versions of another one's objects."""
        name = self.new_container()
        self.cloud.connection().put_container(name)
        return name

    @base.swift_only('has no X-Versions-Enabled, no X-History-Location')
    def test_history(self) -> None:
        self.versioned({'X-Versions-Enabled': 'true'})
        name = self.versioned({'X-History-Location': self.archive()})
        # The advice helps.
        self.cloud.connection().post_container(
            name, {'X-Remove-History-Location': 'x'}
        )
        self.assertEqual(
            [], self.bad('--no-round-trip', swift_store_container=name)
        )

    def test_versions(self) -> None:
        name = self.versioned({'X-Versions-Location': self.archive()})
        self.cloud.connection().post_container(
            name, {'X-Remove-Versions-Location': 'x'}
        )
        self.assertEqual(
            [], self.bad('--no-round-trip', swift_store_container=name)
        )

    def test_a_user_without_a_role(self) -> None:
        for method in ('HEAD', 'GET', 'PUT', 'POST'):
            self.proxy.add(
                faults.Rule(
                    faults.Status(code=403), method, '/AUTH_', times=None
                )
            )
        bad = self.bad()
        self.assertEqual(
            [('container', 'error'), ('round trip', 'error')],
            [each[:2] for each in bad],
        )

    def test_no_info(self) -> None:
        self.useFixture(fresh.Info())
        self.proxy.add(
            faults.Rule(faults.Status(code=404), 'GET', '/info', times=None)
        )
        self.assert_found(
            'limits', 'warning', '/info', self.bad('--no-round-trip')
        )

    def test_info_is_refused(self) -> None:
        for code in (401, 403):
            self.useFixture(fresh.Info())
            self.proxy.add(
                faults.Rule(
                    faults.Status(code=code), 'GET', '/info', times=None
                )
            )
            self.assert_found(
                'limits',
                'warning',
                'refused: GET of /info',
                self.bad('--no-round-trip'),
            )
            self.proxy.clear()

    def test_asked_once(self) -> None:
        self.proxy.add(
            faults.Rule(
                faults.Status(code=503),
                'HEAD',
                f'/{self.container}$',
                times=None,
            )
        )
        self.assert_found(
            'container', 'error', 'tried once', self.bad('--no-round-trip')
        )
        self.assertEqual(
            1, len([each for each in self.proxy.log if each.method == 'HEAD'])
        )

    def test_segments_too_large(self) -> None:
        bad = self.bad(
            '--no-round-trip',
            swift_buffered_dir='/nowhere',
            swift_store_large_object_chunk_size=6000,
        )
        self.assertIn(('limits', 'error'), [each[:2] for each in bad])

    @base.swift_only('has no limit of the rate')
    def test_small_segments(self) -> None:
        """They are served slowly to others alone."""
        [found] = [
            row['found']
            for row in self.check(
                '--no-round-trip', swift_store_large_object_chunk_size=1
            )
            if (row['subject'], row['result']) == ('download rate', 'ok')
        ]
        self.assertIn('1000.0 KiB a second', found)

    def test_what_is_stored_is_wrong(self) -> None:
        self.proxy.add(
            faults.Rule(faults.FlipByte(5), 'PUT', '/00000001', times=None)
        )
        bad = self.bad()
        self.assert_found('round trip', 'error', 'upload', bad)
        self.assertEqual([], self.listing())

    def test_what_comes_back_is_wrong(self) -> None:
        """All of the image but its end, or of the part."""
        for wanted in ('whole', 'part'):
            true_get = as_glance.GlanceStore.get

            def get(
                made: as_glance.GlanceStore,
                uri: str,
                *part: int,
                wanted: str = wanted,
            ) -> bytes:
                back = true_get(made, uri, *part)
                return back[:-1] if bool(part) == (wanted == 'part') else back

            with mock.patch.object(as_glance.GlanceStore, 'get', get):
                self.assert_found(
                    'round trip', 'error', 'download', self.bad()
                )
            self.assertEqual([], self.listing())

    def test_what_can_not_be_read(self) -> None:
        self.proxy.add(
            faults.Rule(
                faults.Status(code=403),
                'GET',
                f'/{self.container}/',
                times=None,
            )
        )
        self.assert_found('round trip', 'error', 'download', self.bad())
        self.assertEqual([], self.listing())

    def test_what_can_not_be_deleted(self) -> None:
        for method in ('DELETE', 'POST'):
            self.proxy.add(
                faults.Rule(faults.Status(code=403), method, times=None)
            )
        self.assert_found('round trip', 'error', 'delete', self.bad())


class TestHere(Case):
    """What has nothing to do with Swift."""

    shares_tokens = True

    def test_no_directory(self) -> None:
        bad = self.bad('--no-round-trip', swift_buffered_dir='/nowhere')
        self.assert_found('buffer directory', 'error', '/nowhere', bad)

    def test_a_round_trip_without_a_buffer(self) -> None:
        bad = self.bad(swift_buffered_dir='/nowhere')
        self.assert_found('buffer directory', 'error', '/nowhere', bad)

    def test_quota_too_small(self) -> None:
        for quota, result in (
            (195, 'error'),
            (196, 'warning'),
            (1175, 'warning'),
        ):
            bad = self.bad('--no-round-trip', swift_buffered_disk_quota=quota)
            self.assert_found('buffer room', result, 'quota', bad)
        self.assertEqual(
            [], self.bad('--no-round-trip', swift_buffered_disk_quota=1176)
        )

    def test_more_uploads_than_fit(self) -> None:
        bad = self.bad('--uploads', '2000000', '--no-round-trip')
        self.assert_found('buffer room', 'warning', 'unbuffered', bad)

    def test_options(self) -> None:
        bad = self.bad(
            '--no-round-trip',
            swift_buffer_on_upload=True,
            swift_upload_buffer_dir=self.buffers,
        )
        self.assertEqual(
            [('options', 'warning')] * 2, [each[:2] for each in bad]
        )

    def test_a_name_that_nobody_reads(self) -> None:
        bad = self.bad('--no-round-trip', swift_buffered_thread=3)
        self.assert_found(
            'options',
            'warning',
            'swift_buffered_thread is not read in [fast]',
            bad,
        )

    def test_options_for_all_stores(self) -> None:
        config = self.config(
            fast={'swift_store_retry_get_count': None},
            backend_defaults={'swift_store_retry_get_count': 3},
        )
        code, rows = self.rows(
            config, 'check', '--no-round-trip', '--uploads', '1'
        )
        self.assertEqual(0, code)
        self.assertEqual(
            ['warning'],
            [row['result'] for row in rows if row['result'] != 'ok'],
        )

    def test_strict(self) -> None:
        self.check('--no-round-trip', swift_buffer_on_upload=True)
        self.assertEqual(0, self.code)
        self.check('--no-round-trip', '--strict', swift_buffer_on_upload=True)
        self.assertEqual(1, self.code)


class TestAll(Case):
    def test_one_failure_does_not_hide_another(self) -> None:
        bad = self.bad(
            swift_store_key='wrong',
            swift_buffered_dir='/nowhere',
            swift_buffered_disk_quota=1,
            swift_buffer_on_upload=True,
        )
        self.assertEqual(
            [
                ('options', 'warning'),
                ('buffer directory', 'error'),
                ('buffer room', 'error'),
                ('keystone', 'error'),
            ],
            [each[:2] for each in bad],
        )

    def test_several_stores(self) -> None:
        config = self.config(
            'fast:swift+buffered,other:swift+buffered',
            fast={'swift_store_key': 'wrong'},
        )
        code, rows = self.rows(config, 'check', '--uploads', '1')
        self.assertEqual(1, code)
        self.assertEqual(
            {'fast'},
            {row['store'] for row in rows if row['result'] == 'error'},
        )
        self.assertEqual('*', rows[0]['store'])
        self.assertIn(
            ('other', 'round trip'),
            {(row['store'], row['subject']) for row in rows},
        )


class TestTenants(Case):
    options = Case.options | {'swift_store_multi_tenant': True}

    def test_a_round_trip_in_the_users_own_project(self) -> None:
        for trusts in (True, False):
            bad = self.bad(swift_store_use_trusts=trusts)
            self.assertEqual(
                [] if trusts else ['options'],
                [each[0] for each in bad],
                str(bad),
            )
        _, containers = self.cloud.connection().get_account(
            prefix=self.container
        )
        self.assertEqual([], containers)

    def test_no_container_may_be_created(self) -> None:
        bad = self.bad(
            '--no-round-trip', swift_store_create_container_on_put=False
        )
        self.assert_found('container', 'error', 'none may be created', bad)

    def test_with_a_file_of_accounts(self) -> None:
        path = Path(self.useFixture(fixtures.TempDir()).path, 'swift.conf')
        path.write_text(self.cloud.config_file())
        bad = self.bad(
            '--no-round-trip',
            swift_store_config_file=path,
            default_swift_reference='ref1',
            swift_store_user=None,
            swift_store_key=None,
            swift_store_auth_address=None,
        )
        self.assert_found('options', 'error', 'exclude each other', bad)
