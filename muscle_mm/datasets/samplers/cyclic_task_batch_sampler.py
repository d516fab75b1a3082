# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The training batches of the continual schedule."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from muscle_mm.datasets.samplers.task_batches import (
    batches,
    epoch_permutation,
    own_share,
    repeat_to_multiple,
)
from muscle_mm.registry import DATA_SAMPLERS
from muscle_mm.schedule import Visit, make_visits
from muscle_mm.utils.errors import UserError


@DATA_SAMPLERS.register_module()
class CyclicTaskBatchSampler(Sampler[list[int]]):
    """Yields the whole cyclic and reshuffled schedule, every batch from one task.

    The schedule and every batch are a function of (seed, iteration): all ranks train the same task
    at the same time, and to resume is to set :attr:`first_iteration`. An index is ``epoch *
    len(dataset) + place``, with the epoch of the task, so that what is random in a sample does not
    depend on the workers, nor on an interruption: see
    :class:`muscle_mm.datasets.seeded_samples.SeededSamples`. MUSCLE-- is
    ``reshuffle=False, rounds=1`` with ``epochs_per_visit`` multiplied by MUSCLE's rounds.

    Args:
        sampler (Any): mmengine passes its per-sample sampler; only its ``dataset``, a
            :class:`MultiTaskDataset`, and its ``seed``, that of the run, are used.
        batch_size (int | dict[str, int]): Samples per process and batch, for all tasks or for each;
            mmengine passes ``train_dataloader.batch_size``. Every batch is full: the last one of an
            epoch goes on with the epoch's first samples.
        rounds (int): Number of rounds. Defaults to 3, our choice.
        epochs_per_visit (int | dict[str, int]): Epochs of a task in one visit. Defaults to 1.
        iters_per_visit (int | dict[str, int], optional): Iterations of one visit, in place of
            epochs. Defaults to None.
        reshuffle (bool): Whether each round has an order of its own. Defaults to True.
        seed (int): Seed of the schedule and of the order of samples. Defaults to 0.

    Raises:
        UserError: If the data set is no :class:`MultiTaskDataset`, or a task has no entry.
    """

    def __init__(
        self,
        sampler: Any,
        batch_size: int | Mapping[str, int],
        rounds: int = 3,
        epochs_per_visit: int | Mapping[str, int] = 1,
        iters_per_visit: int | Mapping[str, int] | None = None,
        reshuffle: bool = True,
        seed: int = 0,
    ) -> None:
        self.dataset = task_dataset_of(sampler, type(self).__name__)
        self.sampler = sampler
        self.rank, self.world_size = get_dist_info()
        self.seed = seed
        self.dataset.seed_samples(getattr(sampler, 'seed', seed))
        self.batch_size = per_task(batch_size, self.dataset.tasks, 'batch_size')
        epochs = per_task(epochs_per_visit, self.dataset.tasks, 'epochs_per_visit')
        if iters_per_visit is None:
            lengths = {
                task: epochs[task] * self.iters_per_epoch(task) for task in self.dataset.tasks
            }
        else:
            lengths = per_task(iters_per_visit, self.dataset.tasks, 'iters_per_visit')
        self.visits: tuple[Visit, ...] = make_visits(lengths, rounds, seed, reshuffle)
        self.first_iteration = 0
        self._cached_epoch: tuple[str, int] | None = None
        self._cached_batches: list[list[int]] = []

    def iters_per_epoch(self, task: str) -> int:
        """Count the batches that one epoch of a task takes.

        Args:
            task (str): The task's name.

        Returns:
            int: Batches on each process.
        """
        share = math.ceil(self.dataset.sizes[task] / self.world_size)
        return math.ceil(share / self.batch_size[task])

    def __len__(self) -> int:
        """Count the iterations of the whole schedule."""
        return self.visits[-1].end

    def __iter__(self) -> Iterator[list[int]]:
        """Yield this process's batches from :attr:`first_iteration` on."""
        done = dict.fromkeys(self.dataset.tasks, 0)
        for visit in self.visits:
            first = max(self.first_iteration - visit.begin, 0)
            start = done[visit.task]
            for step in range(start + first, start + visit.length):
                yield self.batch(visit.task, step)
            done[visit.task] += visit.length

    def batch(self, task: str, step: int) -> list[int]:
        """Compute one batch.

        Args:
            task (str): The task's name.
            step (int): Number of batches of this task before it, over all its visits.

        Returns:
            list[int]: Indices of the multi-task data set, for this process.
        """
        epoch, position = divmod(step, self.iters_per_epoch(task))
        if self._cached_epoch != (task, epoch):
            order = epoch_permutation(
                self.dataset.sizes[task], self.seed, self.dataset.tasks.index(task), epoch
            )
            # Full batches only: BatchNorm after a global pooling cannot train on a single sample.
            # Filled up before they are dealt out: all processes together have the batch that one
            # process with that batch size would have.
            order = repeat_to_multiple(order, self.batch_size[task] * self.world_size)
            share = own_share(order, self.rank, self.world_size)
            self._cached_batches = list(batches(share, self.batch_size[task]))
            self._cached_epoch = (task, epoch)
        first = epoch * len(self.dataset) + self.dataset.first_index(task)
        return [first + index for index in self._cached_batches[position]]


def per_task(value: int | Mapping[str, int], tasks: list[str], key: str) -> dict[str, int]:
    """Spread one value over all tasks, or check that each has its own.

    Args:
        value (int | Mapping[str, int]): One value, or one for each task.
        tasks (list[str]): Task names.
        key (str): Config key, for the message.

    Returns:
        dict[str, int]: A value for each task.

    Raises:
        UserError: If a task has no value, a value is for no task, or one is below 1.
    """
    values = dict(value) if isinstance(value, Mapping) else dict.fromkeys(tasks, value)
    if set(values) != set(tasks):
        raise UserError(
            f'batch_sampler.{key} has the tasks {sorted(values)}, the data set {sorted(tasks)}.'
        )
    for task, number in values.items():
        if number < 1:
            raise UserError(f'batch_sampler.{key}={number} for task {task!r}: must be at least 1.')
    return values


def task_dataset_of(sampler: Any, needed_by: str) -> Any:
    """Get the multi-task data set behind mmengine's per-sample sampler.

    Args:
        sampler (Any): The sampler that mmengine built.
        needed_by (str): Name of the batch sampler, for the message.

    Returns:
        Any: The :class:`MultiTaskDataset`.

    Raises:
        UserError: If it is another data set.
    """
    dataset = getattr(sampler, 'dataset', None)
    if dataset is None:
        dataset = getattr(sampler, 'data_source', None)
    if not hasattr(dataset, 'first_index'):
        raise UserError(
            f"{needed_by} needs dataset=dict(type='muscle_mm.MultiTaskDataset', ...), got "
            f'{type(dataset).__name__}.'
        )
    return dataset
