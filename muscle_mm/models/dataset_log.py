# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Measures of a contrastive batch, set by set."""

import zlib
from collections.abc import Sequence

import torch
from torch import Tensor

from muscle_mm.models.info_nce import InfoNCE

#: Iterations from one average of the sets to the next. mmengine copies the whole history of each
#: logged number at each iteration that adds to it: nine sets would slow a long run down.
LOG_INTERVAL = 10


def dataset_numbers(dataset: Sequence[str]) -> Tensor:
    """Number data sets in the same way in every process and every run.

    Args:
        dataset (Sequence[str]): N names.

    Returns:
        Tensor: (N,) int64, the names' check sums, not negative.
    """
    return torch.tensor([zlib.crc32(name.encode()) for name in dataset])


class DatasetLog:
    """Averages measures over the films of each set, once a run has met several sets.

    With one set the averages over the batch say the same. Every tenth batch is averaged. A set that
    is not in a batch is left out, so that mmengine's log goes on with the batches that hold it.
    """

    def __init__(self) -> None:
        self._met: set[str] = set()

    def averages(
        self, measures: InfoNCE, dataset: Sequence[str] | None, iteration: int
    ) -> dict[str, Tensor]:
        """Average a batch.

        Args:
            measures (InfoNCE): One value a film.
            dataset (Sequence[str], optional): The set's name of each film.
            iteration (int): Number of the batch, from 0.

        Returns:
            dict[str, Tensor]: Scalars ``loss/SET``, ``positive_similarity/SET`` and
            ``contrast_accuracy/SET``, without gradient; empty as long as there is one set, and
            in nine of ten iterations.
        """
        if dataset is None:
            return {}
        names = sorted(set(dataset))
        self._met.update(names)
        if len(self._met) < 2 or iteration % LOG_INTERVAL:
            return {}
        # One multiplication for all sets: masks would make the device wait for their sizes.
        members = torch.tensor([[name == own for own in dataset] for name in names]).float()
        shares = members / members.sum(dim=1, keepdim=True)
        shares = shares.to(measures.loss.device, non_blocking=True)
        with torch.autocast(shares.device.type, enabled=False):
            means = shares @ torch.stack([value.detach() for value in measures], dim=1)
        return {
            f'{label}/{name}': means[row, column]
            for row, name in enumerate(names)
            for column, label in enumerate(InfoNCE._fields)
        }
