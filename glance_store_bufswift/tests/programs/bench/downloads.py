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

"""Stores the images that are read, and has processes read them."""

import dataclasses
from typing import Any

from glance_store_bufswift.tests.programs.bench import children
from glance_store_bufswift.tests.programs.bench import down
from glance_store_bufswift.tests.programs.bench import one
from glance_store_bufswift.tests.programs.bench import pattern
from glance_store_bufswift.tests.programs.bench import scenarios


@dataclasses.dataclass(frozen=True)
class Images:
    """What is read: URIs of the image, and of a small one."""

    image: str
    small: str


def store(options: dict[str, Any], size: int) -> Images:
    """Store what is to be read, with our driver.

    :param options: of the store's section
    :param size: bytes in the image
    """
    return Images(*[_upload(options, each) for each in (size, pattern.PERIOD)])


def _upload(options: dict[str, Any], size: int) -> str:
    job = one.Job(scenarios.OURS.driver, options, size, known=True)
    with children.Child('one', dataclasses.asdict(job)) as child:
        child.tell()
        child.go()
        return str(child.tell()['uris'][0])


def read(
    scenario: scenarios.Scenario,
    driver: str,
    options: dict[str, Any],
    images: Images,
) -> dict[str, Any]:
    """Have a process read an image; tells its measures.

    :raises Failed: the bytes were not those that were stored
    """
    job = down.Job(
        driver,
        options,
        images.image,
        images.small,
        scenario.segment * pattern.PERIOD,
        scenario.uploads,
    )
    with children.Child('down', dataclasses.asdict(job)) as child:
        child.tell()
        child.go()
        told: dict[str, Any] = child.tell()
    if told['wrong'] or set(told['sizes']) != {scenario.size}:
        raise children.Failed(
            f'{told["wrong"]} blocks were wrong of {told["sizes"]} bytes'
        )
    return told
