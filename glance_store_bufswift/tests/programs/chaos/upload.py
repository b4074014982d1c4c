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

"""One upload of a chaos run, and what is right and wrong about it."""

import collections
import dataclasses
import random
from typing import Any
import uuid

from glance_store_bufswift.tests.programs.chaos import plan as plans
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import faults
from glance_store_bufswift.tests.support.cloud import journal
from glance_store_bufswift.tests.support import stores
from glance_store_bufswift.tests.support import streams

#: Seconds that a stalled request costs.
TIMEOUT = 8


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How an upload ended.

    :ivar failed: what add() raised, None for nothing
    :ivar met: whether the fault was met
    :ivar wrong: what is wrong with that: kinds of the summary's table
    """

    plan: plans.Plan
    failed: Exception | None
    met: bool
    wrong: tuple[str, ...]


class Range:
    """Where uploads are run: one cloud, one container, many at a time.

    :param cloud: whose proxies meet the uploads with faults
    """

    def __init__(self, cloud: clouds.Cloud) -> None:
        self.cloud = cloud
        self.container = cloud.new_container()

    def sections(self, directory: str) -> dict[str, dict[str, Any]]:
        """A glance-api.conf with a store for each way to be configured."""
        made: dict[str, dict[str, Any]] = {}
        for segment in (1, 2):
            for threads in (1, 2, 3, 4):
                for retries in (1, 2, 3):
                    made[f's{segment}t{threads}r{retries}'] = (
                        self.cloud.glance_store_options(self.container)
                        | {
                            'swift_store_large_object_size': segment,
                            'swift_store_large_object_chunk_size': segment,
                            'swift_buffered_dir': directory,
                            'swift_buffered_min_free_percent': 0,
                            'swift_buffered_max_backoff': 0,
                            'swift_buffered_timeout': TIMEOUT,
                            'swift_buffered_threads': threads,
                            'swift_buffered_retries': retries,
                        }
                    )
        enabled = ','.join(f'{name}:swift+buffered' for name in made)
        return {
            'DEFAULT': {'enabled_backends': enabled},
            'glance_store': {'default_backend': 's1t1r1'},
            **made,
        }

    def upload(self, made: stores.Stores, plan: plans.Plan) -> Outcome:
        """Run one upload, and look at what it left."""
        image = str(
            uuid.UUID(
                int=random.Random(
                    f'{self.container}{plan.number}'
                ).getrandbits(128)
            )
        )
        rule = self.cloud.swift_proxy.add(
            faults.Rule(
                plan.fault,
                plan.method,
                f'/{image}{plan.path}',
                times=plan.times if plan.source_fails is None else 0,
            )
        )
        data = streams.image(plan.size, seed=plan.number)
        error = plans.SourceError('hung up')
        verifier = streams.Verifier()
        answer: Any = None
        failed: Exception | None = None
        try:
            answer = made.add(
                image,
                _stream(plan, data, error),
                plan.size if plan.known else 0,
                verifier=verifier,
                store=f's{plan.segment}t{plan.threads}r{plan.retries}',
            )
        except Exception as exc:
            failed = exc.with_traceback(None)  # it holds the image
        rule.release() if failed is None else rule.drop()
        log = [
            each
            for each in self.cloud.swift_proxy.log
            if f'/{image}' in each.path
        ]
        met = plan.source_fails is not None or any(
            each.fault and each.fired for each in log
        )
        if failed is None:
            wrong = self._stored(image, data, answer, bytes(verifier.seen))
            wrong += ('missed errors',) if plan.hopeless and met else ()
        else:
            wrong = self._left(plan, met, image, failed, error)
        wrong += _tries(log, plan)
        if failed is not None:
            failed.__cause__ = failed.__context__ = None
        self._remove(image)
        return Outcome(plan, failed, met, wrong)

    def _stored(
        self, image: str, data: bytes, answer: Any, seen: bytes
    ) -> tuple[str, ...]:
        _, size, checksum, multihash, _ = answer
        told = (size, checksum, multihash) == (
            len(data),
            *streams.hashes(data),
        )
        body = self.cloud.object_bytes(self.container, image)
        right = told and body == data == seen
        attempts = {
            name.split('/')[1]
            for name in self.cloud.listing(self.container, f'{image}/')
        }
        return (() if right else ('wrong bytes',)) + (
            () if len(attempts) <= 1 else ('orphans',)
        )

    def _left(
        self,
        plan: plans.Plan,
        met: bool,
        image: str,
        failed: Exception,
        error: Exception,
    ) -> tuple[str, ...]:
        wrong: tuple[str, ...] = ()
        if self.cloud.listing(self.container, image):
            wrong += ('orphans',)
        if not plan.hopeless or not met:
            wrong += ('needless failures',)
        elif plan.source_fails is not None and failed is not error:
            wrong += ('wrong errors',)
        elif plan.source_fails is None and (
            image not in str(failed)
            or type(failed).__module__ != 'glance_store.exceptions'
        ):
            wrong += ('wrong errors',)
        return wrong

    def _remove(self, image: str) -> None:
        direct = self.cloud.connection()
        for name in self.cloud.listing(self.container, image):
            direct.delete_object(self.container, name)
        direct.close()


def _tries(log: journal.Log, plan: plans.Plan) -> tuple[str, ...]:
    """Whether an object was sent too often.

    swiftclient repeats a request without a body after a first 401 whatever
    its bound is.
    """
    count = collections.Counter(
        each.path for each in log if each.method == 'PUT'
    )
    beyond = any(each.status == 401 and each.length == 0 for each in log)
    most = max(count.values(), default=0)
    return ('too many tries',) if most > plan.retries + 1 + beyond else ()


def _stream(plan: plans.Plan, data: bytes, error: Exception) -> streams.Stream:
    def fail() -> None:
        if plan.source_fails is not None:
            raise error

    return streams.Stream(
        data, most=plan.most, at=plan.source_fails, then=fail
    )
