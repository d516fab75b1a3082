# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""All tasks' data sets behind one index."""

from bisect import bisect_right
from functools import partial
from itertools import accumulate
from typing import Any

from torch.utils.data import Dataset

from muscle_mm.datasets.seeded_samples import SeededSamples
from muscle_mm.datasets.unreadable_files import UnreadableFiles
from muscle_mm.datasets.xray_dataset import read_from
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.toolbox import require_toolboxes_in


@DATASETS.register_module()
class MultiTaskDataset(SeededSamples, Dataset):
    """One data set per task, one after the other, each sample labelled with its task.

    A batch sampler (:class:`muscle_mm.datasets.samplers.CyclicTaskBatchSampler`) sees to it that a
    batch holds one task alone, and that a training sample is a function of ``randomness.seed`` and
    its index alone. Each task keeps its own pipeline and sizes.

    A training file that turns out to be unreadable is logged, and another image of its task, drawn
    at random, takes its place; in validation and test (``test_mode=True``) it is an error.

    Args:
        datasets (dict[str, dict]): For each task's name the config of its data set.
        max_unreadable (float): Fraction of a task's training files, from 0 to 1, that may turn out
            to be unreadable; one file always may, unless it is 0. Defaults to 0.01.

    Raises:
        UserError: If there is no task, a task's data set is empty, a toolbox that a pipeline names
            is missing or, while samples are read, too many files of a task are unreadable.
    """

    def __init__(self, datasets: dict[str, dict[str, Any]], max_unreadable: float = 0.01) -> None:
        if not datasets:
            raise UserError('MultiTaskDataset.datasets is empty: it needs at least one task.')
        self.datasets: dict[str, Any] = {}
        for name, config in datasets.items():
            require_toolboxes_in(config, f'the data set of task {name!r}')
            self.datasets[name] = DATASETS.build(config)
        self.tasks = list(self.datasets)
        self.sizes = {name: len(dataset) for name, dataset in self.datasets.items()}
        for name, size in self.sizes.items():
            if size == 0:
                raise UserError(f'the data set of task {name!r} is empty.')
        self._ends = list(accumulate(self.sizes.values()))
        #: For each task the training files that turned out to be unreadable.
        self.unreadable = {
            name: UnreadableFiles(name, size, max_unreadable) for name, size in self.sizes.items()
        }

    @property
    def metainfo(self) -> dict[str, Any]:
        """dict[str, Any]: ``tasks``: for each task its data set's metainfo and ``size``."""
        return {
            'tasks': {
                name: {**dataset.metainfo, 'size': self.sizes[name]}
                for name, dataset in self.datasets.items()
            }
        }

    def first_index(self, task: str) -> int:
        """Find where a task's samples begin.

        Args:
            task (str): The task's name.

        Returns:
            int: Index of its first sample.
        """
        position = self.tasks.index(task)
        return self._ends[position] - self.sizes[task]

    def full_init(self) -> None:
        """Load the annotations of data sets that put it off (mmengine's ``lazy_init``)."""
        for dataset in self.datasets.values():
            if hasattr(dataset, 'full_init'):
                dataset.full_init()

    def __len__(self) -> int:
        """Count the samples of all tasks."""
        return self._ends[-1]

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Get a sample.

        Args:
            index (int): Index over all tasks; under the batch sampler, plus the epoch of the task
                times the number of all samples.

        Returns:
            dict[str, Any]: What the task's pipeline packs, and ``task``, the task's name.
        """
        place = index if self._run_seed is None else index % len(self)
        task = self.tasks[bisect_right(self._ends, place)]
        dataset, image = self.datasets[task], place - self.first_index(task)
        with self.random_stream(index):
            if getattr(dataset, 'test_mode', False):
                sample = dataset[image]
            else:
                sample = self.unreadable[task].read(image, partial(read_from, dataset))
        return {'task': task, **sample}
