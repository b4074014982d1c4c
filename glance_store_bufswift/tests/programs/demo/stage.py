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

"""One upload of the demo: a driver, two faults, and what is left."""

from collections.abc import Mapping
import dataclasses
import hashlib
import logging
import os
from pathlib import Path
import time
from typing import Any
import uuid

import fixtures
from glance_store import multi_backend

from glance_store_bufswift.tests.programs.demo import image as images
from glance_store_bufswift.tests.programs.demo import plan as plans
from glance_store_bufswift.tests.programs.demo import screen as screens
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support import stores

#: Seconds for an upload that hangs, and bytes a second for one that does not:
#: the stock driver's connections have no timeout.
_PATIENCE, _SLOWEST = 30, 8 << 20


@dataclasses.dataclass(frozen=True)
class Driver:
    """A driver on the stage.

    :ivar store: the name of its store in the configuration
    :ivar title: what people call it
    :ivar options: what its section has beyond the account
    """

    store: str
    kind: str
    title: str
    options: dict[str, Any]


def drivers(directory: str) -> list[Driver]:
    """Ours, the stock driver, and that with its own way of buffering."""
    return [
        Driver(
            'fast',
            'swift+buffered',
            'swift+buffered',
            {
                'swift_buffered_dir': directory,
                'swift_buffered_min_free_percent': 0,
            },
        ),
        Driver('plain', 'swift', 'swift', {}),
        Driver(
            'spool',
            'swift',
            'swift, buffered',
            {
                'swift_buffer_on_upload': True,
                'swift_upload_buffer_dir': directory,
            },
        ),
    ]


class Summary(logging.Handler):
    """Takes the driver's summary of an upload from its log line."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._last: Mapping[str, Any] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, Mapping) and 'buffered' in record.args:
            self._last = record.args

    def take(self) -> Mapping[str, Any]:
        """The last one, once; empty if there is none."""
        last, self._last = self._last, {}
        return last


class Teller:
    """Tells what the proxy has seen so far, each thing once."""

    def __init__(self, cloud: clouds.Cloud, bar: screens.Progress) -> None:
        self._cloud = cloud
        self._bar = bar
        self._told: set[str] = set()
        self._next = 0.0

    def look(self, now: bool = False) -> None:
        """Tell what is new; ten times a second at most, but `now`."""
        if not now and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 0.1
        for line in plans.Story(self._cloud.swift_proxy.log).lines:
            if line not in self._told:
                self._told.add(line)
                self._bar.note(line)


class Stage(fixtures.Fixture):
    """All drivers in one configuration of glance_store, and their cloud.

    :param plan: how the image is cut, where the faults are
    """

    def __init__(
        self,
        cloud: clouds.Cloud,
        image: images.Image,
        plan: plans.Plan,
        screen: screens.Screen,
    ) -> None:
        super().__init__()
        self._cloud = cloud
        self._image = image
        self._plan = plan
        self._screen = screen

    def _setUp(self) -> None:
        self._summary = self._listen()
        self._directory = self.useFixture(fixtures.TempDir()).path
        self._container = f'demo-{uuid.uuid4().hex[:8]}'
        self.addCleanup(self._cloud.delete_container, self._container)
        self.addCleanup(self._cloud.clear)
        self.drivers = drivers(self._directory)
        self._stores = self.useFixture(
            stores.Stores(
                {
                    'DEFAULT': {
                        'enabled_backends': ','.join(
                            f'{each.store}:{each.kind}'
                            for each in self.drivers
                        )
                    },
                    'glance_store': {'default_backend': 'fast'},
                    **{
                        each.store: self._section(each)
                        for each in self.drivers
                    },
                }
            )
        )

    def _listen(self) -> Summary:
        """Take the log; nothing of it is printed."""
        summary = Summary()
        ours = logging.getLogger('glance_store_bufswift')
        self.addCleanup(ours.setLevel, ours.level)
        ours.setLevel(logging.INFO)
        for logger, handler in (
            (ours, summary),
            (logging.getLogger(), logging.NullHandler()),
        ):
            logger.addHandler(handler)
            self.addCleanup(logger.removeHandler, handler)
        return summary

    def _section(self, driver: Driver) -> dict[str, Any]:
        accounts = Path(self.useFixture(fixtures.TempDir()).path, 'swift.conf')
        accounts.write_text(self._cloud.config_file('demo'))
        return {
            'swift_store_config_file': accounts,
            'default_swift_reference': 'demo',
            'swift_store_region': self._cloud.region,
            'swift_store_container': self._container,
            'swift_store_create_container_on_put': True,
            'swift_store_large_object_size': 1,
            'swift_store_large_object_chunk_size': self._plan.megabytes,
            **driver.options,
        }

    def play(self, driver: Driver) -> plans.Outcome:
        """Upload the image, read it back, delete it."""
        outcome = plans.Outcome(driver.title)
        self._add_faults()
        began = time.monotonic()
        uri = self._upload(driver, outcome)
        outcome.seconds = time.monotonic() - began
        self._count(outcome)
        self._cloud.clear()
        if uri:
            outcome.md5_read = self._read_back(driver, uri)
            self._stores.delete(uri, driver.store)
        outcome.left = self._cloud.listing(self._container)
        outcome.left += [
            name
            for name in os.listdir(self._directory)
            if not name.endswith('.quota')
        ]
        self._cloud.delete_container(self._container)
        return outcome

    def _add_faults(self) -> None:
        proxy, half = (
            self._cloud.swift_proxy,
            self._plan.megabytes * (plans.MB // 2),
        )
        proxy.add(
            faults.Rule(
                faults.Reset(after=half),
                'PUT',
                plans.path_of(self._plan.reset),
            )
        )
        proxy.add(
            faults.Rule(
                faults.Hook(
                    lambda exchange: self._cloud.revoke(
                        exchange.headers['x-auth-token']
                    )
                ),
                'PUT',
                plans.path_of(self._plan.revoke),
            )
        )

    def _upload(self, driver: Driver, outcome: plans.Outcome) -> str | None:
        """Upload the image; gives its URI, None if that failed."""
        image_id = str(uuid.uuid4())
        patience = _PATIENCE + self._image.size // _SLOWEST
        with self._screen.progress(driver.title, self._image.size) as bar:
            teller = Teller(self._cloud, bar)

            def watch(count: int) -> None:
                outcome.read += count
                bar.advance(count)
                teller.look()

            try:
                with fixtures.Timeout(patience, gentle=True):
                    answer = self._stores.add(
                        image_id,
                        images.Stream(self._image, watch),
                        store=driver.store,
                    )
            except Exception as exc:
                outcome.error = plans.short(exc, image_id)
                return None
            finally:
                teller.look(now=True)
        uri, outcome.size, outcome.checksum = answer[:3]
        return str(uri)

    def _count(self, outcome: plans.Outcome) -> None:
        """Count what was sent: as the driver says, else as the proxy saw."""
        story = plans.Story(self._cloud.swift_proxy.log)
        summary = self._summary.take()
        outcome.met = story.met
        outcome.segments = summary.get('segments', len(story.stored))
        outcome.retries = summary.get('retries', story.retries)
        outcome.buffered = summary.get('buffered')

    def _read_back(self, driver: Driver, uri: str) -> str:
        digest = hashlib.md5(usedforsecurity=False)
        for chunk in multi_backend.get(uri, driver.store)[0]:
            digest.update(chunk)
        return digest.hexdigest()
