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

"""Runs scenarios: processes, rounds, medians."""

from collections.abc import Callable
import contextlib
import dataclasses
import os
from pathlib import Path
import statistics
import tempfile
import time
from typing import Any
import uuid

from glance_store_bufswift.tests.programs.bench import bucket
from glance_store_bufswift.tests.programs.bench import certificate
from glance_store_bufswift.tests.programs.bench import children
from glance_store_bufswift.tests.programs.bench import downloads
from glance_store_bufswift.tests.programs.bench import one
from glance_store_bufswift.tests.programs.bench import pattern
from glance_store_bufswift.tests.programs.bench import real
from glance_store_bufswift.tests.programs.bench import scenarios
from glance_store_bufswift.tests.programs.bench import sink
from glance_store_bufswift.tests.programs.bench import watch

GIB = 1 << 30

#: Seconds between two looks at the disk.
_LOOK = 0.05

#: Bytes hashed to tell how fast the machine hashes.
_HASHED = 256 << 20


@dataclasses.dataclass(frozen=True)
class Measure:
    """One line in one round: seconds and bytes.

    :ivar tail: from the source's end to that of the upload, or from the start
        of a download to its first byte
    :ivar cpu: seconds per GiB
    :ivar load: processes that ran or waited on the machine when it began
    """

    wall: float
    tail: float
    cpu: float
    memory: float
    disk: float
    load: float = 0


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A scenario's rounds: of each line, and of the hashing."""

    scenario: scenarios.Scenario
    rounds: dict[str, list[Measure]]
    hashing: list[dict[str, float]]
    cores: int

    def median(self, line: str) -> Measure:
        """The median of each measure by itself."""
        rounds = self.rounds[line]
        return Measure(
            **{
                field.name: statistics.median(
                    getattr(each, field.name) for each in rounds
                )
                for field in dataclasses.fields(Measure)
            }
        )

    def bounds(self) -> dict[str, float]:
        """Seconds that each stage takes alone, all uploads together."""
        scenario = self.scenario
        found = {}
        if scenario.pace != type(scenario.pace)():
            found['source'] = scenario.pace.due(scenario.size)
        if scenario.swift and scenario.swift.rate:
            found['Swift'] = scenario.size / (
                scenario.swift.rate * scenario.threads
            )
        if scenario.reads:  # nobody hashes what is read
            return found
        share = scenario.total / _HASHED
        hashing = {
            key: statistics.median(each[key] for each in self.hashing) * share
            for key in self.hashing[0]
        }
        found['hashing spread'] = hashing['spread']
        found['least hashing'] = (
            hashing['md5'] + hashing['sha512']
        ) / self.cores
        if scenario.uploads * scenario.processes == 1:
            found['slowest hash'] = max(hashing['md5'], hashing['sha512'])
        return found

    def bound(self) -> float:
        """Seconds of the slowest stage, which no driver can beat; or 0.

        Hashing counts as far as each driver has to do it, MD5 and multihash,
        over all cores; the MD5 of each segment is our driver's alone.
        """
        bounds = self.bounds()
        bounds.pop('hashing spread', None)
        return max(bounds.values(), default=0)


