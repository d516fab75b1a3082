# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The size of a DICOM film's pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from muscle_mm.datasets.io.dicom import has_preamble

#: Attributes that hold it, the calibrated one first.
_ATTRIBUTES = ('PixelSpacing', 'ImagerPixelSpacing')


@dataclass(frozen=True)
class PixelSpacing:
    """Distance between pixels.

    Attributes:
        row (float): Between rows, in millimetres.
        column (float): Between columns, in millimetres.
        attribute (str): The DICOM attribute: 'PixelSpacing', or 'ImagerPixelSpacing', which holds
            at the detector, where what lies in front of it appears magnified.
    """

    row: float
    column: float
    attribute: str


def read_pixel_spacing(path: Path) -> PixelSpacing | None:
    """Read the pixel spacing of a film that has been read before.

    Source: DICOM PS3.3, 10.7 (Basic Pixel Spacing Calibration Macro) and C.8.11.3 (DX Detector).

    Args:
        path (Path): The file, of any kind.

    Returns:
        PixelSpacing | None: None where the file is no DICOM or does not say.
    """
    with open(path, 'rb') as file:
        if not has_preamble(file.read(132)):
            return None
        import pydicom

        file.seek(0)
        try:
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=[*_ATTRIBUTES])
            for attribute in _ATTRIBUTES:
                row, column = (float(value) for value in header.get(attribute) or (0, 0))
                if row > 0 and column > 0 and math.isfinite(row * column):
                    return PixelSpacing(row, column, attribute)
        except Exception:  # A damaged value costs the area in square millimetres, not the film.
            return None
    return None
