# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The validation batches of several tasks."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from muscle_mm.datasets.samplers.cyclic_task_batch_sampler import per_task, task_dataset_of
from muscle_mm.datasets.samplers.task_batches import batches, own_share
from muscle_mm.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class SequentialTaskBatchSampler(Sampler[list[int]]):
    """Yields every sample of every task once, in order, every batch from one task.

    With several processes the samples of a task are dealt out one by one, as mmengine's metrics
    expect when they put the results together.

    Args:
        sampler (Any): mmengine passes its per-sample sampler; only its ``dataset``, a
            :class:`MultiTaskDataset`, is used.
        batch_size (int | dict[str, int]): Samples per process and batch, for all tasks or for each.

    Raises:
        UserError: If the data set is no :class:`MultiTaskDataset`, or a task has no entry.
    """

    def __init__(self, sampler: Any, batch_size: int | Mapping[str, int]) -> None:
        self.dataset = task_dataset_of(sampler, type(self).__name__)
        self.sampler = sampler
        rank, world_size = get_dist_info()
        sizes = per_task(batch_size, self.dataset.tasks, 'batch_size')
        self._batches: list[list[int]] = []
        for task in self.dataset.tasks:
            first = self.dataset.first_index(task)
            indices = range(first, first + self.dataset.sizes[task])
            self._batches += batches(own_share(indices, rank, world_size), sizes[task])

    def __len__(self) -> int:
        """Count this process's batches."""
        return len(self._batches)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield this process's batches."""
        return iter(self._batches)
