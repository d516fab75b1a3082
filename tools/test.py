# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Evaluate a trained model on the test split: ``python tools/test.py CONFIG CHECKPOINT``."""

import argparse
from pathlib import Path

from muscle_mm.command_line.config_options import add_common_arguments, load_config
from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.command_line.processes_on_cpu import end_processes, prepare_processes_on_cpu
from muscle_mm.utils.errors import UserError


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(description='Evaluate a trained model.')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', help='file for the predictions (.pkl) or the metrics (.json)')
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        help='what --out gets. Defaults to metrics for .json and predictions otherwise',
    )
    add_common_arguments(parser)
    return parser.parse_args()


def main() -> None:
    """Evaluate."""
    arguments = parse_arguments()
    if arguments.out_item and not arguments.out:
        raise UserError('--out-item needs --out FILE.')
    config = load_config(arguments)
    if not Path(arguments.checkpoint).is_file():
        raise UserError(f'checkpoint {arguments.checkpoint} does not exist. Check the path.')
    config.load_from = arguments.checkpoint
    if arguments.amp:
        config.test_cfg.fp16 = True

    from mmengine.device import get_device
    from mmengine.evaluator import DumpResults
    from mmengine.fileio import dump
    from mmengine.registry import RUNNERS
    from mmengine.runner import Runner

    from muscle_mm.pipeline.devices import require_gpu_operators

    prepare_processes_on_cpu(config)
    runner = RUNNERS.build(config) if 'runner_type' in config else Runner.from_cfg(config)
    require_gpu_operators(runner.model, get_device())
    wants_metrics = arguments.out_item == 'metrics' or (
        arguments.out_item is None and str(arguments.out).endswith('.json')
    )
    if arguments.out and not wants_metrics:
        runner.test_evaluator.metrics.append(DumpResults(out_file_path=arguments.out))
    metrics = runner.test()
    if arguments.out and wants_metrics and runner.rank == 0:
        dump(metrics, arguments.out)
    del runner
    end_processes()


if __name__ == '__main__':
    run_command(main)
