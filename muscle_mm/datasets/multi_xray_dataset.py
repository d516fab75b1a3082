# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The union of any number of X-ray data sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmengine.dataset import Compose
from torch.utils.data import Dataset

from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError


@DATASETS.register_module()
class MultiXrayDataset(Dataset):
    """Radiographs of several sets as one, for step 1 (MD-MoCo).

    Without weights, an epoch holds every image once. With weights, every set has a fixed number of
    places in an epoch. A set with fewer images than places repeats them evenly. In a set with more
    images than places, each place stands for an equal share of the images and draws one of them,
    with torch's generator, each time it is read: epoch after epoch the whole set is seen, and
    nothing has to be told which epoch it is.

    Args:
        datasets (Sequence[dict | XrayDataset]): The sets, or their configs.
        weights (str | Sequence[float], optional): 'equal', or one number a set: its share of the
            images of an epoch. Defaults to None: by size.
        epoch_size (int, optional): Images of an epoch. Defaults to None: all images together.
        pipeline (Sequence, optional): Transforms for every set, instead of the sets' own. Defaults
            to None.
        seed (int): Decides which images share a place. Defaults to 0.

    Raises:
        UserError: If there is no set, or the weights do not fit the sets.
    """

    def __init__(
        self,
        datasets: Sequence[Any],
        weights: str | Sequence[float] | None = None,
        epoch_size: int | None = None,
        pipeline: Sequence[dict | Callable] | None = None,
        seed: int = 0,
    ) -> None:
        if not datasets:
            raise UserError('MultiXrayDataset: datasets is empty. Give at least one data set.')
        if epoch_size is not None and epoch_size < 1:
            raise UserError(f'MultiXrayDataset: epoch_size={epoch_size} must be positive.')
        self.datasets = [
            DATASETS.build(item) if isinstance(item, dict) else item for item in datasets
        ]
        self.pipeline = None if pipeline is None else Compose(list(pipeline))
        self.seed = seed
        sizes = [len(dataset) for dataset in self.datasets]
        total = sum(sizes) if epoch_size is None else epoch_size
        shares = self._shares(weights, sizes)
        #: Places of each set in an epoch.
        self.places = sizes if shares == sizes and total == sum(sizes) else _divide(total, shares)
        self._ends = torch.tensor(self.places).cumsum(0).tolist()
        # A fixed shuffle, so that the images that share a place are not those of one patient.
        self._orders = [
            torch.randperm(size, generator=torch.Generator().manual_seed(seed)).tolist()
            if places < size
            else None
            for size, places in zip(sizes, self.places, strict=True)
        ]

    def _shares(self, weights: str | Sequence[float] | None, sizes: list[int]) -> list[float]:
        """Turn the option into one number a set."""
        if weights is None:
            return list(sizes)
        if weights == 'equal':
            return [1.0] * len(sizes)
        if isinstance(weights, str):
            raise UserError(
                f"MultiXrayDataset: weights={weights!r} is unknown. Use None, 'equal' or numbers."
            )
        shares = [float(weight) for weight in weights]
        if len(shares) != len(sizes) or min(shares) < 0 or not sum(shares) > 0:
            raise UserError(
                f'MultiXrayDataset: weights={list(weights)} must be {len(sizes)} numbers, one a '
                'data set, none negative and not all zero.'
            )
        return shares

    @property
    def metainfo(self) -> dict[str, Any]:
        """What holds for the union: its name and the names of its sets."""
        names = [dataset.metainfo.get('dataset', '') for dataset in self.datasets]
        return {'dataset': type(self).__name__, 'datasets': names}

    def full_init(self) -> None:
        """Read what was left to be read later."""
        for dataset in self.datasets:
            dataset.full_init()

    def __len__(self) -> int:
        return self._ends[-1]

    def locate(self, index: int) -> tuple[int, int]:
        """Find the image of a place.

        Args:
            index (int): Place in the epoch, from 0.

        Returns:
            tuple[int, int]: Number of the set and index of the image in it; drawn from the place's
            images where it stands for several.

        Raises:
            IndexError: If there is no such place.
        """
        if not 0 <= index < len(self):
            raise IndexError(f'MultiXrayDataset: index {index} is outside 0 to {len(self) - 1}.')
        which = next(number for number, end in enumerate(self._ends) if index < end)
        place = index - (self._ends[which] - self.places[which])
        order = self._orders[which]
        if order is None:
            return which, place % len(self.datasets[which])
        step = self.places[which]
        choices = len(range(place, len(order), step))
        draw = int(torch.randint(choices, ())) if choices > 1 else 0
        return which, order[place + draw * step]

    def get_data_info(self, index: int) -> dict[str, Any]:
        """Give the record of a place; see ``locate``."""
        which, image = self.locate(index)
        return self.datasets[which].get_data_info(image)

    def __getitem__(self, index: int) -> dict[str, Any]:
        which, image = self.locate(index)
        if self.pipeline is None:
            return self.datasets[which][image]
        return self.pipeline(self.datasets[which].get_data_info(image))


def _divide(total: int, shares: list[float]) -> list[int]:
    """Divide a number by shares into whole parts that add up to it (largest remainders)."""
    exact = [total * share / sum(shares) for share in shares]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: parts[i] - exact[i])
    for number in by_remainder[: total - sum(parts)]:
        parts[number] += 1
    return parts
