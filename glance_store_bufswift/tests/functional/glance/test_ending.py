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

"""Workers of Glance that end in the middle of their work.

They are told to, and do what they have begun: an image is stored whole. One
that is killed leaves what the operator's command finds.
"""

from collections.abc import Iterator
import contextlib
import datetime
import http.client
import os
import re
import signal
import threading

import fixtures

from glance_store_bufswift.tests.functional import commands
from glance_store_bufswift.tests.functional.glance import base
from glance_store_bufswift.tests.functional.glance import imports
from glance_store_bufswift.tests.functional.glance import raw
from glance_store_bufswift.tests.functional.glance import servers
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import leaks
from glance_store_bufswift.tests.support import streams

#: More segments than an upload has under way at a time.
IMAGE = streams.image(5 * base.SEGMENT + 5)

#: Bytes that the client sends before a worker is to end.
MIDDLE = 5 * base.SEGMENT // 2

#: What is logged when a worker waits for its requests, and for its tasks.
UWSGI = r'Gracefully killing worker \d+ \(pid: {}\)'
UWSGI_TASKS = r' {} INFO .*Waiting for remaining threads in pool'
GUNICORN = r'Worker exiting \(pid: {}\)'


class Case(imports.Case):
    """Tests in which a Glance of their own ends, and another one tells."""

    def serve(self, server: str) -> None:
        """Start the Glance that is to end."""
        self.mortal = servers.ending(server)
        self.addCleanup(self.mortal.keeper.close)

    def busy(self) -> int:
        """The worker that works."""
        [pid] = [
            pid
            for pid in self.mortal.workers
            if leaks.files(self.buffers, pid)
        ]
        return pid

    def end(self, signum: int, pid: int, words: str) -> int:
        """Signal a process, and wait until the busy worker ends.

        :param words: a regex that the worker's log has then; `{}` stands for
            its process id
        :returns: that id
        """
        worker = self.busy()
        pattern = words.format(worker)
        os.kill(pid, signum)
        log = self.mortal.server.log
        self.wait_until(
            lambda: bool(re.search(pattern, log.read_text(errors='replace')))
        )
        return worker

    @contextlib.contextmanager
    def halfway(self) -> Iterator[http.client.HTTPConnection]:
        """An upload of which Swift has a part."""
        with raw.begun(
            self.mortal.port,
            self.image,
            self.token(),
            Content_Length=str(len(IMAGE)),
        ) as client:
            client.send(IMAGE[:MIDDLE])
            self.proxy.wait_for(
                lambda log: (
                    2
                    == sum(
                        each.status == 201 and f'/{self.image}/' in each.path
                        for each in log
                    )
                )
            )
            yield client

    def put_ends(self, signum: int, words: str, above: bool = True) -> None:
        """The rest comes when the worker ends.

        :param above: signal the process above the workers, not the worker
        """
        with self.halfway() as client:
            self.end(
                signum, self.mortal.server.pid if above else self.busy(), words
            )
            client.send(IMAGE[MIDDLE:])
            self.assertEqual(204, client.getresponse().status)
        self.assert_active(IMAGE, segments=6)

    def copy_ends(self, signum: int, words: str) -> int:
        """No segment is stored before the worker ends, whose id it gives."""
        self.upload(IMAGE, X_Image_Meta_Store='cheap')
        go = threading.Event()
        self.addCleanup(go.set)
        self.proxy.add(
            faults.Rule(
                faults.Hook(lambda exchange: go.wait()),
                'PUT',
                '/0+\\d$',
                times=None,
            )
        )
        self.bring('copy-image', 'fast', server=self.mortal)
        self.proxy.wait_for(
            lambda log: any(each.path.endswith('/00000001') for each in log)
        )
        worker = self.end(signum, self.mortal.server.pid, words)
        go.set()
        return worker

    def assert_copied(self) -> None:
        """The copy is whole."""
        self.wait_for(stores='cheap,fast', os_glance_importing_to_stores='')
        self.remove('cheap')
        self.assert_active(IMAGE, 'fast', segments=6)


class TestUwsgi(Case):
    """Its workers wait for requests, and for Glance's tasks."""

    def setUp(self) -> None:
        super().setUp()
        self.serve('uwsgi')

    def test_put_recycled(self) -> None:
        self.put_ends(signal.SIGHUP, UWSGI, above=False)

    def test_put_terminated(self) -> None:
        self.put_ends(signal.SIGTERM, UWSGI)

    def test_copy_terminated(self) -> None:
        self.copy_ends(signal.SIGTERM, UWSGI_TASKS)
        self.wait_in('cheap,fast')
        self.assert_copied()


class TestGunicorn(Case):
    """Its workers' main thread ends; Python waits for the other ones."""

    def setUp(self) -> None:
        super().setUp()
        self.serve('gunicorn')

    def test_put_reloaded(self) -> None:
        self.put_ends(signal.SIGHUP, GUNICORN)

    def test_copy_reloaded(self) -> None:
        worker = self.copy_ends(signal.SIGHUP, GUNICORN)
        # The last step of Glance's own task needs a thread that it does not
        # get any more: the record says to the end that it runs.
        self.wait_until(lambda: worker not in self.mortal.workers)
        self.assert_copied()


class TestKilled(Case, commands.Case):
    """What is left is found, and only that."""

    def setUp(self) -> None:
        super().setUp()
        self.serve('uwsgi')
        # The command looks into each store, and that of `small` is new.
        user = servers.customer()
        self.cloud.connection(user).put_container(self.container)
        self.addCleanup(self.cloud.delete_container, self.container, user)
        later = datetime.datetime.now(
            datetime.timezone.utc
        ) + datetime.timedelta(days=100)
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.cmd.orphans.now', lambda *_: later
            )
        )

    def test_put(self) -> None:
        self.assertEqual(204, self.upload(IMAGE).status_code)
        self.addCleanup(self.api().delete, f'/images/{self.image}')
        whole = self.listing()
        self.image = self.create()
        with self.halfway():
            worker = self.busy()
            os.kill(worker, signal.SIGKILL)
            self.wait_until(lambda: worker not in self.mortal.workers)
        self.assert_nothing_runs()
        left = self.listing(self.image)
        self.assertEqual(2, len(left))
        self.assertEqual((1, [(self.image, 2)]), self.orphans('list'))
        self.assertEqual(
            (0, [(self.image, 2)]), self.orphans('delete', '--yes')
        )
        self.assertEqual(whole, self.listing())

    def orphans(self, *words: str) -> tuple[int, list[tuple[str, int]]]:
        """What the command finds: images, and how many segments."""
        code, rows = self.rows(
            str(self.mortal.directory / 'glance-api.conf'), 'orphans', *words
        )
        return code, [(row['image'], row['segments']) for row in rows]
