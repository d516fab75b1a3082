# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The union of any number of X-ray data sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from mmengine.dataset import Compose
from torch.utils.data import Dataset

from muscle_mm.datasets.seeded_samples import SeededSamples
from muscle_mm.datasets.unreadable_files import UnreadableFiles
from muscle_mm.datasets.xray_dataset import XrayDataset, read_from
from muscle_mm.registry import DATASETS
from muscle_mm.utils.errors import UserError


@DATASETS.register_module()
class MultiXrayDataset(SeededSamples, Dataset):
    """Radiographs of several sets as one, for step 1 (MD-MoCo).

    Without weights, an epoch holds every image once. With weights, every set has a fixed number of
    places in an epoch (:attr:`places`). A set with fewer images than places repeats them evenly. In
    a set with more images than places, each place stands for an equal share of the images and draws
    one of them each time it is read: epoch after epoch the whole set is seen.

    Under :class:`muscle_mm.datasets.samplers.EpochSampler` an index is ``epoch * len(dataset) +
    place``, and a sample (which image, which views) is a function of ``randomness.seed`` and the
    index alone. Under any other sampler an index is a place, and a sample is drawn from the global
    generators.

    A file that turns out to be unreadable is logged, and another image of its set, drawn at random,
    takes its place. When a set has too many of them, the training stops with the list.

    Args:
        datasets (Sequence[dict | XrayDataset]): The sets, or their configs. A set that is built
            from its config is read without its labels, so that a detection set's films without
            boxes count, too, unless the config says ``with_labels`` or ``filter_cfg``.
        weights (str | Mapping[str, float] | Sequence[float], optional): Share of each set in an
            epoch: 'equal'; ``dict(power=0.5)``, the number of images to this power (1 is by size, 0
            is equal, between them small sets gain); or one number a set. Defaults to None: by size.
        epoch_size (int, optional): Images of an epoch. Defaults to None: all images together.
        pipeline (Sequence, optional): Transforms for every set, instead of the sets' own. Defaults
            to None.
        seed (int): Decides which images share a place. Defaults to 0.
        max_unreadable (float): Fraction of a set's files, from 0 to 1, that may turn out to be
            unreadable; one file always may, unless it is 0. All workers of a process count
            together, each process of a distributed training for itself. Defaults to 0.01.

    Raises:
        UserError: If there is no set, an option does not fit the sets or, while samples are read,
            too many files of a set are unreadable.
    """

    def __init__(
        self,
        datasets: Sequence[Any],
        weights: str | Mapping[str, float] | Sequence[float] | None = None,
        epoch_size: int | None = None,
        pipeline: Sequence[dict | Callable] | None = None,
        seed: int = 0,
        max_unreadable: float = 0.01,
    ) -> None:
        if not datasets:
            raise UserError('MultiXrayDataset: datasets is empty. Give at least one data set.')
        if epoch_size is not None and epoch_size < 1:
            raise UserError(f'MultiXrayDataset: epoch_size={epoch_size} must be positive.')
        self.datasets = [_build(item) for item in datasets]
        self.pipeline = None if pipeline is None else Compose(list(pipeline))
        self.seed = seed
        sizes = [len(dataset) for dataset in self.datasets]
        #: For each set the files that turned out to be unreadable.
        self.unreadable = [
            UnreadableFiles(name, size, max_unreadable)
            for name, size in zip(self.metainfo['datasets'], sizes, strict=True)
        ]
        total = sum(sizes) if epoch_size is None else epoch_size
        shares = _shares(weights, sizes)
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

    @property
    def metainfo(self) -> dict[str, Any]:
        """What holds for the union: its name and the names of its sets."""
        names = [dataset.metainfo.get('dataset', '') for dataset in self.datasets]
        return {'dataset': type(self).__name__, 'datasets': names}

    @property
    def num_films(self) -> int:
        """int: Images of all sets together, whatever an epoch draws of them."""
        return sum(map(len, self.datasets))

    def full_init(self) -> None:
        """Read what was left to be read later."""
        for dataset in self.datasets:
            dataset.full_init()

    def __len__(self) -> int:
        return self._ends[-1]

    def locate(self, index: int) -> tuple[int, int]:
        """Find the image of a place.

        Args:
            index (int): Place in the epoch, from 0; the epoch counts as in the class's text.

        Returns:
            tuple[int, int]: Number of the set and index of the image in it; drawn from the place's
            images where it stands for several.

        Raises:
            IndexError: If there is no such place.
        """
        with self.random_stream(index):
            return self._locate(index)

    def get_data_info(self, index: int) -> dict[str, Any]:
        """Give the record of a place; see ``locate``."""
        which, image = self.locate(index)
        return self.datasets[which].get_data_info(image)

    def __getitem__(self, index: int) -> dict[str, Any]:
        with self.random_stream(index):
            which, image = self._locate(index)
            return self.unreadable[which].read(image, partial(self._read, which))

    def _locate(self, index: int) -> tuple[int, int]:
        """As ``locate``, in the random stream of the caller."""
        if self._run_seed is not None and index >= 0:
            index %= len(self)
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

    def _read(self, which: int, image: int) -> dict[str, Any]:
        """Read an image of a set and send it through the pipeline."""
        if self.pipeline is None:
            return read_from(self.datasets[which], image)
        return self.pipeline(self.datasets[which].get_data_info(image))


def _build(item: Any) -> Any:
    """Build a set from its config; a set of films without its labels."""
    if not isinstance(item, dict):
        return item
    kind = item.get('type')
    kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    if isinstance(kind, type) and issubclass(kind, XrayDataset) and 'filter_cfg' not in item:
        item = {'with_labels': False, **item}
    return DATASETS.build(item)


def _shares(
    weights: str | Mapping[str, float] | Sequence[float] | None, sizes: list[int]
) -> list[float]:
    """Turn the option into one number a set."""
    if weights is None:
        return list(sizes)
    if weights == 'equal':
        return [1.0] * len(sizes)
    if isinstance(weights, Mapping) and list(weights) == ['power']:
        return [size ** float(weights['power']) for size in sizes]
    if isinstance(weights, (str, Mapping)):
        raise UserError(
            f"MultiXrayDataset: weights={weights!r} is unknown. Use None, 'equal', "
            'dict(power=0.5) or one number a data set.'
        )
    shares = [float(weight) for weight in weights]
    if len(shares) != len(sizes) or min(shares) < 0 or not sum(shares) > 0:
        raise UserError(
            f'MultiXrayDataset: weights={list(weights)} must be {len(sizes)} numbers, one a '
            'data set, none negative and not all zero.'
        )
    return shares


def _divide(total: int, shares: list[float]) -> list[int]:
    """Divide a number by shares into whole parts that add up to it (largest remainders)."""
    exact = [total * share / sum(shares) for share in shares]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: parts[i] - exact[i])
    for number in by_remainder[: total - sum(parts)]:
        parts[number] += 1
    return parts
