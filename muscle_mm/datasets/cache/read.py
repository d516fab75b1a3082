# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Read a film from a cache."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from muscle_mm.datasets.cache.mapped_pixels import CachedFilm, MappedPixels
from muscle_mm.datasets.io import XrayReadError

#: Mapped once a process.
_mapped = lru_cache(maxsize=None)(MappedPixels)


def read_cached(film: CachedFilm, img_path: str) -> np.ndarray:
    """Copy a film out of a cache.

    Args:
        film (CachedFilm): Where to find it.
        img_path (str): The film's own file, to name it.

    Returns:
        np.ndarray: (height, width), uint8.

    Raises:
        XrayReadError: If the cache is gone or damaged.
    """
    try:
        pixels = _mapped(film.pixels).find(film)
        if pixels is None:
            # The file may have been built anew since this process mapped it.
            _mapped.cache_clear()
            pixels = _mapped(film.pixels).find(film)
    except (OSError, ValueError) as error:
        raise XrayReadError(img_path, f'its cache {film.pixels} cannot be read ({error})') from None
    if pixels is None:
        reason = f'its pixels in the cache {film.pixels} are damaged; build the cache again'
        raise XrayReadError(img_path, reason)
    return pixels.copy()
