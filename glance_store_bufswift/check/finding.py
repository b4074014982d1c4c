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

"""What a check found: one line of the table."""

from collections.abc import Mapping
import dataclasses
import enum


class Result(enum.Enum):
    """How bad it is."""

    OK = 'ok'
    WARNING = 'warning'
    ERROR = 'error'


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    :ivar subject: what was looked at, in one or two words
    :ivar result: how bad it is
    :ivar found: what was found
    :ivar advice: what to change, empty if nothing has to be
    :ivar figures: what was measured, for scripts; seconds, bytes a second
    """

    subject: str
    result: Result
    found: str
    advice: str = ''
    figures: Mapping[str, float | str] = dataclasses.field(
        default_factory=dict
    )


def ok(subject: str, found: str) -> Finding:
    """All is well."""
    return Finding(subject, Result.OK, found)


def measured(
    subject: str, found: str, figures: Mapping[str, float | str]
) -> Finding:
    """A figure, good or bad."""
    return Finding(subject, Result.OK, found, figures=figures)


def warning(subject: str, found: str, advice: str) -> Finding:
    """Images are stored, but not as well as they could be."""
    return Finding(subject, Result.WARNING, found, advice)


def error(subject: str, found: str, advice: str) -> Finding:
    """Images can't be stored, or can't be read or deleted again."""
    return Finding(subject, Result.ERROR, found, advice)


def size(count: float) -> str:
    """A number of bytes, as text.

    It has the units of upstream's option help, powers of 1024.
    """
    for unit in ('bytes', 'KiB', 'MiB', 'GiB'):
        if count < 1024:
            break
        count /= 1024
    else:
        unit = 'TiB'
    return f'{count:.0f} {unit}' if unit == 'bytes' else f'{count:.1f} {unit}'
