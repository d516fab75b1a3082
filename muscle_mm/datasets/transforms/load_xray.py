# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Load a radiograph as one grey channel."""

from __future__ import annotations

from typing import Any

from muscle_mm.datasets.io import DEFAULT_PERCENTILES, read_xray
from muscle_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadXray:
    """Load PNG, JPEG, TIFF (8 and 16 bits) or DICOM to one grey uint8 image.

    The image stays (H, W), so that the toolboxes' own transforms work on it and their packing makes
    a (1, H, W) uint8 tensor of it. ``muscle_mm.GreyDataPreprocessor`` expands it on the device.

    **Required keys:** ``img_path``; optional ``inverted`` (bool: the file stores bone dark).

    **Added keys:** ``img`` (np.ndarray, (H, W), uint8), ``img_shape`` and ``ori_shape`` (H, W).

    It needs no toolbox and no mmcv: any pipeline may call it.

    Args:
        percentiles (tuple[float, float]): Grey values that become 0 and 255 when a file of more
            than 8 bits carries no window. Defaults to (0.5, 99.5).
    """

    def __init__(self, percentiles: tuple[float, float] = DEFAULT_PERCENTILES) -> None:
        low, high = percentiles
        if not 0 <= low < high <= 100:
            raise ValueError(
                f'LoadXray: percentiles={percentiles} must be two rising numbers from 0 to 100.'
            )
        self.percentiles = (float(low), float(high))

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Load the file.

        Args:
            results (dict): A sample with ``img_path``.

        Returns:
            dict: The same sample with the image and its shapes.

        Raises:
            XrayReadError: If the file cannot be read; the message names it.
        """
        image = read_xray(results['img_path'], self.percentiles)
        if results.get('inverted', False):
            image = 255 - image
        results['img'] = image
        results['img_shape'] = image.shape
        results['ori_shape'] = image.shape
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(percentiles={self.percentiles})'
