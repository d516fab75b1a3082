# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Read one radiograph from a file: PNG, JPEG, TIFF or DICOM."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from muscle_mm.datasets.io.dicom import has_preamble, lacks_preamble, read_dicom
from muscle_mm.datasets.io.dicom_contrast import dicom_contrast
from muscle_mm.datasets.io.errors import XrayReadError
from muscle_mm.datasets.io.grey_values import (
    DEFAULT_PERCENTILES,
    GreyDtype,
    apply_contrast,
    from_uint8,
    invert,
    scale_grey,
)
from muscle_mm.datasets.io.picture import read_picture
from muscle_mm.datasets.io.xray_info import XrayInfo
from muscle_mm.utils.errors import UserError

_DICOM_SUFFIXES = ('.dcm', '.dicom', '.dic')


def read_xray(
    path: str | Path,
    percentiles: tuple[float, float] = DEFAULT_PERCENTILES,
    *,
    frame: int | None = None,
    min_side: int | None = None,
    dtype: GreyDtype = 'uint8',
) -> np.ndarray:
    """Read a radiograph as one grey image in which bone is bright.

    * 8-bit PNG, JPEG and TIFF keep their values; colour, palette and CMYK become luminance (ITU-R
      601), an alpha channel is dropped.
    * More than 8 bits are scaled between two percentiles of the image to black and white. Such a
      file cannot say whether it is stored inverted: see the argument ``inverted`` of the
      preparation. (A TIFF can, and is inverted.)
    * DICOM goes through its modality LUT or rescale, then its first VOI LUT or first window
      (linear, linear exact, sigmoid), or, where it has neither, through the percentiles;
      MONOCHROME1 is inverted. Pixels of the padding value do not count for the percentiles, and
      become black. Colour of 8 bits keeps its values, as in a picture.

    The pixel grid is kept as stored (no EXIF rotation), so that masks and boxes stay in place.
    Burnt borders and markers are left alone. At most ``MAX_PIXELS`` (134 million) are read.

    Args:
        path (str | Path): The file.
        percentiles (tuple[float, float]): Lower and upper percentile for images of more than 8 bits
            without a window. Defaults to (0.5, 99.5).
        frame (int, optional): The frame of a file that holds several, counted from 0; a file of one
            frame gives that one. Defaults to refusing files of several.
        min_side (int, optional): The shorter side that is enough, in pixels: a JPEG file is decoded
            at 1/2, 1/4 or 1/8 of its size, which is faster, as long as its shorter side keeps as
            many. Other files ignore it. Defaults to the full size.
        dtype (str): 'uint8', 'uint16' (0 to 65,535) or 'float32' (0 to 1). The last two keep the
            file's own depth. Defaults to 'uint8'.

    Returns:
        np.ndarray: The image, (H, W), of the type asked for, C-contiguous.

    Raises:
        XrayReadError: If the file is missing, empty, truncated, too large, of another kind, or
            holds several frames and none was named.
        UserError: If a package is missing that is needed to read it.
    """
    return _read(path, percentiles, frame, min_side, dtype)[0]


def inspect_xray(path: str | Path, frame: int | None = None) -> XrayInfo:
    """Read a radiograph whole, so that any damage comes to light, and describe it.

    Args:
        path (str | Path): The file.
        frame (int, optional): The frame of a file that holds several, counted from 0.

    Returns:
        XrayInfo: Its size and depth.

    Raises:
        XrayReadError: As ``read_xray``.
        UserError: As ``read_xray``.
    """
    film, bits = _read(path, DEFAULT_PERCENTILES, frame, None, 'uint8')
    height, width = film.shape
    return XrayInfo(height, width, bits, one_value=bool(film.min() == film.max()))


def _read(
    path: str | Path,
    percentiles: tuple[float, float],
    frame: int | None,
    min_side: int | None,
    dtype: GreyDtype,
) -> tuple[np.ndarray, int]:
    """Read a radiograph and the bits that it stores for each grey value."""
    path = Path(path)
    try:
        # Without a buffer, a picture is read into memory in one piece, which is the fastest.
        with open(path, 'rb', buffering=0) as file:
            head = file.read(132)
            if not head:
                raise XrayReadError(path, 'the file is empty (zero bytes)')
            if (
                has_preamble(head)
                or path.suffix.lower() in _DICOM_SUFFIXES
                or lacks_preamble(head)  # to say so
            ):
                with io.BufferedReader(file) as buffered:
                    stored, header = read_dicom(path, buffered, frame)
            else:
                picture = read_picture(path, file, frame, min_side)
                if picture.pixels.dtype == np.uint8:
                    return from_uint8(picture.pixels, dtype), picture.bits
                film = scale_grey(picture.pixels, percentiles, dtype)
                return invert(film) if picture.inverted else film, picture.bits
    except FileNotFoundError:
        raise XrayReadError(path, 'the file does not exist') from None
    except IsADirectoryError:
        raise XrayReadError(path, 'it is a folder') from None
    except UserError:
        raise
    except OSError as error:
        raise XrayReadError(path, error.strerror or str(error)) from error
    try:
        bits = int(header.BitsStored)
        if stored.dtype == np.uint8 and 'MONOCHROME' not in header.PhotometricInterpretation:
            return from_uint8(stored, dtype), bits
        film = apply_contrast(stored, dicom_contrast(header, percentiles, dtype))
    except Exception as error:
        raise XrayReadError(path, f'damaged DICOM header ({error})') from error
    return film, bits
