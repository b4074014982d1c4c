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

"""The devstack plugin: what it writes, in the order of stack.sh."""

import configparser
import subprocess

from oslotest import base

from glance_store_bufswift.buffer import quota
from glance_store_bufswift.tests.programs.devstack import machine


class TestCase(base.BaseTestCase):
    def devstack(self, localrc: str = '', rest: str = '') -> machine.Devstack:
        return self.useFixture(machine.Devstack(localrc, rest))

    def stacked(self, localrc: str = '', rest: str = '') -> machine.Devstack:
        """A machine on which stack.sh has run."""
        made = self.devstack(localrc, rest)
        self.check(made.run('stack'))
        return made

    def check(self, done: subprocess.CompletedProcess[str]) -> None:
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual('', done.stderr)


class TestStack(TestCase):
    def test_default_store(self) -> None:
        made = self.stacked()
        config = made.read()
        self.assertEqual(
            'bufswift:swift+buffered', config['DEFAULT']['enabled_backends']
        )
        self.assertEqual('bufswift', config['glance_store']['default_backend'])

    def test_section(self) -> None:
        made = self.stacked()
        self.assertEqual(
            {
                'swift_store_config_file': str(
                    made.glance_api_conf.with_name('glance-swift-store.conf')
                ),
                'default_swift_reference': 'ref1',
                'swift_store_create_container_on_put': 'True',
                'swift_store_container': 'glance',
                'swift_store_large_object_chunk_size': '20',
                'swift_buffered_dir': str(made.buffers),
                'swift_buffered_disk_quota': '2048',
            },
            made.read()['bufswift'],
        )

    def test_account(self) -> None:
        made = self.stacked()
        self.assertEqual(
            {
                'ref1': {
                    'user': 'service:glance-swift',
                    'key': 'secret',
                    'auth_address': 'http://127.0.0.1/identity/v3',
                    'auth_version': '3',
                    'project_domain_id': 'default',
                    'user_domain_id': 'default',
                }
            },
            made.read(
                made.glance_api_conf.with_name('glance-swift-store.conf')
            ),
        )

    def test_reserved_stores(self) -> None:
        """Import needs them, and lib/glance writes them for several stores."""
        self.assertLessEqual(
            {'os_glance_staging_store', 'os_glance_tasks_store'},
            set(self.stacked().read()),
        )

    def test_buffer_directory(self) -> None:
        made = self.stacked()
        self.assertEqual(0o40700, made.buffers.stat().st_mode)

    def test_installs_this_tree(self) -> None:
        made = self.stacked()
        self.assertIn(f'setup_develop {machine.PLUGIN.parent}', made.calls)

    def test_order(self) -> None:
        made = self.stacked()
        self.assertEqual(
            [
                'stack pre-install',
                'stack install',
                'stack post-config',
                'stack extra',
                'stack test-config',
            ],
            [
                call.removeprefix('plugin ')
                for call in made.calls
                if call.startswith('plugin ')
            ],
        )

    def test_certificates(self) -> None:
        made = self.stacked('enable_service tls-proxy')
        self.assertEqual(
            str(made.top / 'ca-bundle.pem'),
            made.read()['bufswift']['swift_store_cacert'],
        )

    def test_twice(self) -> None:
        """The files stay from one run of stack.sh to the next."""
        made = self.stacked()
        first = made.read()
        self.check(made.run('stack'))
        self.assertEqual(first, made.read())

    def test_beside_other_stores(self) -> None:
        """lib/glance may have written some, for Cinder or S3."""
        made = self.devstack()
        made.glance_api_conf.parent.mkdir(parents=True)
        made.glance_api_conf.write_text(
            '[DEFAULT]\nenabled_backends = lvm:cinder, disk:file\n'
            '[glance_store]\ndefault_backend = lvm\n'
        )
        self.check(made.run('stack'))
        config = made.read()
        self.assertEqual(
            'bufswift:swift+buffered,lvm:cinder,disk:file',
            config['DEFAULT']['enabled_backends'],
        )
        self.assertEqual('bufswift', config['glance_store']['default_backend'])


