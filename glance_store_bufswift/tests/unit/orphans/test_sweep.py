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

"""Finding and deleting orphans, in a Swift in memory."""

from collections.abc import Callable
from collections.abc import Iterator
import datetime

from oslotest import base

from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.orphans import attempts
from glance_store_bufswift.orphans import sweep
from glance_store_bufswift.swift import account
from glance_store_bufswift.swift import client
from glance_store_bufswift.swift import listings
from glance_store_bufswift.swift import retry

UTC = datetime.timezone.utc
IMAGES = [f'0a5c1a2e-6f0e-4d3e-9f6b-6d3f6d1b7c1{number}'
          for number in range(6)]
NOW = datetime.datetime(2026, 11, 24, tzinfo=UTC)
OLD = NOW - datetime.timedelta(days=2)


class Account(account.Account):
    """An account in memory.

    :ivar requests: method, container, name
    :ivar before: called before each request; may raise
    """

    def __init__(self) -> None:
        super().__init__(client.Endpoint('http://nowhere/a'),
                         retry.Policy(0, 0))
        self.stored: dict[tuple[str, str], tuple[
            listings.Entry, dict[str, str], list[tuple[str, str]]]] = {}
        self.requests: list[tuple[str, str, str]] = []
        self.before: Callable[[str, str, str], object] = (
            lambda method, container, name: None)

    def store(self, container: str, *names: str, size: int = 10,
              when: datetime.datetime = OLD, target: str = '',
              slo: list[tuple[str, str]] | None = None) -> None:
        """Keep objects; a target makes DLO manifests of them."""
        headers = {layout.MANIFEST: target} if target else {}
        if slo is not None:
            headers['x-static-large-object'] = 'True'
        for name in names:
            self.stored[container, name] = (
                listings.Entry(name, size, when), headers, slo or [])

    def names(self, container: str) -> list[str]:
        """What is there, in Swift's order."""
        return sorted((name for where, name in self.stored
                       if where == container), key=str.encode)

    def _note(self, method: str, container: str, name: str) -> None:
        self.requests.append((method, container, name))
        self.before(method, container, name)

    def entries(self, container: str, prefix: str = '', marker: str = '',
                end: str = '') -> Iterator[listings.Entry]:
        self._note('LIST', container, prefix)
        for name in self.names(container):
            if name.startswith(prefix):
                yield self.stored[container, name][0]

    def head(self, container: str, name: str,
             newest: bool = False) -> dict[str, str] | None:
        self._note('HEAD', container, name)
        found = self.stored.get((container, name))
        return found[1] if found else None

    def static_segments(self, container: str, name: str,
                        nested: bool = True) -> list[tuple[str, str]]:
        self._note('GET', container, name)
        return self.stored[container, name][2]

    def delete(self, container: str, name: str) -> None:
        self._note('DELETE', container, name)
        self.stored.pop((container, name), None)

    def capabilities(self) -> dict[str, object]:
        return {}


def ours(image: str, count: int = 2, attempt: int = 0) -> list[str]:
    prefix = f'{image}/20261101T00000{attempt}Z-0123456789ab/'
    return [f'{prefix}{number:08d}' for number in range(1, count + 1)]


def stock(image: str, count: int = 2) -> list[str]:
    return [f'{image}-{number:05d}' for number in range(1, count + 1)]


