# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Train a model: ``python tools/train.py CONFIG``.

Takes the configs of all three toolboxes; each toolbox's own ``tools/train.py`` takes the configs of
this package as well. This one differs in its messages.
"""

import argparse
from typing import Any

from muscle_mm.command_line.config_options import add_common_arguments, load_config
from muscle_mm.command_line.friendly_errors import run_command
from muscle_mm.command_line.processes_on_cpu import end_processes, prepare_processes_on_cpu
from muscle_mm.utils.errors import UserError


def parse_arguments() -> argparse.Namespace:
    """Read the command line.

    Returns:
        argparse.Namespace: The arguments.
    """
    parser = argparse.ArgumentParser(description='Train a model.')
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from a checkpoint; without one, from the latest in the work directory',
    )
    parser.add_argument('--no-validate', action='store_true', help='train without evaluating')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the batch size (auto_scale_lr of the config)',
    )
    add_common_arguments(parser)
    return parser.parse_args()


def refuse_empty_epochs(runner: Any) -> None:
    """Say that there are fewer films than a batch holds, where mmengine fails an assertion.

    Args:
        runner (Runner): Builds its data loader here, as it would when it begins to train.

    Raises:
        UserError: If an epoch has no batch.
    """
    from mmengine.runner import EpochBasedTrainLoop

    if isinstance(runner.train_loop, EpochBasedTrainLoop) and not len(runner.train_dataloader):
        loader = runner.train_dataloader
        raise UserError(
            f'an epoch has no batch: {len(loader.dataset)} films are fewer than one of '
            f'train_dataloader.batch_size={loader.batch_size} for each process, and '
            'drop_last=True leaves out what does not fill it. Add films, or --cfg-options '
            'train_dataloader.batch_size=N (or train_dataloader.drop_last=False).'
        )


def main() -> None:
    """Train."""
    arguments = parse_arguments()
    config = load_config(arguments)
    if arguments.no_validate:
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
    if arguments.amp:
        config.optim_wrapper.type = 'AmpOptimWrapper'
        config.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if arguments.auto_scale_lr:
        if not (config.get('auto_scale_lr') or {}).get('base_batch_size'):
            raise UserError(
                f'--auto-scale-lr: {arguments.config} does not say for which batch size its '
                'learning rate is. Add auto_scale_lr=dict(enable=False, base_batch_size=N), N '
                'films in all processes together.'
            )
        config.merge_from_dict({'auto_scale_lr.enable': True})
    if arguments.resume is not None:
        config.resume = True
        config.load_from = None if arguments.resume == 'auto' else arguments.resume

    # torch is imported only once the config is known to be readable.
    from mmengine.device import get_device
    from mmengine.registry import RUNNERS
    from mmengine.runner import Runner

    from muscle_mm.pipeline.devices import require_gpu_operators

    prepare_processes_on_cpu(config)
    runner = RUNNERS.build(config) if 'runner_type' in config else Runner.from_cfg(config)
    require_gpu_operators(runner.model, get_device())
    refuse_empty_epochs(runner)
    runner.train()
    del runner
    end_processes()


if __name__ == '__main__':
    run_command(main)
