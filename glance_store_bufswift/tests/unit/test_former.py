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

"""Two attempts at one image, in every order of what they ask of Swift."""

from collections.abc import Iterator
import itertools
import threading

import fixtures
from oslotest import base

from glance_store_bufswift import digests
from glance_store_bufswift import errors
from glance_store_bufswift import former
from glance_store_bufswift import layout
from glance_store_bufswift import opts
from glance_store_bufswift.tests.support import streams
from glance_store_bufswift.tests.unit import fakes
from glance_store_bufswift.tests.unit import waits
from glance_store_bufswift import upload

SEGMENT = 1000
DATA = {'a': streams.image(2300, seed=1), 'b': streams.image(1700, seed=2)}

#: For images that are one object.
PLAIN = {'a': streams.image(900, seed=1), 'b': streams.image(800, seed=2)}

#: Of requests for the object with the image's name: more than an attempt has.
TURNS = 5

#: What runs on all the time, and must not be touched.
RUNNING = layout.Layout('images', 'id', 'running').segment(1)


class Turns:
    """Lets one attempt at a time go on to its next request.

    :param order: whose turn it is, one after the other; what is left of an
        attempt after it comes last
    """

    def __init__(self, order: str) -> None:
        self._order = iter(order)
        self._changed = threading.Condition()
        self._left = set('ab')
        self._turn = next(self._order)
        self._begun = False
        self.made: list[tuple[str, str]] = []

    def wait(self, who: str, method: str) -> None:
        """End the last turn of an attempt, and wait for its next one."""
        with self._changed:
            if self._turn == who and self._begun:
                self._pass_on()
            if not self._changed.wait_for(
                lambda: self._turn == who, waits.GENEROUS
            ):
                raise AssertionError(f'{who} waits for its turn')
            self._begun = True
            self.made.append((who, method))

    def end(self, who: str) -> None:
        """An attempt has no further request."""
        with self._changed:
            self._left.discard(who)
            if self._turn == who:
                self._pass_on()

    def _pass_on(self) -> None:
        self._begun = False
        self._turn = next(
            (who for who in self._order if who in self._left),
            min(self._left, default=''),
        )
        self._changed.notify_all()


def orders() -> Iterator[str]:
    """All orders of so many turns of both."""
    for first in itertools.combinations(range(2 * TURNS), TURNS):
        yield ''.join(
            'a' if each in first else 'b' for each in range(2 * TURNS)
        )


