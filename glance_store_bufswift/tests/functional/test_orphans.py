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

"""``glance-bufswift orphans``: what killed uploads leave in Swift."""

import datetime
import json
from typing import Any
from unittest import mock
import uuid


from glance_store_bufswift import layout
from glance_store_bufswift.orphans import attempts
from glance_store_bufswift.swift import connections
from glance_store_bufswift.swift import listings
from glance_store_bufswift.tests.functional import base
from glance_store_bufswift.tests.functional import orphans
from glance_store_bufswift.tests.functional import uploaders
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import streams

SEGMENT = orphans.SEGMENT
DAY = orphans.DAY
MIDDLE = orphans.MIDDLE
BOTH = 'fast:swift+buffered,stock:swift'


class TestKilled(orphans.Case):
    """A process is killed in mid-upload, another upload goes on."""

    def uploader(self) -> uploaders.Uploader:
        return self.useFixture(uploaders.Uploader(self.sections(BOTH)))

    def test_its_orphans_go_and_nothing_else(self) -> None:
        size = 4 * SEGMENT + 5
        data = streams.image(size, seed=7)
        whole = self.stores(BOTH)
        kept = [
            (whole.add(str(uuid.uuid4()), streams.Stream(data), 0, name), name)
            for name in ('fast', 'stock')
        ]
        killed, running = self.uploader(), self.uploader()
        dead = [
            killed.begin(size, at=MIDDLE, store=name)
            for name in ('fast', 'stock')
        ]
        for image in dead:
            killed.reached(image)
            self.wait_for(image, 2)
        killed.kill()
        # Of the same age as the dead one's by the name of its attempt, but
        # its newest segment is younger.
        alive = running.begin(size, 7, at=MIDDLE)
        running.reached(alive)
        self.wait_for(alive, 2)
        self.set_clock(max(map(self.newest, dead)) + DAY)
        self.check(self.config(BOTH), dead, alive)
        running.go(alive)
        answer = running.done(alive)
        self.assertEqual(data, whole.get(answer[0]))
        for stored, name in kept:
            self.assertEqual(data, whole.get(stored[0], name))
        self.set_clock(
            datetime.datetime.now(datetime.timezone.utc) + orphans.LATER
        )
        self.assertEqual([], self.found(self.config(BOTH)))

    def check(self, config: str, dead: list[str], alive: str) -> None:
        before = self.listing()
        segments = {image: self.listing(image) for image in dead}
        code, rows = self.rows(config, 'orphans', 'list')
        self.assertEqual(1, code)
        self.assertEqual(
            {image: (2, 2 * SEGMENT) for image in dead},
            {row['image']: (row['segments'], row['bytes']) for row in rows},
        )
        code, rows = self.rows(config, 'orphans', 'delete')
        self.assertEqual(
            (1, 2 * ['would be deleted']),
            (code, [row['result'] for row in rows]),
        )
        self.assertEqual(before, self.listing())
        code, rows = self.rows(config, 'orphans', 'delete', '--yes')
        self.assertEqual(
            (0, 2 * ['deleted']), (code, [row['result'] for row in rows])
        )
        self.assertEqual(
            [
                name
                for name in before
                if name not in segments[dead[0]]
                and name not in segments[dead[1]]
            ],
            self.listing(),
        )
        self.assertEqual(2, len(self.listing(alive)))
        self.assertEqual((0, []), self.rows(config, 'orphans', 'list'))


class TestReferred(orphans.Case):
    """What any manifest refers to is kept."""

    def test_whatever_the_manifest(self) -> None:
        config = self.config()
        for stock in (False, True):
            prefix = self.put_segments(stock)
            others = [
                ('backup', b'', prefix),
                ('zzz', b'a body', prefix),
                (f'{uuid.uuid4()}-00001', b'', prefix),
                ('0', b'', prefix[:9]),
                ('0', b'', f'{prefix}0000'),
            ]
            for name, data, target in others:
                self.assertEqual([prefix], self.found(config))
                self.put(
                    name,
                    data,
                    X_Object_Manifest=(f'{self.container}/{target}'),
                )
                self.assertEqual([], self.found(config), name)
                code, rows = self.rows(config, 'orphans', 'delete', '--yes')
                self.assertEqual((0, []), (code, rows))
                self.cloud.connection().delete_object(self.container, name)
            self.assertEqual([prefix], self.found(config))
            code, _ = self.rows(config, 'orphans', 'delete', '--yes')
            self.assertEqual(0, code)
            self.assertEqual([], self.listing())

    @base.swift_only('does not tell what an SLO is made of')
    def test_static_large_objects(self) -> None:
        prefix = self.put_segments(stock=True)
        name = self.listing(prefix)[0]
        self.cloud.connection().put_object(
            self.container,
            'slo',
            json.dumps([{'path': f'/{self.container}/{name}'}]),
            query_string='multipart-manifest=put',
        )
        self.assertEqual([], self.found(self.config()))
        self.cloud.connection().delete_object(self.container, 'slo')
        self.assertEqual([prefix], self.found(self.config()))

    def test_an_image_replaced_since(self) -> None:
        """Only what the new manifest does not refer to."""
        prefix = self.put_segments()
        image = prefix.partition('/')[0]
        self.put(f'{image}-00001')
        data = streams.image(2 * SEGMENT + 5)
        made = self.stores()
        uri = made.add(image, streams.Stream(data))[0]
        config = self.config()
        self.assertEqual(sorted([prefix, f'{image}-']), self.found(config))
        self.rows(config, 'orphans', 'delete', '--yes')
        self.assertEqual(4, len(self.listing()))
        self.assertEqual(data, made.get(uri))


