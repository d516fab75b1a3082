# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Size and depth of a radiograph."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class XrayInfo:
    """What a preparation writes down about a radiograph.

    Attributes:
        height (int): Rows of the full-size image.
        width (int): Columns of the full-size image.
        bits (int): Bits that the file stores for each grey value: 1 to 16; 32 or 64 for a TIFF of
            floats.
        one_value (bool): Whether all its pixels are equal, so that it shows nothing.
    """

    height: int
    width: int
    bits: int
    one_value: bool