class TestCase(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.account = Account()
        self.told: list[tuple[str, int]] = []

    def sweeping(self, *containers: str) -> sweep.Sweep:
        return sweep.Sweep(
            self.account, containers or ['images'],
            NOW - datetime.timedelta(days=1),
            lambda *each: self.told.append(each))

    def found(self, *containers: str) -> list[str]:
        """The prefixes of the orphans."""
        return [each.prefix for each in self.sweeping(*containers).find()]

    def delete(self) -> list[sweep.Outcome]:
        swept = self.sweeping()
        return [swept.delete(each) for each in swept.find()]

    def count(self, method: str) -> int:
        return len([each for each in self.account.requests
                    if each[0] == method])


class TestFind(TestCase):
    def test_both_kinds(self) -> None:
        self.account.store('images', *ours(IMAGES[0]), *stock(IMAGES[1], 3))
        found = self.sweeping().find()
        self.assertEqual(
            [(IMAGES[0], 2, 20, OLD), (IMAGES[1], 3, 30, OLD)],
            [(each.image, each.segments, each.size, each.newest)
             for each in found])

    def test_whole_images(self) -> None:
        self.account.store('images', *ours(IMAGES[0]), *stock(IMAGES[1]))
        self.account.store('images', IMAGES[0], size=0,
                           target='images/' + ours(IMAGES[0])[0][:-8])
        self.account.store('images', IMAGES[1], size=0,
                           target=f'images/{IMAGES[1]}-')
        self.account.store('images', IMAGES[2])
        self.assertEqual([], self.found())
        # One look at each image with segments, none at others.
        self.assertEqual(2, self.count('HEAD'))
        self.assertEqual(1, self.count('LIST'))

    def test_an_older_attempt_beside_a_whole_image(self) -> None:
        old, new = ours(IMAGES[0]), ours(IMAGES[0], attempt=5)
        self.account.store('images', *old, *new, *stock(IMAGES[0]))
        self.account.store('images', IMAGES[0], size=0,
                           target=f'images/{new[0][:-8]}')
        self.assertEqual([f'{IMAGES[0]}-', old[0][:-8]], self.found())

    def test_beside_a_plain_image(self) -> None:
        self.account.store('images', *stock(IMAGES[0]), IMAGES[0])
        self.assertEqual([f'{IMAGES[0]}-'], self.found())

    def test_young_ones(self) -> None:
        """The newest segment counts."""
        self.account.store('images', *stock(IMAGES[0], 3))
        limit = NOW - datetime.timedelta(days=1)
        for when, found in ((limit, 1), (NOW, 0), (
                limit + datetime.timedelta(microseconds=1), 0)):
            self.account.store('images', stock(IMAGES[0])[1], when=when)
            self.assertEqual(found, len(self.found()), str(when))

    def test_a_manifest_of_any_name(self) -> None:
        for name, size in (('backup', 0), ('zzz', 7), ('0', 0),
                           (stock(IMAGES[5])[0], 0), (IMAGES[4], 0)):
            for target in (f'{IMAGES[0]}-', f'{IMAGES[0]}-00001',
                           IMAGES[0][:3], f'{IMAGES[0]}-000'):
                self.account.stored.clear()
                self.account.store('images', *stock(IMAGES[0]))
                self.assertEqual(1, len(self.found()))
                self.account.store('images', name, size=size, when=NOW,
                                   target=f'images/{target}')
                self.assertEqual([], self.found(), f'{name} {target}')

    def test_a_manifest_in_another_container_of_the_store(self) -> None:
        self.account.store('images_a', *ours(IMAGES[0]))
        self.assertEqual(1, len(self.found('images_a', 'images_b')))
        self.account.store('images_b', 'x', target=(
            f'images_a/{IMAGES[0]}/'))
        self.assertEqual([], self.found('images_a', 'images_b'))
        self.account.store('images_b', 'x', target=(
            f'images_c/{IMAGES[0]}/'))
        self.assertEqual(1, len(self.found('images_a', 'images_b')))

    def test_an_image_whose_manifest_points_elsewhere(self) -> None:
        self.account.store('images', *ours(IMAGES[0]))
        self.account.store('images', IMAGES[0], size=0,
                           target='other/' + ours(IMAGES[0])[0][:-8])
        self.assertEqual(1, len(self.found()))

    def test_a_static_large_object(self) -> None:
        self.account.store('images', *stock(IMAGES[0]), *stock(IMAGES[1]))
        self.account.store('images', 'x', size=99, slo=[
            ('images', stock(IMAGES[0])[1]), ('other', stock(IMAGES[1])[0])])
        self.assertEqual([f'{IMAGES[1]}-'], self.found())

    def test_a_manifest_named_as_the_beginning_of_a_name(self) -> None:
        """It refers to others, that it begins as they do is nothing."""
        self.account.store('images', *ours(IMAGES[0]), *stock(IMAGES[0]))
        self.account.store('images', IMAGES[0], size=0, target='images/x')
        self.account.store('images', IMAGES[0][:5], size=0, slo=[])
        self.assertEqual(2, len(self.found()))

    def test_a_manifest_named_as_a_segment(self) -> None:
        self.account.store('images', *stock(IMAGES[0], 1), size=0,
                           target='images/x')
        self.account.store('images', *stock(IMAGES[1], 1), size=0, slo=[])
        self.account.store('images', *stock(IMAGES[2], 1), size=0)
        self.assertEqual([f'{IMAGES[2]}-'], self.found())

    def test_a_question_without_an_answer(self) -> None:
        """What can't be known keeps everything."""
        self.account.store('images', *ours(IMAGES[0]))
        self.account.store('images', 'x', size=0)
        for failing in (('HEAD', 'images', IMAGES[0]),
                        ('HEAD', 'images', 'x'), ('LIST', 'images', '')):
            def fail(*request: str, failing: object = failing) -> None:
                if request == failing:
                    raise errors.RequestFailed('503')
            self.account.before = fail
            self.assertRaises(errors.RequestFailed, self.found)

    def test_no_more_than_the_orphans_is_asked_for_twice(self) -> None:
        """The second pass is taken only if there are suspects."""
        self.account.store('images', *IMAGES, size=5)
        self.assertEqual([], self.found())
        self.assertEqual((1, 0), (self.count('LIST'), self.count('HEAD')))

    def test_progress(self) -> None:
        self.account.store('images', *(
            stock(IMAGES[0], 2 * sweep.STEP + 1)))
        self.assertEqual(1, len(self.found()))
        counts = [sweep.STEP, 2 * sweep.STEP, 2 * sweep.STEP + 1]
        self.assertEqual([('images', count) for count in 2 * counts],
                         self.told)


class TestDelete(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.account.store('images', *ours(IMAGES[0]), *stock(IMAGES[1]))
        self.account.store('images', 'other', f'{IMAGES[1]}-other',
                           ours(IMAGES[0])[0] + '.bak')
        self.others = ['other', f'{IMAGES[1]}-other',
                       ours(IMAGES[0])[0] + '.bak']

    def when(self, method: str, name: str,
             then: Callable[[], object], turn: int = 1) -> None:
        """Have something happen before the request of that turn."""
        turns = 0

        def before(*request: str) -> None:
            nonlocal turns
            if request == (method, 'images', name):
                turns += 1
                if turns == turn:
                    then()
        self.account.before = before

    def test_only_the_segments(self) -> None:
        self.assertEqual(2 * [sweep.Outcome.DELETED], self.delete())
        self.assertEqual(sorted(self.others), self.account.names('images'))

    def test_a_segment_that_came_meanwhile(self) -> None:
        self.when('LIST', f'{IMAGES[1]}-', lambda: self.account.store(
            'images', stock(IMAGES[1], 3)[2], when=NOW))
        self.assertEqual([sweep.Outcome.DELETED, sweep.Outcome.CHANGED],
                         self.delete())
        self.assertLessEqual(set(stock(IMAGES[1], 3)),
                             set(self.account.names('images')))

    def test_a_segment_written_anew_meanwhile(self) -> None:
        self.when('LIST', f'{IMAGES[1]}-', lambda: self.account.store(
            'images', stock(IMAGES[1])[0], when=NOW))
        self.assertEqual(sweep.Outcome.CHANGED, self.delete()[1])

    def test_gone_meanwhile(self) -> None:
        def remove() -> None:
            for name in stock(IMAGES[1]):
                del self.account.stored['images', name]
        self.when('LIST', f'{IMAGES[1]}-', remove)
        self.assertEqual(sweep.Outcome.GONE, self.delete()[1])

    def test_a_manifest_that_came_meanwhile(self) -> None:
        """It is looked for after the segments were listed."""
        self.when('HEAD', IMAGES[1], lambda: self.account.store(
            'images', IMAGES[1], size=0,
            target=f'images/{IMAGES[1]}-'), turn=2)
        self.assertEqual([sweep.Outcome.DELETED, sweep.Outcome.REFERRED],
                         self.delete())
        self.assertLessEqual(set(stock(IMAGES[1])),
                             set(self.account.names('images')))

    def test_what_can_not_be_deleted(self) -> None:
        def fail() -> None:
            raise errors.RequestFailed('403')
        self.when('DELETE', stock(IMAGES[1])[0], fail)
        self.assertEqual([sweep.Outcome.DELETED, sweep.Outcome.FAILED],
                         self.delete())

    def test_the_image_itself_is_never_deleted(self) -> None:
        self.account.store('images', IMAGES[0], IMAGES[1])
        self.assertEqual(2 * [sweep.Outcome.DELETED], self.delete())
        self.assertLessEqual({IMAGES[0], IMAGES[1]},
                             set(self.account.names('images')))


assert attempts.key_of(ours(IMAGES[0])[0]) and attempts.key_of(
    stock(IMAGES[0])[0])
