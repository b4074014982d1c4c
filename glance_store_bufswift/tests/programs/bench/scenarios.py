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

"""What is measured, and what it is to be."""

import dataclasses
from typing import Any

from glance_store_bufswift import accelerator
from glance_store_bufswift.tests.programs.bench import pattern
from glance_store_bufswift.tests.programs.bench import sink
from glance_store_bufswift.tests.programs.bench import source

MB = 1e6
MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Line:
    """A driver as it is set up: a line of the table.

    :ivar known: whether it is told the image's size
    :ivar environment: variables that its process gets beside the others
    """

    name: str
    driver: str
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    known: bool = False
    environment: dict[str, str] = dataclasses.field(default_factory=dict)


STOCK = Line('swift', 'swift')
BUFFERED = Line('swift, buffering', 'swift', {'swift_buffer_on_upload': True})
OURS = Line('swift+buffered', 'swift+buffered')
HASHLIB = Line(
    'without accelerator',
    'swift+buffered',
    environment={accelerator.SWITCH_VARIABLE: '0'},
)
KNOWN = Line('the same, size known', 'swift+buffered', known=True)
STATIC = Line(
    'the same, as SLO', 'swift+buffered', {'swift_buffered_manifest': 'slo'}
)
#: Of a size known and below a segment's, which upstream stores well.
STOCK_PLAIN = Line('swift', 'swift', known=True)

#: The stock driver gets unknown sizes: it fails when a size is known and not
#: a multiple of the segment size.
ALL = (STOCK, BUFFERED, OURS, KNOWN)


@dataclasses.dataclass(frozen=True)
class Goal:
    """A bound on what our line measures.

    :ivar what: `wall`, `tail`, `memory`, `disk` or `cpu`; of a download
        `tail` is the time until its first byte
    :ivar most: what it may be at most
    :ivar of: what it is divided by: a line's name or a bound's, '' = nothing
    """

    what: str
    most: float
    of: str = ''


MEMORY = Goal('memory', 64 * MIB)

