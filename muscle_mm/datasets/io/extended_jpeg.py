# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Decode DICOM files with JPEG Extended of 12 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from muscle_mm.datasets.io.limits import MAX_PIXELS
from muscle_mm.utils.errors import UserError


def read_extended_jpeg(path: Path, header: Any, frame: int) -> np.ndarray:
    """Decode one frame of JPEG Extended (processes 2 and 4) of more than 8 bits with GDCM.

    pydicom hands this one compression to no plug-in but pylibjpeg-libjpeg, whose licence (GPL) is
    not ours. GDCM decodes it as well, reading the file itself.

    Args:
        path (Path): The file.
        header (pydicom.Dataset): Its header.
        frame (int): The frame, counted from 0.

    Returns:
        np.ndarray: The stored values, (H, W), 16 bits.

    Raises:
        UserError: If GDCM is missing.
        ValueError: If GDCM cannot decode it, or not without the memory for many frames.
    """
    try:
        import gdcm
    except ImportError as error:
        raise UserError(
            f'the DICOM file {path} is compressed as JPEG Extended. Decoding it needs the package '
            'python-gdcm. Install it: `pip install python-gdcm`.'
        ) from error

    if int(header.get('NumberOfFrames') or 1) * header.Rows * header.Columns > MAX_PIXELS:
        raise ValueError('too many frames: GDCM decodes all of them to give one')
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    buffer = reader.GetImage().GetBuffer() if reader.Read() else None
    if buffer is None:
        raise ValueError('GDCM cannot read it')
    # GDCM gives bytes as text.
    data = buffer.encode('utf-8', 'surrogateescape')
    pixels = np.frombuffer(data, np.int16 if header.PixelRepresentation else np.uint16)
    return pixels.reshape(-1, header.Rows, header.Columns)[frame]
