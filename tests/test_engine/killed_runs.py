# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Train once without interruption and once killed at several points: killed_runs.py FOLDER.

Each run is a process of its own, forked before torch computes anything, so that nothing is imported
twice. Runs that are killed die of SIGKILL.
"""

import importlib.util
import os
import signal
import sys
from pathlib import Path

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

specification = importlib.util.spec_from_file_location(
    'continual_parts', Path(__file__).with_name('conftest.py')
)
parts = importlib.util.module_from_spec(specification)
specification.loader.exec_module(parts)


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


class KillHook(Hook):
    """Kills its process at a point of the training.

    Args:
        point (str): 'step' is before the checkpoint of an iteration, 'saving' in the middle of it,
            'validation' in the middle of the validation after it.
        iteration (int): Number of iterations, from 1.
    """

    priority = 'HIGHEST'

    def __init__(self, point, iteration):
        self.point, self.iteration = point, iteration

    def after_train_iter(self, runner, *_, **__):
        if runner.iter + 1 != self.iteration:
            return
        if self.point == 'step':
            kill()
        if self.point == 'saving':

            def cut_off(handle):
                os.ftruncate(handle, os.fstat(handle).st_size // 2)
                kill()

            os.fsync = cut_off

    def before_val(self, runner):
        if (self.point, self.iteration) == ('before validation', runner.iter):
            kill()

    def after_val_iter(self, runner, batch_idx, *_, **__):
        if (self.point, self.iteration, batch_idx) == ('validation', runner.iter, 1):
            kill()


def run(work_dir, workers, killed_at=None):
    """Train in a process of its own; returns the signal that ended it, 0 without one."""
    process = os.fork()
    if process:
        return os.WTERMSIG(os.waitpid(process, 0)[1])
    try:
        torch.set_num_threads(1)
        config = parts.continual_config(work_dir)
        # Dropout: the one random thing of these steps.
        config['model']['tasks']['bone']['head'] = dict(
            type='mmpretrain.StackedLinearClsHead',
            num_classes=2,
            in_channels=32,
            mid_channels=[8],
            dropout_rate=0.5,
            topk=(1,),
        )
        config['train_dataloader']['num_workers'] = workers
        config['default_hooks']['checkpoint'] = dict(
            type='muscle_mm.AtomicCheckpointHook', by_epoch=False, interval=1, max_keep_ckpts=1
        )
        config |= dict(resume=True)
        # As long as there is no checkpoint this changes nothing; a run must not depend on it.
        torch.manual_seed(os.getpid())
        runner = Runner(**config)
        if killed_at is not None:
            runner.register_hook(KillHook(*killed_at))
        runner.train()
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main():
    folder = Path(sys.argv[1])
    assert run(folder / 'whole' / 'run', workers=0) == 0
    # 18 iterations; visits end at 2, 5, 9, 13, 16 and 18.
    points = [
        ('step', 4),
        ('validation', 5),
        ('saving', 8),
        ('before validation', 13),
        ('validation', 18),
    ]
    for number, point in enumerate(points):
        died_of = run(folder / 'killed' / 'run', workers=number % 2, killed_at=point)
        assert died_of == signal.SIGKILL, (point, died_of)
    assert run(folder / 'killed' / 'run', workers=1) == 0


if __name__ == '__main__':
    main()
