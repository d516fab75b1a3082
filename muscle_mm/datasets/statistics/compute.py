# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Read all training images of prepared sets and measure them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from muscle_mm.datasets.checking.prepared_sets import PreparedSet, find_prepared_sets
from muscle_mm.datasets.statistics.data_statistics import DataStatistics
from muscle_mm.datasets.statistics.film import lost_film, measure_film
from muscle_mm.datasets.statistics.set_statistics import SetStatistics
from muscle_mm.datasets.xray_dataset import XrayDataset
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.parallel import map_files, worker_count


def compute_statistics(
    roots: Iterable[str | Path], workers: int | None = None, progress: bool = True
) -> DataStatistics:
    """Measure the training images of prepared sets, as the models get them.

    Each image is read once, at its full size, with ``exclusions.csv`` and stored inversion heeded.
    All counts are of whole numbers of pixels, and the result is the same with any number of
    processes. Unreadable files are left out and listed.

    Args:
        roots (Iterable[str | Path]): Prepared folders, or folders that hold prepared ones.
        workers (int, optional): Processes. Defaults to None: one a processor.
        progress (bool): Show a progress bar for each set. Defaults to True.

    Returns:
        DataStatistics: Of each set and of all together.

    Raises:
        UserError: If a folder holds no prepared set, a manifest is damaged, or there is no training
            image that can be read.
    """
    processes = worker_count(workers)
    prepared = find_prepared_sets(roots)
    train = [one for one in prepared if any(film.split == 'train' for film in one.films)]
    names = _distinct_names(train)
    sets = tuple(
        _measure_set(one, name, processes, progress) for one, name in zip(train, names, strict=True)
    )
    together = SetStatistics.together(sets)
    if not together.images:
        reasons = [reason for _, reason in together.unreadable]
        raise UserError(
            'there is no training image that can be read. '
            + (f'The first: {reasons[0]}.' if reasons else 'No set has the split "train".')
        )
    without = tuple(one.name for one in prepared if one not in train)
    return DataStatistics(sets, together, without)


def _measure_set(prepared: PreparedSet, name: str, workers: int, progress: bool) -> SetStatistics:
    """Measure the training images of one set."""
    dataset = XrayDataset(
        data_root=str(prepared.manifest.parent), ann_file=prepared.manifest.name, split='train'
    )
    samples = [dataset.get_data_info(index) for index in range(len(dataset))]
    statistics = SetStatistics(name, classes=dataset.metainfo.get('classes', ()))
    measured = zip(samples, map_files(measure_film, samples, workers, lost_film), strict=True)
    bar = tqdm(measured, total=len(samples), desc=name, unit='image', disable=not progress)
    for sample, film in bar:
        statistics.add(sample, film)
    return statistics


def _distinct_names(sets: Sequence[PreparedSet]) -> list[str]:
    """Name the sets, with the folder where two have the same name."""
    counts = Counter(one.name for one in sets)
    return [
        one.name if counts[one.name] == 1 else f'{one.name} ({one.manifest.parent.name})'
        for one in sets
    ]
