# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Decode PNG and JPEG, as fast as OpenCV does it."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np

from muscle_mm.datasets.io.decoded import DecodedPicture
from muscle_mm.datasets.io.errors import XrayReadError
from muscle_mm.datasets.io.limits import check_size
from muscle_mm.datasets.io.picture_header import (
    JPEG_SIGNATURE,
    PNG_SIGNATURE,
    PictureHeader,
    read_jpeg_header,
    read_png_header,
)
from muscle_mm.datasets.io.pillow_picture import read_with_pillow

_TIFF_SIGNATURES = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')
_REDUCED = {
    1: cv2.IMREAD_GRAYSCALE,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


def read_picture(
    path: Path, file: io.FileIO, frame: int | None, min_side: int | None
) -> DecodedPicture:
    """Decode a PNG, JPEG or TIFF file to one grey channel.

    PNG and JPEG go through OpenCV; TIFF and rare kinds (CMYK JPEG, animated PNG) through Pillow.

    * A PNG must be whole: its check sums are compared.
    * A JPEG has none. It must have its end marker, as a file that was cut off has not; damage in
      its middle shows in the picture only.

    Args:
        path (Path): The file, to name it.
        file (FileIO): The file, open without a buffer.
        frame (int, optional): The frame of a file that holds several, counted from 0.
        min_side (int, optional): The shorter side that is enough, in pixels: a JPEG may then be
            decoded at 1/2, 1/4 or 1/8 of its size. Defaults to the full size.

    Returns:
        DecodedPicture: The grey values.

    Raises:
        XrayReadError: If it is none of the three, damaged, too large, or holds several frames and
            none was named.
    """
    file.seek(0)
    head = file.read(8)
    file.seek(0)
    if head == PNG_SIGNATURE:
        data = file.read()
        header = read_png_header(data)
        if header is not None and data.find(b'acTL', 0, header.start) < 0:
            return _read_png(path, file, data, header)
    elif head.startswith(JPEG_SIGNATURE):
        data = file.read()
        header = read_jpeg_header(data)
        if header is not None and header.bits != 8:
            raise XrayReadError(path, f'a JPEG of {header.bits} bits outside of a DICOM file')
        if header is not None and data.rfind(b'\xff\xd9', header.start) < 0:
            raise XrayReadError(path, 'damaged or truncated (the JPEG file has no end marker)')
        if header is not None and header.channels in (1, 3):
            return _read_jpeg(path, file, data, header, min_side)
    elif head[:4] not in _TIFF_SIGNATURES:
        raise XrayReadError(
            path, 'not a PNG, JPEG, TIFF or DICOM file, or its beginning is damaged'
        )
    return read_with_pillow(path, file, frame, min_side)


def _read_png(path: Path, file: io.FileIO, data: bytes, header: PictureHeader) -> DecodedPicture:
    """Decode a PNG of any colour type and depth."""
    check_size(path, header.height, header.width)
    pixels = _decode(path, file, data, cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3:
        # ITU-R 601 luminance; the alpha channel is dropped.
        code = cv2.COLOR_BGR2GRAY if pixels.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
        pixels = cv2.cvtColor(pixels, code)
    return DecodedPicture(pixels, header.bits)


def _read_jpeg(
    path: Path, file: io.FileIO, data: bytes, header: PictureHeader, min_side: int | None
) -> DecodedPicture:
    """Decode a grey or colour JPEG, of which luminance is a channel of its own."""
    check_size(path, header.height, header.width)
    scale, short = 1, min(header.height, header.width)
    while min_side is not None and scale < 8 and -(-short // (2 * scale)) >= min_side:
        scale *= 2
    pixels = _decode(path, file, data, _REDUCED[scale] | cv2.IMREAD_IGNORE_ORIENTATION)
    return DecodedPicture(pixels, header.bits)


def _decode(path: Path, file: io.FileIO, data: bytes, flags: int) -> np.ndarray:
    """Decode with OpenCV, and let Pillow say why where that fails."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        pixels = None
    if pixels is None:
        read_with_pillow(path, file, None, None)
        raise XrayReadError(path, 'damaged or truncated (its check sums do not fit)')
    return pixels
