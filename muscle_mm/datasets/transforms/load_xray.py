# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Load a radiograph as one grey channel."""

from __future__ import annotations

from typing import Any

import numpy as np

from muscle_mm.datasets.cache import read_cached
from muscle_mm.datasets.io import (
    DEFAULT_PERCENTILES,
    GREY_DTYPES,
    GreyDtype,
    invert,
    read_xray,
)
from muscle_mm.datasets.transforms.withheld_boxes import WithheldBoxes
from muscle_mm.registry import TRANSFORMS
from muscle_mm.utils.errors import UserError


@TRANSFORMS.register_module()
class LoadXray:
    """Load PNG, JPEG, TIFF (8 and 16 bits) or DICOM to one grey image.

    The image stays (H, W), so that the toolboxes' own transforms work on it and their packing makes
    a (1, H, W) tensor of it. ``muscle_mm.GreyDataPreprocessor`` expands it on the device.

    **Required keys:** ``img_path``; optional ``inverted`` (bool: the file stores bone dark),
    ``frame`` (int: the frame of a file that holds several, counted from 0) and ``cached_film``
    (where the film lies in a cache, see the data sets' argument ``cache``; the file itself is then
    not read).

    **Added keys:** ``img`` (np.ndarray, (H, W), uint8), ``img_shape`` and ``ori_shape`` (H, W).

    **Removed keys**, with ``min_side`` or a cache: ``seg_map_path`` and ``instances``. Masks and
    boxes do not fit an image of another scale; a pipeline that needs them ends with an error.

    It needs no toolbox and no mmcv: any pipeline may call it.

    Args:
        percentiles (tuple[float, float]): Grey values that become 0 and 255 when a file of more
            than 8 bits carries no window. Defaults to (0.5, 99.5).
        min_side (int, optional): The shorter side that is enough, in pixels. A JPEG may then be
            decoded at 1/2, 1/4 or 1/8 of its size, which is faster. For pre-training and
            classification only. Defaults to the full size.
        dtype (str): 'uint8', 'uint16' (0 to 65,535) or 'float32' (0 to 1). The last two keep the
            file's own depth; not every transform of the toolboxes takes them. Defaults to 'uint8'.
        frame (int, optional): The frame of files that hold several, counted from 0, where the
            sample names none. Defaults to refusing such files.
    """

    def __init__(
        self,
        percentiles: tuple[float, float] = DEFAULT_PERCENTILES,
        min_side: int | None = None,
        dtype: GreyDtype = 'uint8',
        frame: int | None = None,
    ) -> None:
        low, high = percentiles
        if not 0 <= low < high <= 100:
            raise ValueError(
                f'LoadXray: percentiles={percentiles} must be two rising numbers from 0 to 100.'
            )
        if min_side is not None and min_side < 1:
            raise ValueError(f'LoadXray: min_side={min_side} must be a number of pixels, or None.')
        if dtype not in GREY_DTYPES:
            raise ValueError(f'LoadXray: dtype={dtype!r} must be one of {", ".join(GREY_DTYPES)}.')
        if frame is not None and frame < 0:
            raise ValueError(f'LoadXray: frame={frame} must be counted from 0, or None.')
        self.percentiles = (float(low), float(high))
        self.min_side = min_side
        self.dtype = dtype
        self.frame = frame

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Load the file.

        Args:
            results (dict): A sample with ``img_path``.

        Returns:
            dict: The same sample with the image and its shapes.

        Raises:
            XrayReadError: If the file cannot be read; the message names it.
            UserError: If the cache does not hold what this transform was asked for.
        """
        image = self._cached(results) if 'cached_film' in results else self._read(results)
        results['img'] = invert(image) if results.get('inverted', False) else image
        results['img_shape'] = image.shape
        results['ori_shape'] = image.shape
        return results

    def _read(self, results: dict[str, Any]) -> np.ndarray:
        """Read the file."""
        image = read_xray(
            results['img_path'],
            self.percentiles,
            frame=results.get('frame', self.frame),
            min_side=self.min_side,
            dtype=self.dtype,
        )
        if self.min_side is not None:
            _withhold(
                results, f'LoadXray(min_side={self.min_side}) may change its scale. Leave it out'
            )
        return image

    def _cached(self, results: dict[str, Any]) -> np.ndarray:
        """Read the film from the cache of its set."""
        if self.dtype != 'uint8' or self.percentiles != DEFAULT_PERCENTILES:
            raise UserError(
                f'{self} does not fit a data set with cache=...: a cache holds uint8 pixels, made '
                f'with percentiles={DEFAULT_PERCENTILES}. Leave out the one or the other.'
            )
        _withhold(results, 'a cache changes its scale. Leave out cache=... of the data set')
        return read_cached(results['cached_film'], results['img_path'])

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(percentiles={self.percentiles}, min_side={self.min_side}, '
            f'dtype={self.dtype!r}, frame={self.frame})'
        )


def _withhold(results: dict[str, Any], reason: str) -> None:
    """Take masks and boxes out of a sample whose image may be at another scale than its file."""
    results.pop('seg_map_path', None)
    if 'instances' in results:
        results['instances'] = WithheldBoxes(results['img_path'], f'{reason}.')
