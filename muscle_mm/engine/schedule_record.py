# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a checkpoint knows of the schedule it belongs to, so that no other one goes on from it."""

from typing import Any

from muscle_mm.engine.continual_train_loop import ContinualTrainLoop
from muscle_mm.utils.errors import UserError

#: Key in a checkpoint's ``meta``.
SCHEDULE = 'continual_schedule'

#: What is compared, in the order in which one difference explains the next, with its config key.
_COMPARED = {
    'tasks': ('tasks', 'train_dataloader.dataset.datasets'),
    'sizes': ('training films of each task', 'train_dataloader.dataset.datasets'),
    'batch_sizes': (
        'samples of a batch over all processes',
        'train_dataloader.batch_size and the number of processes',
    ),
    'schedule_seed': ('seed of the schedule', 'train_dataloader.batch_sampler.seed'),
    'run_seed': ('seed of the run', 'randomness.seed'),
    'visits': (
        'visits (task:iterations)',
        'train_dataloader.batch_sampler (rounds, epochs_per_visit, iters_per_visit, reshuffle)',
    ),
}


def schedule_record(loop: ContinualTrainLoop) -> dict[str, Any]:
    """Describe all that decides which samples are trained when.

    Args:
        loop (ContinualTrainLoop): The loop.

    Returns:
        dict[str, Any]: Numbers and strings alone, as ``torch.load(weights_only=True)`` reads them.
    """
    sampler = loop.dataloader.batch_sampler
    return {
        'tasks': list(sampler.dataset.tasks),
        'sizes': dict(sampler.dataset.sizes),
        'batch_sizes': {
            task: size * sampler.world_size for task, size in sampler.batch_size.items()
        },
        'schedule_seed': sampler.seed,
        # Not the runner's: mmengine sets that one to what it finds in the checkpoint.
        'run_seed': getattr(sampler.sampler, 'seed', None),
        'visits': ' '.join(f'{visit.task}:{visit.length}' for visit in loop.visits),
    }


def refuse_other_schedule(checkpoint: dict[str, Any], loop: ContinualTrainLoop) -> None:
    """Let a run go on from a checkpoint of its own schedule alone.

    Args:
        checkpoint (dict[str, Any]): What is resumed from.
        loop (ContinualTrainLoop): The loop that would go on.

    Raises:
        UserError: If tasks, their sizes, batches, seeds or visits are others, or the checkpoint
            does not say them.
    """
    meta = checkpoint.get('meta', {})
    way_out = (
        'Resume with the settings of the run that wrote it, or start a new schedule from its '
        'weights: load_from=CHECKPOINT without resume.'
    )
    saved, now = meta.get(SCHEDULE), schedule_record(loop)
    if saved is None:
        raise UserError(
            'the checkpoint to resume from does not say which schedule it belongs to, so that it '
            f'cannot be gone on with: no continual run of this package wrote it. {way_out}'
        )
    differing = [key for key in _COMPARED if saved.get(key) != now[key]]
    if differing:
        key = differing[0]
        name, config_key = _COMPARED[key]
        hint = ''
        if key == 'tasks' and sorted(saved.get(key, ())) == sorted(now[key]):
            hint = 'Their order counts, and mmengine sorts them in the copy of a config. '
        raise UserError(
            f'this is another schedule than that of the checkpoint (iteration {meta.get("iter")}): '
            f'{name}: saved {_shown(saved.get(key))}, now {_shown(now[key])}. {hint}'
            f'Config key: {config_key}. {way_out}'
        )


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ', '.join(f'{key}={number}' for key, number in value.items())
    return ', '.join(value) if isinstance(value, list) else str(value)
