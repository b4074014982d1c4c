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

"""Upload an image through faults, beside the stock driver.

The image is a stream that can be read only once. It goes through
glance_store into a real Swift, while a proxy in between resets the
connection of one segment and has the token of another revoked at Keystone:
first with swift+buffered, then with the stock driver swift, without and with
its option swift_buffer_on_upload. The exit status is 0 if the image came
through swift+buffered whole and nothing was left behind.
"""

import argparse
from pathlib import Path
import sys
import time

from glance_store_bufswift.tests.programs.demo import image as images
from glance_store_bufswift.tests.programs.demo import plan as plans
from glance_store_bufswift.tests.programs.demo import screen as screens
from glance_store_bufswift.tests.programs.demo import stage as stages
from glance_store_bufswift.tests.support import arguments as checks
from glance_store_bufswift.tests.support.cloud import cloud as clouds
from glance_store_bufswift.tests.support.cloud import process
from glance_store_bufswift.tests.support import signals


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog='demo',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'file',
        nargs='?',
        type=Path,
        help='upload this file instead of random bytes',
    )
    parser.add_argument(
        '--file',
        dest='option_file',
        type=Path,
        metavar='FILE',
        help='the same',
    )
    parser.add_argument(
        '--size',
        type=checks.positive,
        metavar='MIB',
        help='size of the image of random bytes in MiB (default: 200)',
    )
    parser.add_argument(
        '--segment',
        type=checks.positive,
        metavar='MB',
        help='size of a segment in MB of 1,024,000 bytes '
        '(default: 16, less for a small image)',
    )
    return parser


def prepare(args: argparse.Namespace) -> tuple[images.Image, plans.Plan]:
    """The image and the plan that the user asks for.

    :raises OSError: the file can't be read
    :raises ValueError: the arguments do not fit together
    """
    path = args.file or args.option_file
    if path and (args.size or args.file and args.option_file):
        raise ValueError('give one of FILE, --file and --size')
    image = (
        images.from_file(path) if path else images.generated(args.size or 200)
    )
    return image, plans.Plan.make(image.size, args.segment)


def start(screen: screens.Screen) -> clouds.Cloud:
    """Start the cloud, or take the one of a run of tests."""
    began = time.monotonic()
    screen.say(
        'cloud', 'starting Keystone and Swift on this machine ... ', end=''
    )
    cloud = clouds.Cloud.attach()
    screen.add(f'{time.monotonic() - began:.1f} s')
    return cloud


def introduce(
    screen: screens.Screen, image: images.Image, plan: plans.Plan, md5: str
) -> None:
    """Say what is going to happen."""
    screen.say('image', f'{image.name}, {image.size:,} bytes')
    screen.say('', 'can be read only once, its size is not announced')
    screen.say('', f'MD5 {md5}')
    screen.say(
        'segments', f'{plan.segments} of {plan.megabytes * plans.MB:,} bytes'
    )
    screen.say(
        'faults',
        f'segment {plan.reset}: the connection is reset in the middle',
    )
    screen.say('', f'segment {plan.revoke}: its token is revoked at Keystone')


def conclude(
    screen: screens.Screen,
    outcomes: list[plans.Outcome],
    plan: plans.Plan,
    md5: str,
) -> int:
    """Print the results; gives the exit status."""
    screen.add()
    screen.table(outcomes, md5)
    screen.add('* after the failed upload, or when the image was deleted')
    screen.add()
    ours, *others = outcomes
    wrong = plans.complaints(ours, plan, md5)
    for line in wrong or ['all is as it should be']:
        screen.paragraph(ours.driver, f'WRONG, {line}' if wrong else line)
    for outcome in others:
        screen.paragraph(outcome.driver, outcome.error or 'stored the image')
    return 1 if wrong else 0


def main(argv: list[str]) -> int:
    """Run the demo; gives the exit status."""
    parser = arguments()
    try:
        image, plan = prepare(parser.parse_args(argv))
    except OSError as exc:
        parser.error(f'{exc.filename}: {exc.strerror}')
    except ValueError as exc:
        parser.error(str(exc))
    screen = screens.Screen(sys.stdout)
    try:
        md5 = image.md5()
        introduce(screen, image, plan, md5)
        cloud = start(screen)
        screen.add()
        with stages.Stage(cloud, image, plan, screen) as stage:
            outcomes = [stage.play(driver) for driver in stage.drivers]
        return conclude(screen, outcomes, plan, md5)
    except process.ServerError as exc:
        print(f'\nThe cloud does not start: {exc}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nInterrupted.', file=sys.stderr)
        return 130


if __name__ == '__main__':
    signals.end_in_order()
    sys.exit(main(sys.argv[1:]))
