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

"""Whose segments a listing shows."""

from collections.abc import Iterator
import datetime
import itertools
import uuid

from hypothesis import given
from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st
from oslotest import base

from glance_store_bufswift import layout
from glance_store_bufswift.orphans import attempts
from glance_store_bufswift.swift import listings

UTC = datetime.timezone.utc
IMAGE = '0a5c1a2e-6f0e-4d3e-9f6b-6d3f6d1b7c11'
OURS = f'{IMAGE}/20261124T190000Z-0123456789ab/'
BEGAN = datetime.datetime(2026, 11, 24, 19, tzinfo=UTC)


def at(second: int) -> datetime.datetime:
    return BEGAN + datetime.timedelta(seconds=second)


def entry(name: str, size: int = 1, second: int | None = 0) -> listings.Entry:
    return listings.Entry(name, size, None if second is None else at(second))


def found(*entries: listings.Entry) -> list[attempts.Attempt]:
    """The attempts of a listing, brought into Swift's order."""
    ordered = sorted(entries, key=lambda each: each.name.encode())
    return list(attempts.attempts('images', ordered))


class TestNames(base.BaseTestCase):
    def test_ours(self) -> None:
        self.assertEqual(
            attempts.Key(IMAGE, OURS, BEGAN),
            attempts.key_of(f'{OURS}00000001'),
        )

    def test_as_the_layout_makes_them(self) -> None:
        where = layout.Layout('images', str(uuid.uuid4()))
        for number in (1, layout.MAX_SEGMENTS):
            key = attempts.key_of(where.segment(number))
            assert key is not None
            self.assertEqual((where.image, where.prefix), key[:2])
            self.assertGreater(key.began, attempts.NEVER)

    def test_the_stock_drivers(self) -> None:
        for number in ('00001', '99999', '100000'):
            self.assertEqual(
                attempts.Key(IMAGE, f'{IMAGE}-', attempts.NEVER),
                attempts.key_of(f'{IMAGE}-{number}'),
            )

    def test_others(self) -> None:
        for name in (
            IMAGE,
            f'{IMAGE}-',
            f'{IMAGE}-0001',
            f'{IMAGE}-00001x',
            f'{IMAGE}-00001/x',
            f'x{IMAGE}-00001',
            'x-00001',
            f'{IMAGE}/x/00000001',
            f'{OURS}0000001',
            f'{OURS}000000001',
            OURS,
            f'{OURS}00000001\n',
            f'a/{OURS}00000001',
            f'{IMAGE}/20261124T190000Z-0123456789AB/00000001',
            # python-swiftclient's and rclone's
            f'{IMAGE}/1700000000.0/12345/100/00000001',
            f'{IMAGE}/1700000000-123456/00000001',
            # digits that are none to Swift's own clients
            f'{IMAGE}-\u0661\u0661\u0661\u0661\u0661',
        ):
            self.assertIsNone(attempts.key_of(name), name)

    def test_a_date_that_is_none(self) -> None:
        key = attempts.key_of(
            f'{IMAGE}/20269999T999999Z-0123456789ab/00000001'
        )
        assert key is not None
        self.assertEqual(attempts.NEVER, key.began)


