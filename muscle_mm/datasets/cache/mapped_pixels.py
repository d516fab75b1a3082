# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The pixels of a cache in memory."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np


class CachedFilm(NamedTuple):
    """Where to find a film in a cache.

    Attributes:
        pixels (str): The file with the pixels of the cache.
        offset (int): Where those of the film begin, in bytes.
        height (int): In pixels.
        width (int): In pixels.
        crc32 (int): Check sum of the film's pixels.
    """

    pixels: str
    offset: int
    height: int
    width: int
    crc32: int


class MappedPixels:
    """Map the pixels of a cache into memory, where all processes share them.

    Args:
        path (str | Path): The file.

    Raises:
        OSError: If it cannot be opened.
        ValueError: If it is empty.
    """

    def __init__(self, path: str | Path) -> None:
        self._file = open(path, 'rb')  # noqa: SIM115
        self._pixels = np.memmap(self._file, np.uint8, mode='r').view(np.ndarray)
        self._checked: set[CachedFilm] = set()

    def find(self, film: CachedFilm) -> np.ndarray | None:
        """Find a film; the first time, its check sum is compared.

        Args:
            film (CachedFilm): Where to find it.

        Returns:
            np.ndarray | None: (height, width), uint8, not to be written to; None if these are not
            the pixels that were written.
        """
        end = film.offset + film.height * film.width
        # A file that has been cut off since, by whoever, would end the process without a word.
        if min(len(self._pixels), os.fstat(self._file.fileno()).st_size) < end:
            return None
        pixels = self._pixels[film.offset : end]
        if film not in self._checked:
            if zlib.crc32(pixels.data) != film.crc32:
                return None
            self._checked.add(film)
        return pixels.reshape(film.height, film.width)
