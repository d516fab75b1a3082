# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Show what a config of step 2 will train: ``python tools/show_schedule.py CONFIG``.

Prints visits and tasks as tables; with ``--out`` draws the tasks over time and the learning rate
below. Nothing is trained, and no film is read.
"""

import argparse
from pathlib import Path

from muscle_mm.command_line.config_options import ConfigOption, load_config
from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.utils.errors import UserError


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(
        description='Show the schedule of continual learning before it is trained.'
    )
    parser.add_argument('config', help='config file of step 2')
    parser.add_argument(
        '--sizes',
        nargs='+',
        metavar='TASK=FILMS',
        help='training films of each task. Default: counted in the data that the config names',
    )
    parser.add_argument(
        '--processes', type=int, default=1, help='processes of a distributed run. Default: 1'
    )
    parser.add_argument('--out', type=Path, metavar='FILE.png', help='draw the schedule there')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOption,
        metavar='KEY=VALUE',
        help='settings that replace those of the config, as for tools/train.py',
    )
    parser.set_defaults(launcher='none', work_dir=None, local_rank=0)
    return parser.parse_args()


def read_sizes(pairs: list[str]) -> dict[str, int]:
    """Read ``TASK=FILMS`` pairs.

    Args:
        pairs (list[str]): The pairs.

    Returns:
        dict[str, int]: Films by task.

    Raises:
        UserError: If one has another form.
    """
    sizes: dict[str, int] = {}
    for pair in pairs:
        task, _, number = pair.partition('=')
        if not task or not number.isdecimal():
            raise UserError(f'--sizes: {pair!r} is not of the form TASK=FILMS, as in lung=718.')
        sizes[task] = int(number)
    return sizes


def main() -> None:
    """Print the tables, and draw the picture."""
    arguments = parse_arguments()
    if arguments.out is not None and arguments.out.suffix != '.png':
        raise UserError(f'--out {arguments.out}: the picture is a PNG; name it FILE.png.')
    config = load_config(arguments)

    # torch is imported only once the config is known to be readable.
    from muscle_mm.reporting.schedule_plan import plan_schedule

    sizes = None if arguments.sizes is None else read_sizes(arguments.sizes)
    plan = plan_schedule(config, sizes, arguments.processes)
    print(plan.to_text(), end='')
    if arguments.out is not None:
        from muscle_mm.reporting.schedule_picture import draw_schedule

        draw_schedule(plan, arguments.out)
        print(f'\nDrawn: {arguments.out}')


if __name__ == '__main__':
    run_command(main)