class Bench:
    """What all scenarios share; a context that leaves nothing behind.

    :param say: told what is being done
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._held = contextlib.ExitStack()
        self._etags = pattern.Etags()

    def __enter__(self) -> 'Bench':
        self._root = Path(
            self._held.enter_context(
                tempfile.TemporaryDirectory(prefix='bufswift-bench-')
            )
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def run(self, scenario: scenarios.Scenario, rounds: int) -> Outcome:
        """Measure all lines in turn, round by round."""
        self._etags.prepare([scenario.size])
        outcome = Outcome(
            scenario,
            {line.name: [] for line in scenario.lines},
            [],
            len(os.sched_getaffinity(0)),
        )
        with contextlib.ExitStack() as held:
            options = (
                self._sink(scenario, scenario.swift, held)
                if scenario.swift
                else real.start(held)
            )
            images = (
                downloads.store(
                    _section(scenario, scenarios.OURS, options), scenario.size
                )
                if scenario.reads
                else None
            )
            for number in range(1 if scenario.once else rounds):
                for line in scenario.lines:
                    self._say(
                        f'{scenario.name}, round {number + 1}: {line.name}'
                    )
                    outcome.rounds[line.name].append(
                        _download(scenario, line, options, images)
                        if images
                        else self._measure(scenario, line, options)
                    )
                outcome.hashing.append(_hashing())
        return outcome

    def _sink(
        self,
        scenario: scenarios.Scenario,
        options: sink.Options,
        held: contextlib.ExitStack,
    ) -> dict[str, Any]:
        """Start a sink; gives the store's options for it."""
        options = dataclasses.replace(
            options,
            lengths=scenario.lengths(),
            certificate=str(self._root) if scenario.tls else '',
        )
        if scenario.tls:
            certificate.make(self._root)
        server = held.enter_context(
            children.Child('sink', dataclasses.asdict(options))
        )
        scheme = 'https' if scenario.tls else 'http'
        found = {
            'swift_store_auth_address': f'{scheme}://{sink.HOST}:{server.tell()}/v3',
            'swift_store_auth_version': '3',
            'swift_store_user': 'bench:bench',
            'swift_store_key': 'bench',
            'swift_store_region': bucket.REGION,
        }
        if scenario.tls:
            found['swift_store_cacert'] = str(self._root / certificate.CERT)
        return found

    def _measure(
        self,
        scenario: scenarios.Scenario,
        line: scenarios.Line,
        options: dict[str, Any],
    ) -> Measure:
        job = dataclasses.asdict(
            one.Job(
                line.driver,
                _section(scenario, line, options),
                scenario.size,
                line.known,
                scenario.uploads,
                dataclasses.asdict(scenario.pace),
            )
        )
        with (
            tempfile.TemporaryDirectory(dir=self._root) as directory,
            contextlib.ExitStack() as held,
        ):
            job['options'] |= {'swift_upload_buffer_dir': directory}
            load = os.getloadavg()[0]
            uploads = [
                held.enter_context(
                    children.Child('one', job, line.environment)
                )
                for _ in range(scenario.processes)
            ]
            for upload in uploads:
                upload.tell()
            for upload in uploads:
                upload.go()
            disk = _highest_disk(directory, uploads)
            told = [upload.tell() for upload in uploads]
        self._check(scenario, told)
        return Measure(
            wall=max(each['wall'] for each in told),
            tail=max(each['tail'] for each in told),
            cpu=sum(each['cpu'] for each in told) / scenario.total * GIB,
            memory=max(each['memory'] for each in told),
            disk=disk,
            load=load,
        )

    def _check(
        self, scenario: scenarios.Scenario, told: list[dict[str, Any]]
    ) -> None:
        """Only an upload that is right counts."""
        right = (scenario.size, self._etags.of(scenario.size))
        for each in told:
            for found in zip(each['sizes'], each['checksums'], strict=True):
                if found != right:
                    raise children.Failed(f'add() told {found}, not {right}')


def _download(
    scenario: scenarios.Scenario,
    line: scenarios.Line,
    options: dict[str, Any],
    images: downloads.Images,
) -> Measure:
    load = os.getloadavg()[0]
    told = downloads.read(
        scenario, line.driver, _section(scenario, line, options), images
    )
    return Measure(
        told['wall'],
        told['tail'],
        told['cpu'] / scenario.total * GIB,
        told['memory'],
        0,
        load,
    )


def _section(
    scenario: scenarios.Scenario, line: scenarios.Line, options: dict[str, Any]
) -> dict[str, Any]:
    """The options of a store."""
    section = (
        options
        | line.options
        | {
            'swift_store_container': f'images-{uuid.uuid4().hex}',
            'swift_store_create_container_on_put': True,
            'swift_store_large_object_chunk_size': scenario.segment,
            'swift_store_large_object_size': 5 * 1024,
        }
    )
    if line.driver == scenarios.OURS.driver:
        section |= {'swift_buffered_min_free_percent': 0} | scenario.options
    return section


def _highest_disk(directory: str, uploads: list[children.Child]) -> int:
    """Watch the disk until all processes have ended."""
    highest = 0
    while any(upload.running for upload in uploads):
        highest = max(
            highest, watch.disk(directory, [upload.pid for upload in uploads])
        )
        time.sleep(_LOOK)
    return highest


def _hashing() -> dict[str, float]:
    with children.Child('hashing', _HASHED) as child:
        found: dict[str, float] = child.tell()
        return found
