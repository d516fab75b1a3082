# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Measure how long a training iteration takes, by a few real ones of each kind."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from muscle_mm.pipeline.estimate import read_rates, stage_config
from muscle_mm.pipeline.output import error_in
from muscle_mm.pipeline.stage import Stage
from muscle_mm.pipeline.steps import REPOSITORY
from muscle_mm.reporting.scalars import read_scalars
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.processors import available_processors
from muscle_mm.utils.whole_file import whole_file

#: Iterations that are trained; the first is not counted, in which loading begins.
ITERATIONS = 8


def measure_rates(stages: Sequence[Stage], path: Path, jobs: int = 1) -> dict[str, float]:
    """Train a few iterations of each kind of stage that has no rate yet.

    The real config and the real films, from random weights, in a scratch folder that is removed.
    Validation and test are not part of it. Each has as many threads as it would have beside others,
    and otherwise the machine for itself.

    Args:
        stages (Sequence[Stage]): The stages; those without a config are passed over.
        path (Path): Keeps the rates, and what it has is not measured again.
        jobs (int): Trainings at the same time in the study. Defaults to 1.

    Returns:
        dict[str, float]: Seconds of an iteration of each kind.

    Raises:
        UserError: If a training fails.
    """
    rates = read_rates(path)
    scratch = path.parent / 'measure'
    for stage in stages:
        if stage.config is None or stage.kind in rates:
            continue
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        rates[stage.kind] = _rate(stage, scratch, max(1, available_processors() // jobs))
        print(f'{stage.kind}: {rates[stage.kind]:.3g} s an iteration', flush=True)
        with whole_file(path) as unfinished:
            unfinished.write_text(json.dumps(rates, indent=1) + '\n')
    shutil.rmtree(scratch, ignore_errors=True)
    return rates


def _rate(stage: Stage, scratch: Path, threads: int) -> float:
    """Train, and read the times from mmengine's log."""
    config = _shortened(stage_config(stage))
    config.dump(scratch / 'config.py')
    work_dir = scratch / 'work'
    tool = REPOSITORY / 'tools' / 'train.py'
    result = subprocess.run(
        [sys.executable, str(tool), str(scratch / 'config.py'), '--work-dir', str(work_dir)],
        env={
            **os.environ,
            'OMP_NUM_THREADS': str(threads),
            'PYTHONPATH': str(REPOSITORY),
            **stage.environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='replace',
    )
    times = [record['time'] for record in read_scalars(work_dir).train if 'time' in record][1:]
    if result.returncode != 0 or not times:
        reason = error_in(result.stdout) or result.stdout[-1000:]
        raise UserError(f'{stage.title}: cannot be measured: {reason}')
    return sum(times) / len(times)


def _shortened(config: Config) -> Config:
    """Leave a few iterations of a training, and nothing but training."""
    for part in ('val', 'test'):
        config[f'{part}_cfg'] = config[f'{part}_dataloader'] = config[f'{part}_evaluator'] = None
    config.default_hooks.checkpoint = dict(type='CheckpointHook', interval=-1, save_last=False)
    config.default_hooks.logger.interval = 1
    by_epoch = 'max_epochs' in config.train_cfg
    config.log_processor = dict(window_size=1, by_epoch=by_epoch)
    config.model.backbone.init_cfg.checkpoint = None
    # cuDNN's search for its fastest algorithms would take longer than these iterations.
    config.env_cfg.cudnn_benchmark = False
    loader = config.train_dataloader
    if by_epoch:
        config.train_cfg.max_epochs = 1
        films = ITERATIONS * loader.batch_size
        key = 'epoch_size' if 'datasets' in loader.dataset else 'indices'
        loader.dataset[key] = films
        config.custom_hooks = [
            hook for hook in config.custom_hooks if hook.type == 'muscle_mm.MomentumUpdateHook'
        ]
        return config
    from muscle_mm.reporting.schedule_plan import plan_schedule

    # Each task has its share, and with a second round each has its memory.
    iterations = plan_schedule(config).iterations
    share = 2 * ITERATIONS / sum(iterations.values())
    loader.batch_sampler.iters_per_visit = {
        task: max(1, round(count * share)) for task, count in iterations.items()
    }
    loader.batch_sampler.rounds = min(2, loader.batch_sampler.rounds)
    for hook in config.custom_hooks:
        if hook.type == 'muscle_mm.ContinualMultiTaskHook':
            hook.validate_before_training = False
    return config