class TestAttempts(base.BaseTestCase):
    def test_sums(self) -> None:
        self.assertEqual(
            [
                attempts.Attempt(
                    'images',
                    IMAGE,
                    OURS,
                    3,
                    111,
                    at(9),
                    f'{OURS}00000003',
                    entry(IMAGE, 0, 99),
                )
            ],
            found(
                entry(IMAGE, 0, 99),
                entry(f'{OURS}00000001', 100, 9),
                entry(f'{OURS}00000002', 10, 3),
                entry(f'{OURS}00000003', 1, 5),
            ),
        )

    def test_the_attempts_own_time_counts(self) -> None:
        [attempt] = found(entry(f'{OURS}00000001', 1, -500))
        self.assertEqual(BEGAN, attempt.newest)

    def test_a_segment_without_a_time_is_never_old(self) -> None:
        [attempt] = found(
            entry(f'{IMAGE}-00001', 1, None), entry(f'{IMAGE}-00002', 1, 0)
        )
        self.assertEqual(attempts.NOT_YET, attempt.newest)

    def test_both_kinds_beside_other_objects(self) -> None:
        other = OURS.replace('T19', 'T20')
        names = [
            IMAGE,
            f'{IMAGE}-00001',
            f'{IMAGE}-00001.bak',
            f'{IMAGE}-00002',
            f'{IMAGE}.x',
            f'{OURS}00000001',
            f'{OURS}00000001.bak',
            f'{OURS}00000002',
            f'{other}00000001',
            f'{IMAGE}0',
            'zzz',
        ]
        self.assertEqual(
            [(f'{IMAGE}-', 2), (OURS, 2), (other, 1)],
            [
                (each.prefix, each.segments)
                for each in found(*map(entry, names))
            ],
        )

    def test_the_object_with_the_images_name(self) -> None:
        """If it is listed; another image's is none of it."""
        other = IMAGE[:-1] + '2'
        for names, listed in (
            ([], None),
            ([IMAGE], IMAGE),
            ([other], None),
            ([IMAGE, f'{IMAGE}-', f'{IMAGE}-00000.bak'], IMAGE),
            ([IMAGE[:-1], f'{IMAGE}x', f'{IMAGE}!'], None),
        ):
            made = found(
                *map(entry, [*names, f'{IMAGE}-00001', f'{OURS}00000001'])
            )
            self.assertEqual(
                2 * [listed],
                [each.listed and each.listed.name for each in made],
            )

    def test_one_attempt_is_held_at_a_time(self) -> None:
        """A listing without an end gives its first attempts."""
        taken = 0

        def listing() -> Iterator[listings.Entry]:
            nonlocal taken
            for number in itertools.count(10**11):
                image = f'00000000-0000-0000-0000-{number}'
                for segment in range(3):
                    taken += 1
                    yield entry(f'{image}-{segment:05d}')

        made = attempts.attempts('images', listing())
        for _ in range(10):
            self.assertEqual(3, next(made).segments)
        self.assertEqual(31, taken)


class TestHidden(base.BaseTestCase):
    """Segments that may be there though they are not listed."""

    def hidden(self, *numbers: int, most: int = 20) -> list[int]:
        """The same of both drivers' names."""
        ours, stock = (
            [
                int(name.removeprefix(prefix))
                for name in attempts.hidden(
                    [f'{prefix}{number:0{width}d}' for number in numbers], most
                )
            ]
            for prefix, width in ((OURS, 8), (f'{IMAGE}-', 5))
        )
        self.assertEqual(ours, stock)
        return ours

    def test_the_one_after_the_last(self) -> None:
        self.assertEqual([3], self.hidden(1, 2))
        self.assertEqual([100_000], self.hidden(*range(1, 100_000)))

    def test_those_in_between(self) -> None:
        self.assertEqual([5, 3, 1], self.hidden(2, 4))
        self.assertEqual([5, 3], self.hidden(2, 4, most=2))

    def test_a_number_without_end(self) -> None:
        self.assertEqual([10**30 + 1, 10**30 - 1], self.hidden(10**30, most=2))

    def test_names(self) -> None:
        self.assertEqual(
            [f'{OURS}00000010'],
            attempts.hidden(
                [f'{OURS}{number:08d}' for number in range(1, 10)], 2
            ),
        )
        self.assertEqual(
            [f'{IMAGE}-00002'], attempts.hidden([f'{IMAGE}-00001'], 2)
        )


# Few ids and numbers, so that names meet.
_images = st.sampled_from([IMAGE, IMAGE[:-1] + '2', IMAGE.upper()])
_ours = st.builds(
    '{}/20261124T19000{}Z-0123456789ab/{:08d}'.format,
    _images,
    st.integers(0, 3),
    st.integers(1, 4),
)
_stock = st.builds('{}-{:05d}'.format, _images, st.integers(1, 4))
_other = st.builds(
    '{}{}'.format, _images, st.text(alphabet='-/.0x', max_size=6)
)
_names = st.sets(
    _ours
    | _stock
    | _other
    | st.text(alphabet='0a-/z\u00e4\U00010000', max_size=4),
    max_size=20,
)

