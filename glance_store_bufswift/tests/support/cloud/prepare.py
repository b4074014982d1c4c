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

"""What servers on a database of SQLite do before they serve."""

from collections.abc import Callable
import os
import sys
from typing import Any


def in_fork(make: Callable[..., None], *args: object) -> None:
    """Call it in a child of ours, and wait; sys.exit() if that fails.

    Some set this process up for one use, and a new one would import for
    seconds.
    """
    maker = os.fork()
    if not maker:
        make(*args)
        os._exit(0)
    if os.waitpid(maker, 0)[1]:
        sys.exit(f'{make.__name__}() has failed')


def take_turns() -> None:
    """Have each transaction on SQLite wait for its turn, in this process.

    One that reads first and then writes is refused, and at once, if another
    one writes beside it: "database is locked", a 500.
    """
    import sqlalchemy.event

    sqlalchemy.event.listen(
        sqlalchemy.Engine,
        'before_cursor_execute',
        _begin_immediate,
        retval=True,
    )


def keep_connections() -> None:
    """Have SQLAlchemy keep connections to SQLite open, in this process.

    oslo.db wants a new one for each transaction, which is a tenth of
    Keystone's work (_init_connection_args, oslo_db/sqlalchemy/engines.py). Not
    for servers that fork later: a connection is one process's own.
    """
    import sqlalchemy.pool

    sqlalchemy.pool.NullPool = sqlalchemy.pool.QueuePool  # type: ignore[assignment,misc]


def _begin_immediate(
    connection: object, cursor: object, statement: str, *rest: Any
) -> tuple[str, Any]:
    if statement == 'BEGIN':
        statement = 'BEGIN IMMEDIATE'
    return statement, rest[0]
