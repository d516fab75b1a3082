# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Random fields that the anatomy and the film share."""

import cv2
import numpy as np


def smooth_noise(
    rng: np.random.Generator, height: int, width: int, cells: float, octaves: int = 1
) -> np.ndarray:
    """Draw a smooth random field.

    Args:
        rng (np.random.Generator): The source of randomness.
        height (int): Rows of the field.
        width (int): Columns of the field.
        cells (float): Bumps along the shorter side; more means finer.
        octaves (int): Layers, each twice as fine and half as strong. Default: 1.

    Returns:
        np.ndarray: (height, width) float32 with mean near 0 and standard deviation near 1.
    """
    field = np.zeros((height, width), np.float32)
    short = min(height, width)
    for octave in range(octaves):
        step = short / (cells * 2**octave)
        rows = max(2, round(height / step) + 1)
        columns = max(2, round(width / step) + 1)
        coarse = rng.standard_normal((rows, columns), np.float32)
        field += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    # Interpolation between independent knots lowers the spread by about this much.
    return field * np.float32(1.35 / np.sqrt(sum(0.25**octave for octave in range(octaves))))