class TestCase(base.BaseTestCase):
    """Tests of two attempts that store an image each."""

    data = DATA

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.FakeLogger('glance_store_bufswift'))
        for name, value in (
            ('cleanup.SETTLE_SECONDS', 0),
            ('upload.LOOK_INTERVAL', waits.GENEROUS),
        ):
            self.useFixture(
                fixtures.MonkeyPatch(f'glance_store_bufswift.{name}', value)
            )
        self.swift = fakes.Swift()

    def fill(self, former: bool) -> None:
        """What is there before: another attempt, and perhaps an image."""
        self.swift.store(RUNNING, b'x', {})
        if former:
            where = layout.Layout('images', 'id', 'former')
            self.swift.store('id', b'', where.dlo_headers(1))
            self.swift.store(where.segment(1), b'x', {})

    def run_both(self, order: str) -> None:
        """Upload both, in this order."""
        self.turns = Turns(order)
        self.errors: dict[str, BaseException] = {}
        threads = [
            threading.Thread(target=self._upload, args=(who,)) for who in 'ab'
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    def _upload(self, who: str) -> None:
        def before(method: str, name: str) -> None:
            if name == 'id':
                self.turns.wait(who, method)

        try:
            upload.Upload(
                fakes.Account(self.swift, before=before),
                layout.Layout('images', 'id', who),
                opts.Settings(
                    directory='/nowhere',
                    threads=1,
                    confirm_timeout=0,
                    segment_size=SEGMENT,
                    plain_limit=SEGMENT,
                ),
                streams.Stream(self.data[who]),
                0,
                digests.Digests('md5'),
            ).run()
        except Exception as exc:
            self.errors[who] = exc
        finally:
            self.turns.end(who)

    def check(self) -> set[str]:
        """One of them stands, whole; what is left of others is given."""
        headers = self.swift.objects['id'][1]
        winner = headers[layout.ATTEMPT_HEADER]
        self.assertNotIn(winner, self.errors)
        self.assertEqual(self.data[winner], b''.join(self.swift.parts('id')))
        for each in self.errors.values():
            # 202: the other one's PUT began later.
            self.assertTrue(
                isinstance(each, errors.Replaced)
                or getattr(each, 'status', None) == 202,
                each,
            )
        left = {
            name
            for name in self.swift.objects
            if not name.startswith(f'id/{winner}/')
        }
        self.assertLessEqual({'id', RUNNING}, left)
        return left - {'id', RUNNING}

    def missed(self) -> bool:
        """Whether one came and went, as far as anybody asked.

        It wrote and asked its last question between the last look and the
        write of the other one.
        """
        winner = self.swift.objects['id'][1][layout.ATTEMPT_HEADER]
        made = self.turns.made
        written = max(
            turn for turn, each in enumerate(made) if each == (winner, 'PUT')
        )
        looked = max(
            turn
            for turn, each in enumerate(made[:written])
            if each == (winner, 'HEAD')
        )
        others = [
            (turn, method)
            for turn, (who, method) in enumerate(made)
            if who != winner
        ]
        return others[-1][0] < written and looked < max(
            turn for turn, method in others if method == 'PUT'
        )

    def orders(
        self, former: bool = False, gateway: bool = False
    ) -> Iterator[str]:
        """Each order, with both uploads made in it."""
        for order in orders():
            self.swift = fakes.Swift(gateway=gateway)
            self.fill(former)
            self.run_both(order)
            yield f'{order} {self.turns.made} {self.errors}'


class TestOrders(TestCase):
    def test_nothing_is_left(self) -> None:
        for made in self.orders():
            self.assertEqual(set(), self.check(), made)

    def test_over_a_former_image(self) -> None:
        self.assertEqual(12, self.leaving(former=True))

    def test_without_conditions(self) -> None:
        self.assertEqual(60, self.leaving(gateway=True))

    def leaving(self, former: bool = False, gateway: bool = False) -> int:
        """In how many of 252 orders something is left."""
        found = 0
        for made in self.orders(former, gateway):
            left = self.check()
            self.assertEqual(self.missed(), bool(left), made)
            found += bool(left)
        return found


class TestPlain(TestCase):
    """One is one object, whose PUT takes its time: no data is lost.

    Of an attempt that comes and goes between its last look and its end the
    segments may stay. They are orphans then.
    """

    data = {'a': PLAIN['a'], 'b': DATA['b']}

    def test_one_stands_whole(self) -> None:
        for stood, gateway in itertools.product((False, True), repeat=2):
            for _ in self.orders(stood, gateway):
                self.check()


class TestBothPlain(TestPlain):
    data = PLAIN


class TestLooks(TestCase):
    def test_looks_while_the_last_segments_are_under_way(self) -> None:
        self.useFixture(
            fixtures.MonkeyPatch(
                'glance_store_bufswift.upload.LOOK_INTERVAL', 0
            )
        )
        other, looks = layout.Layout('images', 'id', 'other'), list[str]()
        arrived = threading.Event()

        def before(method: str, name: str) -> None:
            if (method, name) == ('HEAD', 'id'):
                looks.append(name)
                if len(looks) == 2:
                    self.swift.store('id', b'', other.dlo_headers(1))
                    self.swift.store(other.segment(1), b'x', {})
                if len(looks) == 3:
                    arrived.set()
            elif method == 'PUT' and name.endswith('/00000003'):
                self.assertTrue(arrived.wait(waits.GENEROUS))

        upload.Upload(
            fakes.Account(self.swift, before=before),
            layout.Layout('images', 'id', 'this'),
            opts.Settings(
                directory='/nowhere',
                threads=1,
                confirm_timeout=0,
                segment_size=SEGMENT,
                plain_limit=SEGMENT,
            ),
            streams.Stream(DATA['a']),
            0,
            digests.Digests('md5'),
        ).run()
        self.assertNotIn(other.segment(1), self.swift.objects)

    def test_what_has_no_time_replaces_nothing(self) -> None:
        """Another's object, in whose place this attempt's may stand yet."""
        self.fill(former=True)
        found = former.FormerImages(layout.Layout('images', 'id', 'this'))
        account = fakes.Account(self.swift)
        found.look(account)
        before = dict(self.swift.objects)
        found.remove(account, {layout.ATTEMPT_HEADER: 'other'})
        self.assertEqual(before, self.swift.objects)
