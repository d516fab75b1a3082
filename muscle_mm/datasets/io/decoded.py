# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A picture as its decoder gives it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DecodedPicture:
    """Grey values of a PNG, JPEG or TIFF file, before they are scaled.

    Attributes:
        pixels (np.ndarray): (H, W). uint8 is ready to use; any other type is to be scaled.
        bits (int): Bits that the file stores for each grey value.
        inverted (bool): Whether the file says that its highest value is black. Defaults to False.
    """

    pixels: np.ndarray
    bits: int
    inverted: bool = False
