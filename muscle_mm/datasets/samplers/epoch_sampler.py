# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""mmengine's sampler for data sets whose samples are reproducible."""

from collections.abc import Iterator
from typing import Any

from mmengine.dataset import DefaultSampler

from muscle_mm.registry import DATA_SAMPLERS
from muscle_mm.utils.errors import UserError


@DATA_SAMPLERS.register_module()
class EpochSampler(DefaultSampler):
    """Tells the data set the seed of the run, and with every index the epoch.

    In other respects mmengine's ``DefaultSampler``: it shuffles anew in each epoch and deals the
    places out to the processes. An index is ``epoch * len(dataset) + place``. The random views of a
    film are then the same with any number of workers, other ones in the next epoch, other ones with
    another ``randomness.seed``, and after a resume those of a run without interruption.

    Args:
        dataset (Any): A :class:`muscle_mm.datasets.MultiXrayDataset`.
        **kwargs: Of ``DefaultSampler``: ``shuffle``, ``seed`` and ``round_up``. mmengine passes the
            seed of the run.

    Raises:
        UserError: If the data set is another one.
    """

    def __init__(self, dataset: Any, **kwargs: Any) -> None:
        # Of the class: mmengine's wrapper for num_batch_per_epoch passes attributes on.
        if not hasattr(type(dataset), 'seed_samples'):
            raise UserError(
                "EpochSampler needs dataset=dict(type='muscle_mm.MultiXrayDataset', ...), got "
                f'{type(dataset).__name__}. For shorter epochs set its epoch_size, not '
                "num_batch_per_epoch; for other data sets use sampler=dict(type='DefaultSampler')."
            )
        super().__init__(dataset, **kwargs)
        dataset.seed_samples(self.seed)

    def __iter__(self) -> Iterator[int]:
        """Yield this process's indices of the epoch."""
        first = self.epoch * len(self.dataset)
        return (first + place for place in super().__iter__())