# How long an example takes on a busy machine says nothing.
_patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class TestMerge(base.BaseTestCase):
    @_patient
    @given(_names)
    def test_nothing_is_lost_or_counted_twice(self, names: set[str]) -> None:
        made = found(*map(entry, names))
        keys = [key for name in names if (key := attempts.key_of(name))]
        self.assertEqual(
            {key.prefix: keys.count(key) for key in keys},
            {each.prefix: each.segments for each in made},
        )
        self.assertEqual(len(made), len({each.prefix for each in made}))

    @_patient
    @given(
        _names,
        st.lists(
            st.one_of(
                _ours,
                _stock,
                _other.filter(bool),
                st.builds(
                    lambda name, end: name[:end],
                    _ours | _stock,
                    st.integers(1, 70),
                ),
            ),
            max_size=8,
        ),
    )
    def test_what_is_referred_to_is_struck_off(
        self, names: set[str], prefixes: list[str]
    ) -> None:
        """Whatever the prefix, and nothing but what it may take in."""
        left = attempts.Unreferred(found(*map(entry, names)))
        for prefix in prefixes:
            left.strike(attempts.Reference('images', prefix))
        self.assertEqual(
            [
                each
                for each in found(*map(entry, names))
                if not any(
                    attempts.refers(attempts.Reference('images', prefix), each)
                    for prefix in prefixes
                )
            ],
            sorted(left, key=lambda each: each.prefix.encode()),
        )
        for each in left:
            members = [
                name
                for name in names
                if (key := attempts.key_of(name)) and key.prefix == each.prefix
            ]
            for prefix in prefixes:
                self.assertEqual(
                    [], [name for name in members if name.startswith(prefix)]
                )

    def test_other_containers_are_not_meant(self) -> None:
        left = attempts.Unreferred(found(entry(f'{IMAGE}-00001')))
        for container, prefix, exact, count in (
            ('other', IMAGE, False, 1),
            ('images', 'x', False, 1),
            ('images', IMAGE, True, 1),
            ('images', f'{IMAGE}-', True, 1),
            ('images', f'{IMAGE}-0', False, 0),
        ):
            left.strike(attempts.Reference(container, prefix, exact))
            self.assertEqual(count, len(left))

    def test_the_same_name_in_two_containers(self) -> None:
        listed = [entry(f'{IMAGE}-00001')]
        left = attempts.Unreferred(
            [*attempts.attempts('a', listed), *attempts.attempts('b', listed)]
        )
        left.strike(attempts.Reference('a', IMAGE))
        self.assertEqual(['b'], [each.container for each in left])

    def test_one_object_or_all_of_a_prefix(self) -> None:
        """What is struck off is what a reference refers to."""
        [attempt] = found(entry(f'{IMAGE}-00001'))
        for container in ('images', 'other'):
            for name in ('', IMAGE, f'{IMAGE}-', f'{IMAGE}-0', 'x'):
                for exact in (False, True):
                    place = attempts.Reference(container, name, exact)
                    left = attempts.Unreferred([attempt])
                    left.strike(place)
                    self.assertEqual(
                        not left, attempts.refers(place, attempt), str(place)
                    )

    def test_one_object(self) -> None:
        left = attempts.Unreferred(found(entry(f'{IMAGE}-00001')))
        left.strike(attempts.Reference('images', f'{IMAGE}-00007', True))
        self.assertEqual(0, len(left))


class TestManifests(base.BaseTestCase):
    def test_what_has_to_be_looked_at(self) -> None:
        for name, size, expected in (
            (IMAGE, 0, True),
            (IMAGE, 5, True),
            ('x', 5, True),
            (f'{IMAGE}-00001', 5, False),
            (f'{IMAGE}-00001', 0, True),
            (f'{OURS}00000001', 5, False),
            (f'{OURS}00000001', 0, True),
        ):
            self.assertEqual(
                expected, attempts.may_be_manifest(entry(name, size)), name
            )
