# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What the statistics need to know of one training image."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from muscle_mm.datasets.io import read_xray
from muscle_mm.datasets.transforms import LoadXray
from muscle_mm.datasets.unreadable_files import READ_ERRORS, reason_of
from muscle_mm.utils.parallel import LOST_REASON

GREY_VALUES = 256


class FilmStatistics(NamedTuple):
    """Counts of one film.

    Attributes:
        height (int): In pixels.
        width (int): In pixels.
        pixels (np.ndarray): (256,), int64: pixels of each grey value, as the models get them.
        object_share (float, optional): Share of the mask's pixels that is object, where there is a
            mask.
        problem (str, optional): Why the film cannot be read; then the rest says nothing.
    """

    height: int = 0
    width: int = 0
    pixels: np.ndarray = np.zeros(GREY_VALUES, dtype=np.int64)
    object_share: float | None = None
    problem: str | None = None


def measure_film(sample: dict[str, Any]) -> FilmStatistics:
    """Read a film and its mask, and count.

    Args:
        sample (dict): Of an ``XrayDataset``.

    Returns:
        FilmStatistics: The counts, or the problem.
    """
    try:
        film = LoadXray()(dict(sample))['img']
        share = None
        if 'seg_map_path' in sample:
            share = float((read_xray(sample['seg_map_path'], percentiles=(0, 100)) > 0).mean())
    except READ_ERRORS as error:
        return FilmStatistics(problem=reason_of(error))
    # Pillow counts in whole numbers, four times as fast as NumPy.
    pixels = np.array(Image.fromarray(film).histogram())
    return FilmStatistics(film.shape[0], film.shape[1], pixels, share)


def lost_film(sample: dict[str, Any]) -> FilmStatistics:
    """Stand in for a film that ended the process which read it.

    Args:
        sample (dict): Of an ``XrayDataset``.

    Returns:
        FilmStatistics: With the problem.
    """
    return FilmStatistics(problem=f'{sample["img_path"]}: {LOST_REASON}')
