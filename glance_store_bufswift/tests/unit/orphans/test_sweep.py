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
import datetime

from oslotest import base

from glance_store_bufswift import errors
from glance_store_bufswift import layout
from glance_store_bufswift.orphans import attempts
from glance_store_bufswift.orphans import sweep
from glance_store_bufswift.tests.unit.orphans import memory

IMAGES = [
    f'0a5c1a2e-6f0e-4d3e-9f6b-6d3f6d1b7c1{number}' for number in range(6)
]
NOW, OLD = memory.NOW, memory.OLD


def ours(image: str, count: int = 2, attempt: int = 0) -> list[str]:
    prefix = f'{image}/20261101T00000{attempt}Z-0123456789ab/'
    return [f'{prefix}{number:08d}' for number in range(1, count + 1)]


def stock(image: str, count: int = 2) -> list[str]:
    return [f'{image}-{number:05d}' for number in range(1, count + 1)]


class TestCase(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.account = memory.Account()
        self.told: list[tuple[str, int]] = []

    def sweeping(self, *containers: str) -> sweep.Sweep:
        return sweep.Sweep(
            memory.requests_to(self.account),
            containers or ['images'],
            NOW - datetime.timedelta(days=1),
            lambda *each: self.told.append(each),
        )

    def found(self, *containers: str) -> list[str]:
        """The prefixes of the orphans."""
        found = self.sweeping(*containers).find()
        self.assertEqual([], [each for each in found if each.doubt])
        return [each.attempt.prefix for each in found]

    def doubts(self, *containers: str) -> dict[str, str]:
        """What is in doubt, by prefix, and why."""
        return {
            each.attempt.prefix: each.doubt
            for each in self.sweeping(*containers).find()
            if each.doubt
        }

    def delete(self) -> list[sweep.Outcome]:
        swept = self.sweeping()
        return [swept.delete(each).outcome for each in swept.find()]

    def count(self, method: str) -> int:
        return len(
            [each for each in self.account.requests if each[0] == method]
        )


class TestFind(TestCase):
    def test_both_kinds(self) -> None:
        self.account.store('images', *ours(IMAGES[0]), *stock(IMAGES[1], 3))
        found = [each.attempt for each in self.sweeping().find()]
        self.assertEqual(
            [(IMAGES[0], 2, 20, OLD), (IMAGES[1], 3, 30, OLD)],
            [
                (each.image, each.segments, each.size, each.newest)
                for each in found
            ],
        )

    def test_whole_images(self) -> None:
        self.account.store('images', *ours(IMAGES[0]), *stock(IMAGES[1]))
        self.account.store(
            'images',
            IMAGES[0],
            size=0,
            target='images/' + ours(IMAGES[0])[0][:-8],
        )
        self.account.store(
            'images', IMAGES[1], size=0, target=f'images/{IMAGES[1]}-'
        )
        self.account.store('images', IMAGES[2])
        self.assertEqual([], self.found())
        # One look at each image with segments, none at others.
        self.assertEqual(2, self.count('HEAD'))
        self.assertEqual(1, self.count('LIST'))

    def test_an_older_attempt_beside_a_whole_image(self) -> None:
        old, new = ours(IMAGES[0]), ours(IMAGES[0], attempt=5)
        self.account.store('images', *old, *new, *stock(IMAGES[0]))
        self.account.store(
            'images', IMAGES[0], size=0, target=f'images/{new[0][:-8]}'
        )
        self.assertEqual([f'{IMAGES[0]}-', old[0][:-8]], self.found())

    def test_beside_a_plain_image(self) -> None:
        self.account.store('images', *stock(IMAGES[0]), IMAGES[0])
        self.assertEqual([f'{IMAGES[0]}-'], self.found())

    def test_young_ones(self) -> None:
        """The newest segment counts."""
        self.account.store('images', *stock(IMAGES[0], 3))
        limit = NOW - datetime.timedelta(days=1)
        for when, found in (
            (limit, 1),
            (NOW, 0),
            (limit + datetime.timedelta(microseconds=1), 0),
        ):
            self.account.store('images', stock(IMAGES[0])[1], when=when)
            self.assertEqual(found, len(self.found()), str(when))

    def test_a_manifest_of_any_name(self) -> None:
        for name, size in (
            ('backup', 0),
            ('zzz', 7),
            ('0', 0),
            (stock(IMAGES[5])[0], 0),
            (IMAGES[4], 0),
        ):
            for target in (
                f'{IMAGES[0]}-',
                f'{IMAGES[0]}-00001',
                IMAGES[0][:3],
                f'{IMAGES[0]}-000',
            ):
                self.account.stored.clear()
                self.account.store('images', *stock(IMAGES[0]))
                self.assertEqual(1, len(self.found()))
                self.account.store(
                    'images',
                    name,
                    size=size,
                    when=NOW,
                    target=f'images/{target}',
                )
                self.assertEqual([], self.found(), f'{name} {target}')

    def test_a_manifest_in_another_container_of_the_store(self) -> None:
        self.account.store('images_a', *ours(IMAGES[0]))
        self.assertEqual(1, len(self.found('images_a', 'images_b')))
        self.account.store('images_b', 'x', target=(f'images_a/{IMAGES[0]}/'))
        self.assertEqual([], self.found('images_a', 'images_b'))
        self.account.store('images_b', 'x', target=(f'images_c/{IMAGES[0]}/'))
        self.assertEqual(1, len(self.found('images_a', 'images_b')))

    def test_an_image_whose_manifest_points_elsewhere(self) -> None:
        self.account.store('images', *ours(IMAGES[0]))
        self.account.store(
            'images',
            IMAGES[0],
            size=0,
            target='other/' + ours(IMAGES[0])[0][:-8],
        )
        self.assertEqual(1, len(self.found()))

    def test_a_static_large_object(self) -> None:
        self.account.store('images', *stock(IMAGES[0]), *stock(IMAGES[1]))
        self.account.store(
            'images',
            'x',
            size=99,
            slo=[
                ('images', stock(IMAGES[0])[1]),
                ('other', stock(IMAGES[1])[0]),
            ],
        )
        self.assertEqual([f'{IMAGES[1]}-'], self.found())

    def test_a_manifest_named_as_the_beginning_of_a_name(self) -> None:
        """It refers to others, that it begins as they do is nothing."""
        self.account.store('images', *ours(IMAGES[0]), *stock(IMAGES[0]))
        self.account.store('images', IMAGES[0], size=0, target='images/x')
        self.account.store(
            'images', IMAGES[0][:5], size=0, slo=[('images', 'x')]
        )
        self.assertEqual(2, len(self.found()))

    def test_a_manifest_named_as_a_segment(self) -> None:
        self.account.store(
            'images', *stock(IMAGES[0], 1), size=0, target='images/x'
        )
        self.account.store(
            'images', *stock(IMAGES[1], 1), size=0, slo=[('images', 'x')]
        )
        self.account.store('images', *stock(IMAGES[2], 1), size=0)
        self.assertEqual([f'{IMAGES[2]}-'], self.found())

    def test_a_symlink_to_a_segment(self) -> None:
        """Swift answers with what it points to, and that one's date."""
        self.account.store('images', *stock(IMAGES[0]), *stock(IMAGES[1]))
        self.account.store('images', 'link', size=0, when=NOW)
        self.account.stale['images', 'link'] = {
            'x-timestamp': f'{OLD.timestamp():.5f}',
            'content-location': f'/v1/AUTH_x/images/{stock(IMAGES[0])[0]}',
        }
        self.assertEqual([f'{IMAGES[1]}-'], self.found())

    def test_an_empty_segment_where_versions_are_kept(self) -> None:
        """There it is a link to itself."""
        [name] = stock(IMAGES[0], 1)
        self.account.store('images', name, size=0)
        self.account.stored['images', name][1]['content-location'] = (
            f'/v1/AUTH_x/images/{name}?version-id=1795678237.77471'
        )
        self.assertEqual([f'{IMAGES[0]}-'], self.found())

    def test_a_manifest_that_is_not_listed_yet(self) -> None:
        """The object with the image's name is asked all the same."""
        for new in (ours(IMAGES[0], attempt=5), stock(IMAGES[0])):
            self.account.stored.clear()
            self.account.store('images', *ours(IMAGES[0]), *new)
            self.account.store(
                'images',
                IMAGES[0],
                size=0,
                target=(f'images/{new[0].rpartition("0000")[0]}'),
            )
            self.account.unlisted = {('images', IMAGES[0])}
            self.assertEqual([ours(IMAGES[0])[0][:-8]], self.found())
            self.account.unlisted = set()
        self.account.store('images', *ours(IMAGES[1]))
        self.account.store(
            'images', IMAGES[0], size=0, target=(f'images/{IMAGES[1]}/')
        )
        self.account.unlisted = {('images', IMAGES[0])}
        self.assertNotIn(ours(IMAGES[1])[0][:-8], self.found())

    def test_a_question_without_an_answer(self) -> None:
        """What can't be known keeps everything."""
        self.account.store('images', *ours(IMAGES[0]))
        self.account.store('images', 'x', size=0)
        for failing in (
            ('HEAD', 'images', IMAGES[0]),
            ('HEAD', 'images', 'x'),
            ('LIST', 'images', ''),
        ):

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
        self.account.store(
            'images', *(stock(IMAGES[0], 2 * sweep.OBJECTS_PER_REPORT + 1))
        )
        self.assertEqual(1, len(self.found()))
        counts = [
            sweep.OBJECTS_PER_REPORT,
            2 * sweep.OBJECTS_PER_REPORT,
            2 * sweep.OBJECTS_PER_REPORT + 1,
        ]
        self.assertEqual(
            [('images', count) for count in 2 * counts], self.told
        )


class TestDoubt(TestCase):
    """What may be referred to, for all that is known, is kept."""

    def setUp(self) -> None:
        super().setUp()
        self.account.store(
            'images', *ours(IMAGES[0]), *stock(IMAGES[0]), *ours(IMAGES[1])
        )
        self.image = [f'{IMAGES[0]}-', ours(IMAGES[0])[0][:-8]]
        self.other = ours(IMAGES[1])[0][:-8]

    def assert_kept(self, names: list[str], why: str) -> None:
        """These prefixes are kept, the others are deleted."""
        before = set(self.account.names('images'))
        self.assertEqual(dict.fromkeys(names, why), self.doubts())
        swept = self.sweeping()
        results = {
            each.attempt.prefix: str(swept.delete(each))
            for each in swept.find()
        }
        kept = f'kept: in doubt ({why})'
        self.assertEqual(
            {
                name: kept if name in names else 'deleted'
                for name in (*self.image, self.other)
            },
            results,
        )
        self.assertEqual(
            {name for name in before if name.startswith(tuple(names))},
            {
                name
                for name in self.account.names('images')
                if attempts.key_of(name)
            },
        )

    def test_an_image_that_is_listed_but_not_found(self) -> None:
        self.account.store(
            'images', IMAGES[0], size=0, target=(f'images/{self.image[1]}')
        )
        self.account.lost = {('images', IMAGES[0])}
        self.assert_kept(
            self.image, f'{IMAGES[0]} is listed, but was not found'
        )

    def test_another_object_that_is_listed_but_not_found(self) -> None:
        """It may have referred to anything."""
        for name, size in (
            ('backup', 0),
            ('backup', 9),
            (stock(IMAGES[5])[0], 0),
        ):
            self.account.store('images', name, size=size, when=NOW)
            self.account.lost = {('images', name)}
            self.assertEqual(
                dict.fromkeys(
                    (*self.image, self.other),
                    f'{name} is listed, but was not found',
                ),
                self.doubts(),
            )
            del self.account.stored['images', name]

    def test_an_object_of_another_container_of_the_store(self) -> None:
        for name, kept in (
            ('backup', [*self.image, self.other]),
            (IMAGES[0], self.image),
        ):
            self.account.store('images_b', name, size=0)
            self.account.lost = {('images_b', name)}
            self.assertEqual(kept, list(self.doubts('images', 'images_b')))
            self.account.stored.pop(('images_b', name))

    def test_a_replica_that_missed_the_last_upload(self) -> None:
        """It tells of the attempt before, and no replica knows better."""
        self.account.store(
            'images', IMAGES[0], size=0, target=(f'images/{self.image[1]}')
        )
        for stale in ({}, {layout.DLO_HEADER: f'images/{IMAGES[0]}/old/'}):
            before = OLD - datetime.timedelta(milliseconds=2)
            self.account.stale['images', IMAGES[0]] = {
                **stale,
                'x-timestamp': f'{before.timestamp():.5f}',
            }
            self.assertEqual(
                dict.fromkeys(
                    self.image,
                    f'{IMAGES[0]} is listed as newer than what was found',
                ),
                self.doubts(),
            )
        self.assert_kept(
            self.image, f'{IMAGES[0]} is listed as newer than what was found'
        )

    def test_dates_of_a_listing_may_be_cut(self) -> None:
        """Ceph RGW gives three decimals there, Swift five everywhere."""
        self.account.store('images', IMAGES[0])
        for fewer in (0, 900):
            moment = OLD - datetime.timedelta(microseconds=fewer)
            self.account.stale['images', IMAGES[0]] = {
                'x-timestamp': f'{moment.timestamp():.5f}'
            }
            self.assertEqual({}, self.doubts())

    def test_an_object_without_a_date(self) -> None:
        self.account.store('images', IMAGES[0])
        for headers in ({}, {'x-timestamp': 'yesterday'}):
            self.account.stale['images', IMAGES[0]] = headers
            self.assertEqual(
                dict.fromkeys(
                    self.image, f'{IMAGES[0]} does not tell when it was stored'
                ),
                self.doubts(),
            )

    def test_an_slo_that_is_not_listed_yet(self) -> None:
        [one, _] = ours(IMAGES[0])
        self.account.store('images', IMAGES[0], slo=[('images', one)])
        self.account.unlisted = {('images', IMAGES[0])}
        why = f'{IMAGES[0]} is an SLO that is not listed yet'
        self.assertEqual({self.image[0]: why}, self.doubts())
        self.assertEqual(2, len(self.sweeping().find()))
        self.account.unlisted = set()
        self.assertEqual({}, self.doubts())

    def test_an_slo_whose_segments_can_not_be_read(self) -> None:
        def fail(method: str, *_: str) -> None:
            if method == 'GET':
                raise errors.RequestFailed('503')

        for segments in ([('images', stock(IMAGES[0])[0])], []):
            self.account.store('images', IMAGES[0], slo=segments)
            self.account.before = fail
            why = f'the segments of {IMAGES[0]} can not be read'
            self.assertEqual(dict.fromkeys(self.image, why), self.doubts())
            self.account.unlisted = {('images', IMAGES[0])}
            self.assertEqual(dict.fromkeys(self.image, why), self.doubts())
            self.account.unlisted = set()
        self.assert_kept(self.image, why)
        self.account.store('images', 'backup', slo=[])
        self.assertEqual([*self.image], list(self.doubts()))

    def test_an_answer_that_is_not_given_twice(self) -> None:
        """A doubt is not taken back."""
        self.account.store('images', IMAGES[0])
        self.account.lost = {('images', IMAGES[0])}

        def before(method: str, _: str, name: str) -> None:
            if (method, name) == ('LIST', '') and self.count('LIST') > 1:
                self.account.lost.clear()

        self.account.before = before
        self.assertEqual(self.image, list(self.doubts()))

    def test_a_segment_that_is_not_listed(self) -> None:
        """A running upload whose listing lags behind for longer."""
        for number in (3, 1):
            name = f'{self.other}{number:08d}'
            self.account.store('images', name, when=NOW)
            self.account.unlisted = {('images', name)}
            swept = self.sweeping()
            # Those in between are looked for before they are deleted.
            self.assertEqual(
                [self.other] if number == 3 else [], list(self.doubts())
            )
            self.assertEqual(
                [(f'{name} is stored, but not listed', sweep.Outcome.DOUBT)],
                [
                    (result.why, result.outcome)
                    for each in swept.find()
                    if each.attempt.prefix == self.other
                    for result in [swept.delete(each)]
                ],
            )
            self.account.unlisted = set()
            del self.account.stored['images', name]


class TestDelete(TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.account.store('images', *ours(IMAGES[0]), *stock(IMAGES[1]))
        self.account.store(
            'images',
            'other',
            f'{IMAGES[1]}-other',
            ours(IMAGES[0])[0] + '.bak',
        )
        self.others = [
            'other',
            f'{IMAGES[1]}-other',
            ours(IMAGES[0])[0] + '.bak',
        ]

    def when(
        self, method: str, name: str, then: Callable[[], object], turn: int = 1
    ) -> None:
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
        self.when(
            'LIST',
            IMAGES[1],
            lambda: self.account.store(
                'images', stock(IMAGES[1], 3)[2], when=NOW
            ),
        )
        self.assertEqual(
            [sweep.Outcome.DELETED, sweep.Outcome.CHANGED], self.delete()
        )
        self.assertLessEqual(
            set(stock(IMAGES[1], 3)), set(self.account.names('images'))
        )

    def test_a_segment_written_anew_meanwhile(self) -> None:
        self.when(
            'LIST',
            IMAGES[1],
            lambda: self.account.store(
                'images', stock(IMAGES[1])[0], when=NOW
            ),
        )
        self.assertEqual(sweep.Outcome.CHANGED, self.delete()[1])

    def test_gone_meanwhile(self) -> None:
        def remove() -> None:
            for name in stock(IMAGES[1]):
                del self.account.stored['images', name]

        self.when('LIST', IMAGES[1], remove)
        self.assertEqual(sweep.Outcome.GONE, self.delete()[1])

    def test_a_manifest_that_came_meanwhile(self) -> None:
        """It is looked for after the segments were listed."""
        self.when(
            'HEAD',
            IMAGES[1],
            lambda: self.account.store(
                'images', IMAGES[1], size=0, target=f'images/{IMAGES[1]}-'
            ),
            turn=2,
        )
        self.assertEqual(
            [sweep.Outcome.DELETED, sweep.Outcome.REFERRED], self.delete()
        )
        self.assertLessEqual(
            set(stock(IMAGES[1])), set(self.account.names('images'))
        )

    def test_a_doubt_that_came_meanwhile(self) -> None:
        """The last look at the object with the image's name counts."""
        self.account.store('images', IMAGES[1])
        self.when(
            'HEAD',
            IMAGES[1],
            lambda: self.account.lost.add(('images', IMAGES[1])),
            turn=3,
        )
        self.assertEqual(
            [sweep.Outcome.DELETED, sweep.Outcome.DOUBT], self.delete()
        )
        self.assertLessEqual(
            set(stock(IMAGES[1])), set(self.account.names('images'))
        )

    def test_an_image_that_is_listed_meanwhile(self) -> None:
        self.when(
            'LIST',
            IMAGES[1],
            lambda: self.account.store('images', IMAGES[1], when=NOW),
        )
        self.assertEqual(
            [sweep.Outcome.DELETED, sweep.Outcome.CHANGED], self.delete()
        )

    def test_another_attempt_that_came_meanwhile(self) -> None:
        """It is none of the orphan's, nor of what is deleted with it."""
        self.when(
            'LIST',
            IMAGES[1],
            lambda: self.account.store('images', *ours(IMAGES[1]), when=NOW),
        )
        self.assertEqual(2 * [sweep.Outcome.DELETED], self.delete())
        self.assertLessEqual(
            set(ours(IMAGES[1])), set(self.account.names('images'))
        )

    def test_what_can_not_be_deleted(self) -> None:
        def fail() -> None:
            raise errors.RequestFailed('403')

        self.when('DELETE', stock(IMAGES[1])[0], fail)
        self.assertEqual(
            [sweep.Outcome.DELETED, sweep.Outcome.FAILED], self.delete()
        )

    def test_the_image_itself_is_never_deleted(self) -> None:
        self.account.store('images', IMAGES[0], IMAGES[1])
        self.assertEqual(2 * [sweep.Outcome.DELETED], self.delete())
        self.assertLessEqual(
            {IMAGES[0], IMAGES[1]}, set(self.account.names('images'))
        )


assert attempts.key_of(ours(IMAGES[0])[0]) and attempts.key_of(
    stock(IMAGES[0])[0]
)