class TestAge(orphans.Case):
    def test_young_ones_are_left(self) -> None:
        prefix = self.put_segments()
        newest = self.newest(prefix)
        config = self.config()
        second = datetime.timedelta(seconds=1)
        hour = datetime.timedelta(hours=1)
        for moment, words, found in (
            (newest + DAY - second, [], []),
            (newest + DAY, [], [prefix]),
            (newest + hour, ['--min-age', '1'], [prefix]),
            (newest + hour - second, ['--min-age', '1'], []),
            (newest + 2 * DAY, ['--min-age', '72'], []),
        ):
            self.set_clock(moment)
            self.assertEqual(found, self.found(config, *words))

    def test_ages_that_make_no_sense(self) -> None:
        for age in ('0', '0.9', '-5', 'nan', 'inf', '1e300', '1e7'):
            code, out, err = self.command(
                self.config(), 'orphans', 'delete', '--yes', f'--min-age={age}'
            )
            self.assertEqual((2, ''), (code, out))
            self.assertIn('--min-age', err)


class TestListing(orphans.Case):
    def test_page_by_page(self) -> None:
        prefixes = [
            self.put_segments(stock=bool(turn % 2), count=4)
            for turn in range(4)
        ]
        data = streams.image(3 * SEGMENT)
        uri = self.stores().add(self.image, streams.Stream(data))[0]
        true_page = connections.Connection.get_container

        def page(connection: Any, *args: Any, **kwargs: Any) -> Any:
            return true_page(connection, *args, **kwargs, limit=3)

        config = self.config()
        with mock.patch.object(connections.Connection, 'get_container', page):
            self.assertEqual(sorted(prefixes), self.found(config))
            code, _ = self.rows(config, 'orphans', 'delete', '--yes')
        self.assertEqual(0, code)
        self.assertEqual(4, len(self.listing()))
        self.assertEqual(data, self.stores().get(uri))

    def test_two_stores_in_one_container(self) -> None:
        """Each orphan is shown once."""
        prefix = self.put_segments()
        self.assertEqual([prefix], self.found(self.config(BOTH)))

    def test_no_container(self) -> None:
        """It is not taken for one without orphans."""
        code, out, err = self.command(self.config(), 'orphans', 'list', '-q')
        self.assertEqual((5, ''), (code, out))
        self.assertIn(f'there is no container {self.container} in ', err)

    def test_containers_with_a_seed(self) -> None:
        name, true_name = f'images-{uuid.uuid4().hex}', self.container
        config = self.config(
            fast={
                'swift_store_container': name,
                'swift_store_multiple_containers_seed': 2,
            }
        )
        first = ''
        for suffix in ('_0a', '_f0', '_other'):
            self.container = name + suffix
            self.addCleanup(self.cloud.release_container, self.container)
            prefix = self.put_segments()
            first = first or prefix
        # A manifest in one container that refers to another.
        self.put(
            'x', b'', f'{name}_f0', X_Object_Manifest=(f'{name}_0a/{first}')
        )
        [found] = self.found(config)
        self.assertEqual(
            [found],
            [
                each.prefix
                for each in attempts.attempts(
                    '', map(listings.Entry, self.cloud.listing(f'{name}_f0'))
                )
            ],
        )
        self.container = true_name


class TestTenants(orphans.Case):
    options = {'swift_store_multi_tenant': True}

    def test_a_projects_account(self) -> None:
        demo = self.cloud.site.demo
        project = self.cloud.tenant_context().project_id
        where = layout.Layout(f'{self.container}_{self.image}', self.image)
        connection = self.cloud.connection(demo)
        connection.put_container(where.container)
        self.addCleanup(
            self.cloud.delete_container, where.container, user=demo
        )
        connection.put_object(where.container, where.segment(1), b'x')
        config = self.config()
        self.assertEqual(
            [where.prefix], self.found(config, '--project', project)
        )
        code, rows = self.rows(
            config, 'orphans', 'delete', '--yes', '--project', project
        )
        self.assertEqual(0, code)
        self.assertEqual(f'AUTH_{project}', rows[0]['account'])
        self.assertEqual([], self.cloud.listing(where.container, user=demo))

    def test_a_user_without_the_reseller_role(self) -> None:
        demo = self.cloud.site.demo
        config = self.config(
            fast={
                'swift_store_user': f'{demo.project}:{demo.name}',
                'swift_store_key': demo.password,
            }
        )
        code, out, err = self.command(
            config, 'orphans', 'list', '--project', uuid.uuid4().hex
        )
        self.assertEqual((2, ''), (code, out))
        self.assertIn('reseller_admin_role', err)

    def test_which_project(self) -> None:
        code, _, err = self.command(self.config(), 'orphans', 'list')
        self.assertEqual(2, code)
        self.assertIn('--project', err)

    def test_a_project_where_there_are_none(self) -> None:
        code, _, err = self.command(
            self.config(fast={'swift_store_multi_tenant': False}),
            'orphans',
            'list',
            '--project',
            'x',
        )
        self.assertEqual(2, code)
        self.assertIn('--project', err)