#: To check every segment is to cost no more than the stock driver takes, which
#: checks none.
CPU = Goal('cpu', 1.03, STOCK.name)


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A case that is measured.

    :ivar image: size of each image, in upstream's "MB" as is `segment`
    :ivar swift: how the sink behaves; None = a real Swift
    :ivar reads: whether downloads are measured, of an image that our driver
        has stored
    :ivar uploads: at once, in each of `processes`; downloads, if `reads`
    :ivar options: set in our driver's section
    :ivar quick: whether --quick has it
    :ivar once: whether one round is enough
    :ivar whole: whether --quick has it at its full size
    """

    name: str
    about: str
    image: int = 1024
    segment: int = 128
    swift: sink.Options | None = sink.Options()
    pace: source.Pace = source.Pace()
    tls: bool = False
    reads: bool = False
    uploads: int = 1
    processes: int = 1
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    lines: tuple[Line, ...] = ALL
    goals: tuple[Goal, ...] = (MEMORY,)
    quick: bool = False
    once: bool = False
    whole: bool = False

    @property
    def size(self) -> int:
        """Bytes in an image."""
        return self.image * pattern.PERIOD

    @property
    def total(self) -> int:
        """Bytes in all images."""
        return self.size * self.uploads * self.processes

    @property
    def threads(self) -> int:
        """Segments of one upload in flight."""
        kind = 'read_threads' if self.reads else 'threads'
        return int(self.options.get(f'swift_buffered_{kind}', 4))

    def lengths(self) -> tuple[int, ...]:
        """Lengths of the objects that an upload makes."""
        segment = self.segment * pattern.PERIOD
        return (
            self.size,
            min(segment, self.size),
            self.size % segment,
            pattern.PERIOD,
        )

    def smaller(self) -> 'Scenario':
        """The same with a quarter of the bytes, for --quick.

        Over the source's few seconds then, the one commit at its end counts
        too much for a goal.
        """
        if self.whole:
            return self
        return dataclasses.replace(
            self,
            image=max(1, self.image // 4),
            segment=max(1, self.segment // 4),
            goals=tuple(each for each in self.goals if each.of != 'source'),
        )


#: Swift as it often is: what one connection takes is less than the source.
FAR = sink.Options(rate=60 * MB, latency=0.02, commit=0.2)
NEAR = sink.Options(latency=0.02, commit=0.2)

#: A commit and the manifest's PUT, both with their latency.
TAIL = Goal('tail', 2 * (NEAR.latency + NEAR.commit))

_OURS = (OURS,)


def _threads() -> list[Scenario]:
    return [
        Scenario(
            f'threads-{threads}',
            f'Swift 60 MB/s a connection, source 200 MB/s, {threads} threads',
            image=512,
            segment=32,
            swift=FAR,
            pace=source.Pace(200 * MB),
            options={'swift_buffered_threads': threads},
            lines=_OURS,
            once=True,
        )
        for threads in (1, 2, 4, 8)
    ]


def _segments() -> list[Scenario]:
    return [
        Scenario(
            f'segments-{segment}',
            f'no limits, segments of {segment} MB',
            image=2048,
            segment=segment,
            lines=(STOCK, OURS),
            once=True,
        )
        for segment in (16, 64, 256, 1024)
    ]


def _at_once() -> list[Scenario]:
    return [
        Scenario(
            f'uploads-{uploads}',
            f'no limits, {uploads} uploads at once',
            image=1024 // uploads,
            segment=16,
            uploads=uploads,
            lines=(STOCK, BUFFERED, OURS, HASHLIB),
            goals=(Goal('wall', 1.05, STOCK.name), CPU),
        )
        for uploads in (4, 16)
    ]


#: The two that read; what the stock driver buffers is of no account there.
_READERS = (STOCK, OURS)


def _downloads() -> list[Scenario]:
    def reading(
        name: str,
        about: str,
        swift: sink.Options | None,
        *goals: Goal,
        memory: Goal = MEMORY,
        **more: Any,
    ) -> Scenario:
        return dataclasses.replace(
            Scenario(
                f'download-{name}',
                about,
                swift=swift,
                segment=200,
                lines=_READERS,
                goals=(*goals, memory),
                reads=True,
            ),
            **more,
        )

    slow = sink.Options(rate=60 * MB, latency=0.02)
    return [
        reading(
            'limited',
            'Swift gives 60 MB/s a connection, 20 ms a request',
            slow,
            Goal('wall', 1.15, 'Swift'),
            quick=True,
        ),
        reading(
            'slo',
            'the same, a Static Large Object',
            slow,
            Goal('wall', 1.15, 'Swift'),
            options={'swift_buffered_manifest': 'slo'},
        ),
        reading(
            'unlimited',
            'a download as fast as it can be',
            sink.Options(),
            Goal('wall', 1.0, STOCK.name),
            Goal('cpu', 1.1, STOCK.name),
            quick=True,
        ),
        reading(
            'plain',
            'the same, one object of 1 GB',
            sink.Options(),
            Goal('wall', 1.0, STOCK.name),
            Goal('cpu', 1.1, STOCK.name),
            segment=1024,
        ),
        reading(
            'small',
            'an image of 20 MB in one object, 20 ms a request',
            sink.Options(latency=0.02),
            image=20,
        ),
        reading(
            'many-segments',
            'Swift gives a segment of a DLO a second after the first ten',
            sink.Options(limited=True),
            Goal('wall', 1.0),
            image=200,
            segment=5,
            once=True,
        ),
        reading(
            'at-once',
            '50 downloads at once of a process, Swift 20 MB/s a connection',
            sink.Options(rate=20 * MB),
            image=100,
            segment=50,
            uploads=50,
            once=True,
            memory=Goal('memory', 256 * MIB),
        ),
        reading(
            'real',
            'from a real Swift with its default limits',
            None,
            Goal('wall', 1.0),
            image=200,
            segment=5,
            quick=True,
            whole=True,
        ),
    ]


EVERY = (
    Scenario(
        'limited',
        'source 100 MB/s; Swift 60 MB/s a connection, 20 ms a '
        'request, 0.2 s a commit',
        swift=FAR,
        pace=source.Pace(100 * MB),
        goals=(Goal('wall', 1.10, 'source'), MEMORY),
        quick=True,
    ),
    Scenario(
        'limited-32',
        'the same, segments of 32 MB',
        segment=32,
        swift=FAR,
        pace=source.Pace(100 * MB),
        lines=(*ALL, STATIC),
        goals=(Goal('wall', 1.06, 'source'), MEMORY),
    ),
    Scenario(
        'free-32',
        'source as fast as it can; Swift as in "limited"',
        segment=32,
        swift=FAR,
        goals=(Goal('wall', 1.35, 'Swift'), MEMORY),
    ),
    Scenario(
        'unlimited',
        'source and Swift as fast as they can',
        lines=(STOCK, BUFFERED, OURS, HASHLIB, KNOWN),
        goals=(
            Goal('wall', 0.60, STOCK.name),
            Goal('wall', 0.53, BUFFERED.name),
            CPU,
            MEMORY,
        ),
        quick=True,
    ),
    Scenario(
        'tail',
        'source 50 MB/s, Swift faster; 20 ms a request, 0.2 s a commit',
        image=512,
        segment=64,
        swift=NEAR,
        pace=source.Pace(50 * MB),
        goals=(TAIL, MEMORY),
        quick=True,
    ),
    Scenario(
        'tail-32',
        'the same, segments of 32 MB',
        image=512,
        segment=32,
        swift=NEAR,
        pace=source.Pace(50 * MB),
        lines=(*ALL, STATIC),
        goals=(TAIL, MEMORY),
    ),
    Scenario(
        'tail-large',
        'the same, segments of 256 MB',
        image=512,
        segment=256,
        swift=NEAR,
        pace=source.Pace(50 * MB),
        goals=(TAIL, MEMORY),
        once=True,
    ),
    Scenario(
        'stalling',
        'source 80 MB/s that stops for 2 s every 100 MB',
        image=400,
        segment=64,
        swift=FAR,
        pace=source.Pace(80 * MB, int(100 * MB), 2.0),
        goals=(Goal('wall', 1.10, 'source'), MEMORY),
    ),
    Scenario(
        'jitter',
        'as "limited", latency and commit vary by 90 %',
        image=512,
        segment=32,
        swift=dataclasses.replace(FAR, jitter=0.9),
        pace=source.Pace(100 * MB),
    ),
    Scenario(
        'plain',
        'no limits, one object of known size',
        segment=1024,
        lines=(STOCK_PLAIN, KNOWN),
    ),
    Scenario(
        'small',
        'an image of 20 MB, 20 ms a request',
        image=20,
        segment=200,
        swift=sink.Options(latency=0.02),
        lines=(STOCK, OURS, HASHLIB, KNOWN),
        goals=(Goal('wall', 1.0, STOCK.name), MEMORY),
    ),
    Scenario('tls', 'no limits, TLS', tls=True),
    *_threads(),
    *_segments(),
    *_at_once(),
    Scenario(
        'quota',
        'quota 128 MiB; 2 processes x 4 uploads; Swift 60 MB/s a connection',
        image=128,
        segment=16,
        swift=FAR,
        uploads=4,
        processes=2,
        lines=_OURS,
        goals=(Goal('disk', 128 * MIB),),
        options={'swift_buffered_disk_quota': 128},
        quick=True,
        once=True,
        whole=True,
    ),
    Scenario(
        'large',
        'no limits, 10 GB: the cost of a byte stays the same',
        image=10240,
        segment=256,
        lines=(STOCK, OURS),
        once=True,
    ),
    Scenario(
        'real',
        'a real Swift and Keystone on this machine',
        image=512,
        segment=32,
        swift=None,
        lines=(STOCK, BUFFERED, OURS, HASHLIB),
        goals=(Goal('wall', 1.0, STOCK.name), MEMORY),
    ),
    *_downloads(),
)
