# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Run all of MUSCLE: ``python tools/run_pipeline.py demo`` or ``... real --data DIR``.

Data, step 1 (MD-MoCo), step 2 (continual multi-task learning), step 3 (fine-tuning on four tasks)
and report, each step by the toolboxes' own tools. An interrupted run goes on where it was; a
finished one trains again on the data that is there.
"""

import argparse
import shutil
import signal
import sys
import time
from pathlib import Path

from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.pipeline.devices import hide_gpus_without_operators
from muscle_mm.pipeline.ledger import Ledger
from muscle_mm.pipeline.output import duration
from muscle_mm.pipeline.plan import INITIALISATIONS, REPOSITORY, make_plan
from muscle_mm.pipeline.runner import PipelineRunner
from muscle_mm.utils.processors import available_processors


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('pipeline', choices=['demo', 'real'], help='phantoms, or real films')
    parser.add_argument('--data', type=Path, help='folder of the real films')
    parser.add_argument('--out', type=Path, help='where to write. Default: work_dirs/PIPELINE')
    parser.add_argument(
        '--resume', action='store_true', help='keep what a finished run has trained as well'
    )
    parser.add_argument('--fresh', action='store_true', help='begin with the data again')
    parser.add_argument(
        '--inits',
        nargs='+',
        default=['scratch', 'muscle'],
        metavar='INIT',
        help=f'backbones to fine-tune from, of: {", ".join(INITIALISATIONS)}. '
        'Default: scratch muscle',
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of all training. Default: 0')
    parser.add_argument(
        '--jobs', type=int, help='trainings at the same time. Default: 2, or 1 on a single core'
    )
    parser.add_argument('--dry-run', action='store_true', help='list the commands')
    return parser.parse_args()


def main() -> None:
    """Run the pipeline."""
    begin = time.monotonic()
    arguments = parse_arguments()
    # `kill` ends the commands just as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    out = (arguments.out or Path('work_dirs') / arguments.pipeline).absolute()
    stages = make_plan(arguments.pipeline, out, arguments.data, arguments.inits, arguments.seed)
    if arguments.dry_run:
        for stage in stages:
            print(f'# {stage.title}\n{" ".join(stage.command)}')
        return
    ledger = Ledger(out / 'logs' / 'state', stages)
    if arguments.fresh:
        ledger.forget(stages)
    elif not arguments.resume and all(ledger.is_done(stage) for stage in stages):
        print('The last run is complete: training again. (--resume keeps what is there.)')
        ledger.forget(stage for stage in stages if not stage.lasting)
    (out / 'logs').mkdir(parents=True, exist_ok=True)
    jobs = arguments.jobs or min(2, available_processors())
    if hide_gpus_without_operators():
        print('mmcv was compiled for the CPU alone (no nvcc): the GPUs are not used.')
    print(f'{len(stages)} stages, results in {out}', flush=True)
    try:
        PipelineRunner(stages, ledger, out / 'logs', jobs, REPOSITORY).run()
    except KeyboardInterrupt:
        print('\nStopped. The same command goes on from here.', file=sys.stderr)
        sys.exit(130)
    report = out / 'report'
    print('\n' + (report / 'results.txt').read_text(encoding='utf-8'))
    for path in sorted(report.iterdir()):
        print(f'  {path}')
    width = min(80, shutil.get_terminal_size().columns)
    print('-' * width + f'\nTotal time: {duration(time.monotonic() - begin)}')


if __name__ == '__main__':
    run_command(main)
