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

"""Around swiftclient: no unforeseen exceptions, no flood of log lines."""

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
    """Lets swiftclient log our requests only at DEBUG.

    At INFO it logs four lines for each error answer (http_log()). Its other
    users in this process, such as the stock driver, still log as before.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.INFO or not getattr(_here, 'ours', False):
            return True
        record.levelno, record.levelname = logging.DEBUG, 'DEBUG'
        return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)


swiftclient.client.logger.addFilter(_Quiet())


@contextlib.contextmanager
def ours() -> Iterator[None]:
    """Wrap what swiftclient does for us.

    :raises Unreadable: for other exceptions than failed requests; a ValueError
        would have Glance take the image for invalid
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
