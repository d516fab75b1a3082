# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Run a whole study of MUSCLE: ``python tools/reproduce.py --budget tiny``.

Backbones x initialisations x tasks x seeds: data, step 1 (MD-MoCo), step 2 (continual multi-task
learning), step 3 (fine-tuning and test of every cell) and report, each step by the toolboxes' own
tools. What is done is not done twice: the same command goes on where it was stopped, adds what it
asks for beyond that, and tries again what has failed. Several launches, also of several machines,
may share a folder. See docs/reproduce.md.
"""

import argparse
import shutil
import signal
import sys
import time
from pathlib import Path

from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.pipeline.budgets import BUDGETS
from muscle_mm.pipeline.devices import hide_gpus_without_operators
from muscle_mm.pipeline.estimate import read_rates
from muscle_mm.pipeline.ledger import Ledger
from muscle_mm.pipeline.measure import measure_rates
from muscle_mm.pipeline.output import duration
from muscle_mm.pipeline.overview import overview
from muscle_mm.pipeline.plan import make_plan
from muscle_mm.pipeline.runner import PipelineRunner
from muscle_mm.pipeline.settings import keep_settings
from muscle_mm.pipeline.steps import BACKBONES, INITIALISATIONS, REPOSITORY, TASKS
from muscle_mm.pipeline.study import Study
from muscle_mm.pipeline.study_data import find_data
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.processors import available_processors


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument(
        '--budget',
        choices=BUDGETS,
        required=True,
        help='tiny: minutes on phantoms; small: for some two thousand films; full: the published '
        'configs, on the nine sets',
    )
    parser.add_argument(
        '--data',
        default='phantoms',
        help="'phantoms', a folder of prepared sets, or a folder of real films in the layout of "
        'muscle_mm/pipeline/prepare_data.py. Default: phantoms',
    )
    parser.add_argument(
        '--out', type=Path, help='folder of the study. Default: work_dirs/reproduce-BUDGET'
    )
    parser.add_argument(
        '--backbones',
        type=int,
        nargs='+',
        metavar='DEPTH',
        help=f'of {" ".join(map(str, BACKBONES))}. Default: 18; with --budget full both',
    )
    parser.add_argument(
        '--inits',
        nargs='+',
        default=list(INITIALISATIONS),
        metavar='INIT',
        help=f'what to fine-tune from, of: {", ".join(INITIALISATIONS)}. Default: all',
    )
    parser.add_argument(
        '--tasks',
        nargs='+',
        default=list(TASKS),
        metavar='TASK',
        help=f'of: {", ".join(TASKS)}. Default: all',
    )
    parser.add_argument(
        '--seeds', type=int, nargs='+', default=[0], metavar='SEED', help='Default: 0'
    )
    parser.add_argument(
        '--imagenet',
        type=Path,
        metavar='DIR',
        help="folder of torchvision's resnet18-f37072fd.pth, resnet50-0676ba61.pth. Default: "
        "torch.hub's cache; without the files these cells are left out",
    )
    parser.add_argument(
        '--jobs', type=int, help='trainings at the same time. Default: 2, or 1 on a single core'
    )
    parser.add_argument(
        '--slurm',
        metavar='PARTITION',
        help='send each training through tools/slurm_train.sh (GPUS, SRUN_ARGS, ... hold)',
    )
    parser.add_argument(
        '--dry-run', action='store_true', help='list what is done, the commands, and times'
    )
    parser.add_argument(
        '--measure',
        action='store_true',
        help='train a few iterations of each kind of stage, so that --dry-run knows their times',
    )
    return parser.parse_args()


def study_of(arguments: argparse.Namespace) -> Study:
    """Make the study that the command line asks for.

    Args:
        arguments (argparse.Namespace): The command line.

    Returns:
        Study: The study.

    Raises:
        UserError: If there is no such study.
    """
    out = (arguments.out or Path('work_dirs') / f'reproduce-{arguments.budget}').absolute()
    return Study(
        out=out,
        data=find_data(arguments.data, out),
        budget=arguments.budget,
        backbones=tuple(
            arguments.backbones or (BACKBONES if arguments.budget == 'full' else (18,))
        ),
        initialisations=tuple(arguments.inits),
        tasks=tuple(arguments.tasks),
        seeds=tuple(arguments.seeds),
        imagenet=arguments.imagenet,
    )


def main() -> None:
    """Run the study."""
    begin = time.monotonic()
    arguments = parse_arguments()
    # `kill` ends the commands just as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    jobs = arguments.jobs if arguments.jobs is not None else min(2, available_processors())
    if jobs < 1:
        raise UserError(f'--jobs {arguments.jobs}: must be at least 1.')
    study = study_of(arguments)
    plan = make_plan(study)
    logs = study.out / 'logs'
    rates = logs / 'seconds_per_iteration.json'
    ledger = Ledger(logs / 'state', plan.stages)
    for note in plan.notes:
        print(f'Note: {note}')
    if arguments.dry_run:
        print(overview(plan.stages, ledger, read_rates(rates), jobs, arguments.slurm))
        return
    keep_settings(study.out, study.settings)
    logs.mkdir(exist_ok=True)
    if hide_gpus_without_operators():
        print('mmcv was compiled for the CPU alone (no nvcc): the GPUs are not used.')
    stages = plan.stages
    if arguments.measure:
        # Real iterations need the films.
        stages = [stage for stage in stages if stage.name == 'data']
    else:
        print(f'{len(stages)} stages, results in {study.out}', flush=True)
    runner = PipelineRunner(stages, ledger, logs, jobs, REPOSITORY, arguments.slurm)
    try:
        runner.run()
        if arguments.measure:
            finished = ledger.durations()
            unknown = [stage for stage in plan.stages if stage.kind not in finished]
            measure_rates(unknown, rates, jobs)
            print(overview(plan.stages, ledger, read_rates(rates), jobs, arguments.slurm))
            return
    except KeyboardInterrupt:
        print('\nStopped. The same command goes on from here.', file=sys.stderr)
        sys.exit(130)
    except UserError:
        # The report has been written all the same, with the cells that failed missing.
        if 'report' in runner.done:
            show_report(study.out / 'report')
        raise
    show_report(study.out / 'report')
    print(f'Total time: {duration(time.monotonic() - begin)}')


def show_report(report: Path) -> None:
    """Print the table of results, and where all else is.

    Args:
        report (Path): What ``tools/report.py`` has written.
    """
    try:
        text, paths = (report / 'results.txt').read_text(encoding='utf-8'), sorted(report.iterdir())
    except FileNotFoundError:
        print(f'Another launch is writing the report anew: {report}')
        return
    print(f'\n{text}')
    for path in paths:
        print(f'  {path}')
    print('-' * min(80, shutil.get_terminal_size().columns), flush=True)


if __name__ == '__main__':
    run_command(main)
