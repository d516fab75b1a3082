# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""From the grey values of a file to those of the array that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import cv2
import numpy as np

#: Grey values below the first and above the second percentile are clipped when an image of more
#: than 8 bits carries no window of its own. Our choice: half a percent on each side keeps a
#: burnt-in marker or a hot pixel from deciding the contrast of the whole film.
DEFAULT_PERCENTILES = (0.5, 99.5)

#: The types of array that a film can be read to.
GreyDtype = Literal['uint8', 'uint16', 'float32']
GREY_DTYPES: tuple[GreyDtype, ...] = ('uint8', 'uint16', 'float32')

#: From stored grey values, and how often each occurs (None: once), to those of the film.
Contrast = Callable[[np.ndarray, 'np.ndarray | None'], np.ndarray]

# Pixels that are looked up at once: the lists of indices then stay in the processor's cache.
_BLOCK = 2**16


def apply_contrast(pixels: np.ndarray, contrast: Contrast) -> np.ndarray:
    """Send every pixel through a function of its grey value.

    A film has millions of pixels, and at most 65,536 grey values: the function is worked out once
    for each value, and looked up for each pixel.

    Args:
        pixels (np.ndarray): (H, W), any integer or float type.
        contrast (Contrast): The function.

    Returns:
        np.ndarray: (H, W), of the type that the function gives.
    """
    if pixels.dtype.kind not in 'iu':
        return contrast(pixels, None)
    first, last = int(pixels.min()), int(pixels.max())
    if last - first >= 2**16:
        return contrast(pixels, None)
    # Modulo 65,536 the distance from the first value is right for every integer type.
    steps = pixels.astype(np.uint16) - np.uint16(first & 0xFFFF)
    counts = cv2.calcHist(
        [steps.reshape(1, -1)], [0], None, [last - first + 1], [0, last - first + 1]
    )
    values = np.arange(first, last + 1, dtype=np.int64)
    table = contrast(values, counts.ravel().astype(np.int64))
    blocks = [steps.reshape(-1)[i : i + _BLOCK] for i in range(0, steps.size, _BLOCK)]
    return np.concatenate([table.take(block) for block in blocks]).reshape(pixels.shape)


def grey_range(
    values: np.ndarray, percentiles: tuple[float, float], counts: np.ndarray | None = None
) -> tuple[float, float]:
    """Find the grey values that become black and white where the file names none.

    Args:
        values (np.ndarray): Grey values.
        percentiles (tuple[float, float]): Lower and upper percentile.
        counts (np.ndarray, optional): How often each occurs. Defaults to once.

    Returns:
        tuple[float, float]: Black and white; equal only if all values are.
    """
    if counts is None:
        low, high = np.percentile(values, percentiles)
    else:
        values, counts = values[counts > 0], counts[counts > 0]
        order = np.argsort(values, kind='stable')
        values, upto = values[order], np.cumsum(counts[order])
        ranks = np.asarray(percentiles) / 100 * (upto[-1] - 1)
        below = values[np.searchsorted(upto, np.floor(ranks), side='right')].astype(np.float64)
        above = values[np.searchsorted(upto, np.ceil(ranks), side='right')].astype(np.float64)
        low, high = below + (ranks - np.floor(ranks)) * (above - below)
    if not high > low:
        # Nearly everything has one value: use what little contrast there is.
        low, high = values.min(), values.max()
    return float(low), float(high)


def scale_grey(
    pixels: np.ndarray,
    percentiles: tuple[float, float] = DEFAULT_PERCENTILES,
    dtype: GreyDtype = 'uint8',
) -> np.ndarray:
    """Scale grey values between two percentiles of the image to the whole range of a type.

    Args:
        pixels (np.ndarray): Any shape, any integer or float type; values that are not finite count
            as the lowest.
        percentiles (tuple[float, float]): Lower and upper percentile. What lies outside is clipped.
            Defaults to (0.5, 99.5).
        dtype (str): 'uint8', 'uint16', or 'float32' for 0 to 1. Defaults to 'uint8'.

    Returns:
        np.ndarray: Same shape; all zero for an image of one value.
    """
    if pixels.dtype.kind == 'f':
        finite = np.isfinite(pixels)
        if not finite.any():
            return np.zeros(pixels.shape, dtype=dtype)
        if not finite.all():
            pixels = np.where(finite, pixels, pixels[finite].min())

    def contrast(values: np.ndarray, counts: np.ndarray | None) -> np.ndarray:
        return to_dtype(rescale(values, *grey_range(values, percentiles, counts)), dtype)

    return apply_contrast(pixels, contrast)


def scale_to_uint8(
    pixels: np.ndarray, percentiles: tuple[float, float] = DEFAULT_PERCENTILES
) -> np.ndarray:
    """Scale grey values between two percentiles of the image to 0-255. See ``scale_grey``.

    Args:
        pixels (np.ndarray): Any shape, any integer or float type.
        percentiles (tuple[float, float]): Lower and upper percentile. Defaults to (0.5, 99.5).

    Returns:
        np.ndarray: Same shape, uint8.
    """
    return scale_grey(pixels, percentiles, 'uint8')


def rescale(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map [low, high] linearly to [0, 1].

    Args:
        values (np.ndarray): Any shape.
        low (float): Becomes 0.
        high (float): Becomes 1. If it equals ``low``, everything becomes 0.

    Returns:
        np.ndarray: Same shape, float; what lies outside is not clipped.
    """
    if not high > low:
        return np.zeros(values.shape)
    return (values.astype(np.float64, copy=False) - low) / (high - low)


def to_dtype(shades: np.ndarray, dtype: GreyDtype) -> np.ndarray:
    """Turn shades from 0 (black) to 1 (white) into the type that is asked for.

    Args:
        shades (np.ndarray): Any shape, float. What lies outside is clipped.
        dtype (str): 'uint8', 'uint16' or 'float32'.

    Returns:
        np.ndarray: Same shape: 0 to 255, 0 to 65,535, or 0 to 1.
    """
    shades = np.clip(shades, 0, 1)
    if dtype != 'float32':
        shades = np.rint(shades * np.iinfo(dtype).max)
    return shades.astype(dtype)


def from_uint8(film: np.ndarray, dtype: GreyDtype) -> np.ndarray:
    """Turn a film of 8 bits into the type that is asked for; every value keeps its shade.

    Args:
        film (np.ndarray): Any shape, uint8.
        dtype (str): 'uint8', 'uint16' or 'float32'.

    Returns:
        np.ndarray: Same shape; the film itself for 'uint8'.
    """
    if dtype == 'uint8':
        return film
    if dtype == 'uint16':
        return film.astype(np.uint16) * np.uint16(257)
    return film.astype(np.float32) / np.float32(255)


def invert(film: np.ndarray) -> np.ndarray:
    """Exchange black and white.

    Args:
        film (np.ndarray): Any shape, uint8, uint16, or float from 0 to 1.

    Returns:
        np.ndarray: Same shape and type.
    """
    return np.invert(film) if film.dtype.kind == 'u' else 1 - film
