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

"""What swiftclient does for us: without surprises, and without a flood of
lines in the log.
"""

from collections.abc import Iterator
import contextlib
import logging
import threading

from oslo_log import log as oslo_logging
import swiftclient.client

from glance_store_bufswift import errors
from glance_store_bufswift.swift import failures

LOG = oslo_logging.getLogger(__name__)

_here = threading.local()


class _Quiet(logging.Filter):
    """Lets swiftclient tell of our requests at DEBUG alone.

    At INFO it logs each answer that is an error in four lines (http_log()).
    Whoever else uses it in this process, such as the stock driver, is heard
    as before.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.INFO or not getattr(_here, 'ours', False):
            return True
        record.levelno, record.levelname = logging.DEBUG, 'DEBUG'
        return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)


swiftclient.client.logger.addFilter(_Quiet())


@contextlib.contextmanager
def ours() -> Iterator[None]:
    """Around what swiftclient does for us.

    :raises Unreadable: for what is no failure of a request. It becomes one: a
        ValueError would have Glance take the image for invalid
        (glance/api/v2/image_data.py).
    """
    before, _here.ours = getattr(_here, 'ours', False), True
    try:
        yield
    except errors.BufswiftError:
        raise
    except Exception as exc:
        if failures.of_exception(exc) is not None:
            raise
        LOG.debug('swiftclient failed', exc_info=True)
        raise errors.Unreadable(
            f'swiftclient failed with {type(exc).__name__}: {exc}'
        ) from exc
    finally:
        _here.ours = before
