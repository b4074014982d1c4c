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

"""What is built of this tree, and environments to install it into."""

from collections.abc import Mapping
import email
from email import message
import os
from pathlib import Path
import shutil
import subprocess
import sys
import venv
import zipfile

ROOT = Path(__file__).parents[3]

#: More than an install of Glance takes on a slow machine.
_SECONDS = 900


class Failed(Exception):
    """A command failed; the message is its output."""


def run(
    *command: object,
    directory: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a command; gives its standard output.

    :param environment: variables that it gets beside the others
    :raises Failed: it returned another status than 0
    """
    done = subprocess.run(
        [str(part) for part in command],
        text=True,
        cwd=directory,
        capture_output=True,
        env=os.environ | (environment or {}),
        timeout=_SECONDS,
    )
    if done.returncode:
        raise Failed(f'{command}: {(done.stdout + done.stderr)[-4000:]}')
    return done.stdout


def build(into: Path) -> tuple[Path, Path]:
    """Build the sdist and, from it, the wheel."""
    run(sys.executable, '-m', 'build', '--outdir', into, ROOT)
    (sdist,) = into.glob('*.tar.gz')
    (wheel,) = into.glob('*.whl')
    return sdist, wheel


def copy(into: Path) -> Path:
    """Copy the files of this tree that git knows, without its metadata."""
    for name in run('git', 'ls-files').splitlines():
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return into


def checkout(into: Path) -> Path:
    """The files of this tree in a git repository of their own."""
    copy(into)
    author = ('-c', 'user.name=test', '-c', 'user.email=test@example.org')
    for command in (
        ('init', '--quiet'),
        ('add', '--all'),
        (*author, 'commit', '--quiet', '--message', 'All'),
    ):
        run('git', *command, directory=into)
    return into


def install(source: Path, target: Path, **environment: str) -> str:
    """Install the package alone into a directory; gives what pip says.

    :param environment: variables that the build gets beside the others
    """
    return run(
        sys.executable,
        '-m',
        'pip',
        'install',
        '--no-deps',
        '--no-cache-dir',
        '--quiet',
        '--target',
        target,
        source,
        environment=environment,
    )


def release(tree: Path, tag: str, commits: int = 0) -> None:
    """Make a tree a git repository with a release.

    :param commits: made since
    """
    git = ('git', '-c', 'user.name=n', '-c', 'user.email=n@example.org')
    run('git', 'init', '--quiet', directory=tree)
    run('git', 'add', '--all', '--force', directory=tree)
    run(*git, 'commit', '--quiet', '-m', 'first', directory=tree)
    run(*git, 'tag', '-a', '-m', tag, tag, directory=tree)
    for _ in range(commits):
        run(
            *git,
            'commit',
            '--quiet',
            '--allow-empty',
            '-m',
            'next',
            directory=tree,
        )


def archive(into: Path, tag: str, commits: int) -> Path:
    """Pack this tree with "git archive" and unpack it again."""
    tree = copy(into / 'tree')
    release(tree, tag, commits)
    run(
        'git',
        'archive',
        '--prefix',
        'unpacked/',
        '--output',
        into / 'packed.tar',
        'HEAD',
        directory=tree,
    )
    run('tar', '--extract', '--file', into / 'packed.tar', directory=into)
    return into / 'unpacked'


def installed(source: Path) -> message.Message:
    """The metadata under which a tree is installed."""
    into = source.with_name(source.name + '-dist')
    run(sys.executable, '-m', 'build', '--wheel', '--outdir', into, source)
    (wheel,) = into.iterdir()
    return metadata(wheel)


def metadata(wheel: Path) -> message.Message:
    """What a wheel tells of itself."""
    with zipfile.ZipFile(wheel) as packed:
        (name,) = (
            name
            for name in packed.namelist()
            if name.endswith('.dist-info/METADATA')
        )
        return email.message_from_bytes(packed.read(name))


class Environment:
    """A virtual environment that has pip alone."""

    def __init__(self, where: Path) -> None:
        self.bin = where / 'bin'
        venv.create(where, with_pip=True)

    def python(self, *arguments: object) -> str:
        """Run its interpreter, out of reach of this tree."""
        return run(self.bin / 'python', '-I', *arguments, directory=self.bin)

    def install(self, *what: object) -> None:
        """Install packages."""
        self.python(
            '-m',
            'pip',
            'install',
            '--disable-pip-version-check',
            '--quiet',
            *what,
        )

    def check(self) -> str:
        """What pip finds wrong with the packages' requirements."""
        return self.python('-m', 'pip', 'check', '--disable-pip-version-check')
