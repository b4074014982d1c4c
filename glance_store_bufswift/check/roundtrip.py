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

"""A small image on its way to Swift and back, by the driver itself."""

from collections.abc import Iterator
import contextlib
import io
import os
import time
import uuid

from glance_store_bufswift.check import as_glance
from glance_store_bufswift.check import finding
from glance_store_bufswift.check.finding import Finding
from glance_store_bufswift import service

_SUBJECT = 'round trip'

#: Bytes in a segment, and in the image, which is small but in segments.
SEGMENT_SIZE = 64 << 10
IMAGE_SIZE = 5 * SEGMENT_SIZE // 2

#: Offset and length of a part that is in two segments.
PART = SEGMENT_SIZE - 10, 20


def findings(user: service.ServiceUser) -> Iterator[Finding]:
    """Upload an image, read it, delete it; after sign_in()."""
    data = os.urandom(IMAGE_SIZE)
    image = str(uuid.uuid4())
    began = time.monotonic()
    with contextlib.ExitStack() as held:
        try:
            store = held.enter_context(as_glance.store(user, SEGMENT_SIZE))
            uri = store.add(image, io.BytesIO(data), IMAGE_SIZE)
        except Exception as exc:
            yield finding.error(
                _SUBJECT,
                f'upload: {_text(exc)}',
                'see the lines above, and '
                'the log of Swift by the transaction id',
            )
            return
        yield finding.ok(
            _SUBJECT,
            f'upload: {finding.size(IMAGE_SIZE)} in segments of '
            f'{finding.size(SEGMENT_SIZE)} stored in '
            f'{time.monotonic() - began:.1f} s',
        )
        yield _read(store, uri, data)
        yield _delete(store, uri, image)


def _read(store: as_glance.GlanceStore, uri: str, data: bytes) -> Finding:
    try:
        back = store.get(uri)
        part = store.get(uri, *PART)
    except Exception as exc:
        return finding.error(
            _SUBJECT,
            f'download: {_text(exc)}',
            'see the log of Swift by the transaction id',
        )
    if back != data:
        return finding.error(
            _SUBJECT,
            f'download: {len(back)} bytes came back that are not '
            f'those {len(data)} that were uploaded',
            "see that Swift's pipeline has the filter dlo, and that no "
            'proxy before it changes bodies',
        )
    if part != data[PART[0] :][: PART[1]]:
        return finding.error(
            _SUBJECT,
            f'download: a range of {PART[1]} bytes came back '
            f'wrong, with {len(part)} bytes',
            'see that no proxy before Swift caches or changes answers',
        )
    return finding.ok(_SUBJECT, 'download: the same bytes, whole and in part')


def _delete(store: as_glance.GlanceStore, uri: str, image: str) -> Finding:
    try:
        store.delete(uri)
    except Exception as exc:
        return finding.error(
            _SUBJECT,
            f'delete: {_text(exc)}',
            f'delete what begins with {image} from the container; see that '
            'the user may delete',
        )
    return finding.ok(_SUBJECT, 'delete: done')


def _text(exc: Exception) -> str:
    """The message of an exception, or its name if it has none."""
    return str(exc) or type(exc).__name__
