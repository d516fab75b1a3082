# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What a config of continual learning is going to train, before it does."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch

from muscle_mm.datasets.samplers import CyclicTaskBatchSampler
from muscle_mm.engine.cyclic_restart_lr import CyclicRestartLR
from muscle_mm.registry import DATA_SAMPLERS, DATASETS, PARAM_SCHEDULERS
from muscle_mm.schedule import Visit
from muscle_mm.utils.errors import UserError


@dataclass(frozen=True)
class SchedulePlan:
    """A schedule with its learning rates.

    Attributes:
        sizes (dict[str, int]): Training films of each task.
        batch_sizes (dict[str, int]): Films of a batch on each process, for each task.
        iters_per_epoch (dict[str, int]): Iterations of one epoch of each task.
        visits (tuple[Visit, ...]): All visits in time order.
        rates (tuple[float, ...]): Learning rate of every iteration.
    """

    sizes: dict[str, int]
    batch_sizes: dict[str, int]
    iters_per_epoch: dict[str, int]
    visits: tuple[Visit, ...]
    rates: tuple[float, ...]

    @property
    def iterations(self) -> dict[str, int]:
        """dict[str, int]: Iterations of each task over all its visits."""
        return {
            task: sum(visit.length for visit in self.visits if visit.task == task)
            for task in self.sizes
        }

    def peak(self, visit: Visit) -> float:
        """Find the highest learning rate of a visit.

        Args:
            visit (Visit): One of the visits.

        Returns:
            float: The learning rate.
        """
        return max(self.rates[visit.begin : visit.end])

    def to_text(self) -> str:
        """Write the plan as two tables: its visits, and its tasks.

        Returns:
            str: The tables.
        """
        visits = [('visit', 'round', 'task', 'iterations', 'from', 'to', 'epochs', 'peak lr')]
        visits += [
            (
                str(visit.index + 1),
                str(visit.round + 1),
                visit.task,
                str(visit.length),
                str(visit.begin + 1),
                str(visit.end),
                f'{visit.length / self.iters_per_epoch[visit.task]:.4g}',
                f'{self.peak(visit):.3g}',
            )
            for visit in self.visits
        ]
        tasks = [('task', 'films', 'batch', 'visits', 'iterations', 'epochs')]
        tasks += [
            (
                task,
                str(self.sizes[task]),
                str(self.batch_sizes[task]),
                str(sum(visit.task == task for visit in self.visits)),
                str(count),
                f'{count / self.iters_per_epoch[task]:.4g}',
            )
            for task, count in self.iterations.items()
        ]
        tasks.append(('all', '', '', str(len(self.visits)), str(self.visits[-1].end), ''))
        return f'{_aligned(visits)}\n\n{_aligned(tasks)}\n'


def plan_schedule(
    config: Mapping[str, Any], sizes: Mapping[str, int] | None = None, processes: int = 1
) -> SchedulePlan:
    """Evaluate a config's own batch sampler and learning-rate schedulers.

    Args:
        config (Mapping[str, Any]): Config of continual learning.
        sizes (Mapping[str, int], optional): Training films of each task. Defaults to None: counted
            in the data sets that the config names.
        processes (int): Processes that share the batches. Defaults to 1.

    Returns:
        SchedulePlan: The plan.

    Raises:
        UserError: If the config is none of continual learning, the sizes do not name its tasks, or
            they are not given and the data are not there.
    """
    loader = config.get('train_dataloader') or {}
    sampler_config = loader.get('batch_sampler') or {}
    datasets = loader.get('dataset', {}).get('datasets')
    kind = DATA_SAMPLERS.get(sampler_config['type']) if 'type' in sampler_config else None
    if kind is not CyclicTaskBatchSampler or not isinstance(datasets, Mapping):
        raise UserError(
            'this config has no schedule to show: it needs train_dataloader.batch_sampler=dict('
            "type='muscle_mm.CyclicTaskBatchSampler') on a dataset=dict("
            "type='muscle_mm.MultiTaskDataset')."
        )
    if processes < 1:
        raise UserError(f'--processes {processes}: must be at least 1.')
    known = _sizes_of(datasets) if sizes is None else _checked(sizes, datasets)
    sampler: CyclicTaskBatchSampler = DATA_SAMPLERS.build(
        dict(sampler_config),
        default_args=dict(
            # Each process has an equal share of the films.
            sampler=SimpleNamespace(
                dataset=_Sizes({task: math.ceil(size / processes) for task, size in known.items()})
            ),
            batch_size=loader.get('batch_size'),
        ),
    )
    return SchedulePlan(
        sizes=known,
        batch_sizes=sampler.batch_size,
        iters_per_epoch={task: sampler.iters_per_epoch(task) for task in known},
        visits=sampler.visits,
        rates=_rates(config, sampler.visits),
    )


class _Sizes:
    """Stands in for a ``MultiTaskDataset`` of which only the sizes are known."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.tasks = list(sizes)
        self.sizes = sizes

    def seed_samples(self, seed: int) -> None:
        """There are no samples."""

    def first_index(self, task: str) -> int:
        """There are no samples."""
        raise NotImplementedError


def _sizes_of(datasets: Mapping[str, Any]) -> dict[str, int]:
    """Count the films of each task, without the pipelines and so without their toolboxes."""
    try:
        return {
            task: len(DATASETS.build({**dataset, 'pipeline': []}))
            for task, dataset in datasets.items()
        }
    except UserError as error:
        missing = str(error)
    given = ' '.join(f'{task}=N' for task in datasets)
    # Outside of the handler: a tool shows the innermost of several chained errors.
    raise UserError(
        f'{missing}\nWithout the data, say how many training films each task has: --sizes {given}'
    )


def _checked(sizes: Mapping[str, int], datasets: Mapping[str, Any]) -> dict[str, int]:
    if set(sizes) != set(datasets):
        raise UserError(
            f'--sizes has the tasks {sorted(sizes)}, train_dataloader.dataset.datasets '
            f'{sorted(datasets)}.'
        )
    wrong = [task for task, size in sizes.items() if size < 1]
    if wrong:
        raise UserError(f'--sizes {wrong[0]}={sizes[wrong[0]]}: a task needs at least 1 film.')
    return {task: sizes[task] for task in datasets}


def _rates(config: Mapping[str, Any], visits: Sequence[Visit]) -> tuple[float, ...]:
    """Step the schedulers through all iterations on an optimizer of one weight."""
    base = config.get('optim_wrapper', {}).get('optimizer', {}).get('lr')
    if base is None:
        raise UserError('the config has no optim_wrapper.optimizer.lr to show.')
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    configs = config.get('param_scheduler') or []
    configs = [configs] if isinstance(configs, Mapping) else configs
    schedulers = [
        PARAM_SCHEDULERS.build(dict(item), default_args=dict(optimizer=optimizer))
        for item in configs
    ]
    for scheduler in schedulers:
        if isinstance(scheduler, CyclicRestartLR):
            scheduler.follow(visits)
    rates = []
    for _ in range(visits[-1].end):
        rates.append(float(optimizer.param_groups[0]['lr']))
        optimizer.step()  # without a gradient nothing moves; schedulers warn if it is left out
        for scheduler in schedulers:
            scheduler.step()
    return tuple(rates)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Align columns: words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    words = [not rows[1][place][:1].isdigit() for place in range(len(widths))]
    return '\n'.join(
        '  '.join(
            cell.ljust(width) if word else cell.rjust(width)
            for cell, width, word in zip(row, widths, words, strict=True)
        ).rstrip()
        for row in rows
    )
