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

"""Arguments and exit codes."""

import contextlib
from importlib import metadata
import io
import os
from typing import Any
from unittest import mock

import fixtures
from oslotest import base

from glance_store_bufswift.cmd import main
from glance_store_bufswift.cmd import orphans
from glance_store_bufswift.cmd import status
from glance_store_bufswift import errors


class TestMain(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.cmd.config.set_logging_up',
                lambda debug: None,
            )
        )

    def run_with(self, effect: Any) -> tuple[int, str]:
        """Exit code and standard error of a command that ends so."""
        err = io.StringIO()
        with mock.patch.object(
            orphans, 'run', autospec=True, side_effect=effect
        ):
            with contextlib.redirect_stderr(err):
                code = main.main(['orphans', 'list'])
        return code, err.getvalue()

    def refused(self, *words: str) -> str:
        """What argparse says of arguments."""
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            ended = self.assertRaises(SystemExit, main.main, list(words))
        self.assertEqual(status.USAGE, ended.code)
        return err.getvalue()

    def test_exit_codes(self) -> None:
        for effect, code in (
            ([0], 0),
            ([1], 1),
            ([status.IN_DOUBT], 4),
            (errors.ConfigError('why'), 2),
            (errors.RequestFailed('why'), 3),
            (KeyboardInterrupt(), 130),
        ):
            found, err = self.run_with(effect)
            self.assertEqual(code, found)
            self.assertEqual(
                'glance-bufswift: why\n' if code in (2, 3) else '', err
            )

    def test_a_bug_is_not_hidden(self) -> None:
        self.assertRaises(
            ZeroDivisionError, self.run_with, ZeroDivisionError()
        )

    def test_arguments_that_make_no_sense(self) -> None:
        for words in (
            [],
            ['orphans'],
            ['orphans', 'sweep'],
            ['orphans', 'list', '--yes'],
            ['orphans', 'list', '--min-age', 'old'],
            ['check', '--format', 'xml'],
        ):
            self.assertTrue(self.refused(*words))
        for count in ('0', '-1', 'x', ''):
            self.assertIn(
                'not 1 or more', self.refused('check', f'--uploads={count}')
            )
        for project in ('', 'a/b', '../x', 'a?b', 'a b'):
            self.assertIn(
                'not the id',
                self.refused('orphans', 'delete', f'--project={project}'),
            )

    def test_exit_codes_are_explained(self) -> None:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertRaises(SystemExit, main.main, ['--help'])
        for code in range(6):
            self.assertRegex(out.getvalue(), rf'\n  {code}  ')

    def told(self, *words: str) -> str:
        """What is printed instead of a command's output."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            ended = self.assertRaises(SystemExit, main.main, list(words))
        self.assertEqual(0, ended.code)
        return out.getvalue()

    def test_each_command_explains_itself(self) -> None:
        for words in (['check'], ['orphans', 'list'], ['orphans', 'delete']):
            text = self.told(*words, '--help')
            self.assertIn(f'glance-bufswift {" ".join(words)} --', text)
            self.assertIn('exit statuses:\n  0  ', text)

    def test_version(self) -> None:
        self.assertEqual(
            metadata.version('glance_store_bufswift') + '\n',
            self.told('--version'),
        )

    def test_completion(self) -> None:
        self.assertIn('--min-age', self.told('--print-completion', 'bash'))

    def test_closed_pipe(self) -> None:
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, 'w') as out, contextlib.redirect_stdout(out):
            code, err = self.run_with(lambda _: print('x' * 100000))
        self.assertEqual((status.CLOSED, ''), (code, err))

    def test_nothing_is_deleted_by_default(self) -> None:
        for words, yes in (([], False), (['--yes'], True)):
            with mock.patch.object(
                orphans, 'run', autospec=True, return_value=0
            ) as run:
                main.main(['orphans', 'delete', *words])
            self.assertEqual(yes, run.call_args.args[0].yes)