class TestFailure(orphans.Case):
    def test_swift_does_not_answer(self) -> None:
        """Nothing is deleted when not everything is known."""
        self.put_segments()
        self.put('x', b'')
        before = self.listing()
        config = self.config(fast={'swift_buffered_retries': 1})
        for method, path in (('GET', self.container), ('HEAD', '/x$')):
            self.proxy.clear()
            self.proxy.add(
                faults.Rule(faults.Status(code=503), method, path, times=None)
            )
            code, out, err = self.command(config, 'orphans', 'delete', '--yes')
            self.assertEqual((3, ''), (code, out))
            self.assertIn('503', err)
            self.assertEqual(before, self.listing())

    def test_what_was_deleted_before_is_told(self) -> None:
        prefixes = sorted(self.put_segments() for _ in range(2))
        self.proxy.add(
            faults.Rule(
                faults.Status(code=503),
                'HEAD',
                f'/{prefixes[1].partition("/")[0]}$',
                skip=1,
                times=None,
            )
        )
        code, out, err = self.command(
            self.config(fast={'swift_buffered_retries': 1}),
            'orphans',
            'delete',
            '--yes',
            '--format',
            'json',
        )
        self.assertEqual(3, code)
        self.assertIn('503', err)
        self.assertEqual(
            [(prefixes[0], 'deleted')],
            [(row['prefix'], row['result']) for row in json.loads(out)],
        )

    def test_not_deleted(self) -> None:
        prefix = self.put_segments()
        for method in ('DELETE', 'POST'):
            self.proxy.add(
                faults.Rule(faults.Status(code=403), method, times=None)
            )
        code, rows = self.rows(self.config(), 'orphans', 'delete', '--yes')
        self.assertEqual(1, code)
        self.assertEqual(
            ['not deleted, see the log'], [row['result'] for row in rows]
        )
        self.assertEqual(2, len(self.listing(prefix)))


class TestProcess(orphans.Case):
    """The console script as it is installed."""

    def test_nothing_old_enough(self) -> None:
        self.put_segments()
        done = self.process(
            'orphans', 'delete', '--yes', '--config-file', self.config()
        )
        self.assertEqual(
            (0, 'No orphans.'), (done.returncode, done.stdout.splitlines()[-1])
        )
        self.assertEqual('', done.stderr)
        self.assertEqual(2, len(self.listing()))

    def test_a_table(self) -> None:
        prefix = self.put_segments()
        code, out, err = self.command(self.config(), 'orphans', 'delete')
        self.assertEqual((1, ''), (code, err))
        self.assertIn(f'| {prefix} ', out)
        self.assertIn('say --yes', out.splitlines()[-1])
        self.assertIn('Orphaned: 2 segments, 2 bytes.', out)

    def test_each_step(self) -> None:
        self.put_segments()
        done = self.process(
            'orphans',
            'list',
            '--debug',
            '--config-file',
            self.config(),
            PYTHONWARNINGS='ignore',
        )
        self.assertEqual(0, done.returncode)
        for secret in (self.cloud.site.glance.password, 'gAAAA'):
            self.assertNotIn(secret, done.stdout + done.stderr)

    def test_wrong_password(self) -> None:
        done = self.process(
            'orphans',
            'list',
            '--config-file',
            self.config(fast={'swift_store_key': 'wrong'}),
        )
        self.assertEqual((3, ''), (done.returncode, done.stdout))
        self.assertIn('Keystone', done.stderr)
        self.assertNotIn('Traceback', done.stderr)

    def test_no_configuration(self) -> None:
        for words in (
            ['--config-file', '/nowhere'],
            ['--config-dir', '/no'],
            ['--config-file', self.config(), '--backend', 'other'],
        ):
            done = self.process('orphans', 'list', *words)
            self.assertEqual((2, ''), (done.returncode, done.stdout))
            self.assertIn(words[-1], done.stderr)
            self.assertNotIn('Traceback', done.stderr)

    def test_no_store_in_swift(self) -> None:
        done = self.process(
            'orphans', 'list', '--config-file', self.config('disk:file')
        )
        self.assertEqual(2, done.returncode)
        self.assertIn('swift+buffered', done.stderr)