class TestSettings(TestCase):
    """What local.conf says wins."""

    def test_localrc(self) -> None:
        made = self.stacked(
            'GLANCE_BUFSWIFT_STORE=fast\n'
            'GLANCE_BUFSWIFT_CONTAINER=images\n'
            'GLANCE_BUFSWIFT_DIR=$DEST/elsewhere\n'
            'GLANCE_BUFSWIFT_DISK_QUOTA=0\n'
            'GLANCE_BUFSWIFT_SEGMENT_SIZE=200\n'
        )
        config = made.read()
        self.assertEqual(
            'fast:swift+buffered', config['DEFAULT']['enabled_backends']
        )
        self.assertEqual('fast', config['glance_store']['default_backend'])
        self.assertNotIn('bufswift', config)
        section = config['fast']
        self.assertEqual('images', section['swift_store_container'])
        self.assertEqual(
            str(made.top / 'elsewhere'), section['swift_buffered_dir']
        )
        self.assertTrue((made.top / 'elsewhere').is_dir())
        self.assertFalse(made.buffers.exists())
        self.assertEqual('0', section['swift_buffered_disk_quota'])
        self.assertEqual('200', section['swift_store_large_object_chunk_size'])

    def test_not_the_default_store(self) -> None:
        made = self.stacked('GLANCE_BUFSWIFT_DEFAULT=no')
        config = made.read()
        self.assertEqual(
            'bufswift:swift+buffered', config['DEFAULT']['enabled_backends']
        )
        self.assertNotIn('glance_store', config)

    def test_post_config(self) -> None:
        rest = '\n'.join(
            [
                '[[post-config|$GLANCE_API_CONF]]',
                '[DEFAULT]',
                'enabled_backends = bufswift:swift+buffered, disk:file',
                '[bufswift]',
                'swift_buffered_threads = 2',
                'swift_buffered_disk_quota = 512',
                '[disk]',
                'filesystem_store_datadir = $DATA_DIR/glance/images',
                '[[post-config|$GLANCE_SWIFT_STORE_CONF]]',
                '[ref1]',
                'user = admin:admin',
            ]
        )
        made = self.stacked(rest=rest)
        for _ in range(2):
            config = made.read()
            self.assertEqual(
                'bufswift:swift+buffered, disk:file',
                config['DEFAULT']['enabled_backends'],
            )
            section = config['bufswift']
            self.assertEqual('2', section['swift_buffered_threads'])
            self.assertEqual('512', section['swift_buffered_disk_quota'])
            self.assertEqual('glance', section['swift_store_container'])
            self.assertEqual(
                str(made.top / 'data/glance/images'),
                config['disk']['filesystem_store_datadir'],
            )
            account = made.read(
                made.glance_api_conf.with_name('glance-swift-store.conf')
            )
            self.assertEqual('admin:admin', account['ref1']['user'])
            self.assertEqual('secret', account['ref1']['key'])
            self.check(made.run('stack'))


class TestRefused(TestCase):
    """What can't work ends stack.sh early, and says what to change."""

    def refused(self, localrc: str) -> str:
        made = self.devstack(localrc)
        done = made.run('stack')
        self.assertNotEqual(0, done.returncode)
        self.assertEqual(['plugin stack pre-install'], made.calls)
        self.assertFalse(made.glance_api_conf.exists())
        return done.stderr

    def test_without_swift(self) -> None:
        self.assertIn(
            'needs the services g-api and s-proxy',
            self.refused('disable_service s-proxy'),
        )

    def test_without_glance(self) -> None:
        self.assertIn(
            'needs the services g-api and s-proxy',
            self.refused('disable_service g-api'),
        )

    def test_with_a_single_store(self) -> None:
        self.assertIn(
            'unset GLANCE_ENABLE_MULTIPLE_STORES',
            self.refused('GLANCE_ENABLE_MULTIPLE_STORES=False'),
        )

    def test_name_that_is_a_pattern(self) -> None:
        for name in ('swift+buffered', 'a.b', 'a b', '"[x]"'):
            self.assertIn(
                'GLANCE_BUFSWIFT_STORE may have',
                self.refused(f"GLANCE_BUFSWIFT_STORE='{name}'"),
            )


class TestUnstack(TestCase):
    def test_forgets_the_store(self) -> None:
        made = self.stacked()
        self.check(made.run('unstack'))
        config = made.read()
        self.assertNotIn('enabled_backends', config['DEFAULT'])
        self.assertNotIn('default_backend', config['glance_store'])
        self.assertEqual('True', config['DEFAULT']['debug'])

    def test_keeps_others(self) -> None:
        rest = (
            '[[post-config|$GLANCE_API_CONF]]\n[DEFAULT]\n'
            'enabled_backends = bufswift:swift+buffered, disk:file\n'
            '[glance_store]\ndefault_backend = disk\n'
        )
        made = self.stacked(rest=rest)
        self.check(made.run('unstack'))
        config = made.read()
        self.assertEqual('disk:file', config['DEFAULT']['enabled_backends'])
        self.assertEqual('disk', config['glance_store']['default_backend'])

    def test_and_stack_again(self) -> None:
        made = self.stacked()
        first = made.read()
        self.check(made.run('unstack'))
        self.check(made.run('stack'))
        self.assertEqual(first, made.read())

    def test_before_stack(self) -> None:
        made = self.devstack()
        self.check(made.run('unstack'))
        self.assertFalse(made.glance_api_conf.exists())


class TestClean(TestCase):
    def test_removes_the_buffer_directory(self) -> None:
        made = self.stacked()
        (made.buffers / quota.FILE_NAME).touch()
        self.check(made.run('unstack'))
        self.check(made.run('clean'))
        self.assertFalse(made.buffers.exists())

    def test_keeps_what_is_not_ours(self) -> None:
        """The directory may be any of the operator's."""
        made = self.stacked()
        (made.buffers / quota.FILE_NAME).touch()
        (made.buffers / 'other').touch()
        self.check(made.run('clean'))
        self.assertEqual(
            ['other'], [path.name for path in made.buffers.iterdir()]
        )

    def test_before_stack(self) -> None:
        self.check(self.devstack().run('clean'))


class TestFunctions(TestCase):
    """The stand-ins of devstack's functions."""

    def test_reader_is_strict(self) -> None:
        made = self.devstack()
        made.local_conf.write_text('[a]\nb = 1\nb = 2\n')
        self.assertRaises(
            configparser.DuplicateOptionError, made.read, made.local_conf
        )
