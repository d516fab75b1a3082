# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Read one radiograph from a file: PNG, JPEG, TIFF (8 and 16 bits) or DICOM, to grey uint8."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muscle_mm.utils.errors import UserError

#: Grey values below the first and above the second percentile are clipped when an image of more
#: than 8 bits carries no window of its own. Our choice: half a percent on each side keeps a
#: burnt-in marker or a hot pixel from deciding the contrast of the whole film.
DEFAULT_PERCENTILES = (0.5, 99.5)

_PILLOW_FORMATS = ('PNG', 'JPEG', 'TIFF')
_DICOM_SUFFIXES = ('.dcm', '.dicom', '.dic')


class XrayReadError(UserError):
    """A file that cannot be read as one radiograph.

    Args:
        path (str | Path): The file.
        reason (str): Why it cannot be read, in words for the user.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f'cannot read the radiograph {path}: {reason}')
        self.path = str(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[XrayReadError], tuple[str, str]]:
        """Rebuild from both arguments: the error must survive the way out of a worker."""
        return type(self), (self.path, self.reason)


def read_xray(
    path: str | Path, percentiles: tuple[float, float] = DEFAULT_PERCENTILES
) -> np.ndarray:
    """Read a radiograph as one grey image in which bone is bright.

    * 8-bit PNG, JPEG and TIFF keep their values; colour, palette and CMYK become luminance, an
      alpha channel is dropped.
    * More than 8 bits are scaled between two percentiles of the image to 0-255. Such a file cannot
      say whether it is stored inverted: see the argument ``inverted`` of the preparation.
    * DICOM goes through its modality LUT or rescale, then its VOI LUT or first window, or, where it
      has neither, through the percentiles; MONOCHROME1 is inverted.

    The pixel grid is kept as stored (no EXIF rotation), so that masks and boxes stay in place.

    Args:
        path (str | Path): The file.
        percentiles (tuple[float, float]): Lower and upper percentile for images of more than 8 bits
            without a window. Defaults to (0.5, 99.5).

    Returns:
        np.ndarray: The image, (H, W), uint8, C-contiguous.

    Raises:
        XrayReadError: If the file is missing, empty, truncated, of another kind, or holds several
            frames.
    """
    path = Path(path)
    try:
        with open(path, 'rb') as file:
            head = file.read(132)
    except FileNotFoundError:
        raise XrayReadError(path, 'the file does not exist') from None
    except IsADirectoryError:
        raise XrayReadError(path, 'it is a folder') from None
    except OSError as error:
        raise XrayReadError(path, error.strerror or str(error)) from error
    if not head:
        raise XrayReadError(path, 'the file is empty (zero bytes)')
    if head[128:] == b'DICM' or path.suffix.lower() in _DICOM_SUFFIXES:
        return _read_dicom(path, percentiles)
    return _read_picture(path, percentiles)


@dataclass(frozen=True)
class XrayInfo:
    """What a preparation writes down about a radiograph.

    Attributes:
        height (int): Rows of the full-size image.
        width (int): Columns of the full-size image.
        bits (int): Bits that the file stores for each grey value: 1 to 16, or 32.
        one_value (bool): Whether all its pixels are equal, so that it shows nothing.
    """

    height: int
    width: int
    bits: int
    one_value: bool


def inspect_xray(path: str | Path, frame: int | None = None) -> XrayInfo:
    """Decode a radiograph whole, so that any damage comes to light, and describe it.

    Args:
        path (str | Path): The file.
        frame (int, optional): The frame of a file that holds several, counted from 0.

    Returns:
        XrayInfo: Its size and depth.

    Raises:
        XrayReadError: As ``read_xray``.
    """
    film = read_xray(path)
    height, width = film.shape
    return XrayInfo(height, width, 8, bool(film.min() == film.max()))


def _read_picture(path: Path, percentiles: tuple[float, float]) -> np.ndarray:
    """Read PNG, JPEG or TIFF through Pillow."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=_PILLOW_FORMATS) as image:
            frames = getattr(image, 'n_frames', 1)
            # A camera's multi-picture JPEG holds previews behind its one real picture.
            if frames > 1 and image.format != 'MPO':
                raise XrayReadError(path, f'it holds {frames} frames, expected one')
            image.load()
            if image.mode == 'F' or image.mode.startswith('I'):
                return scale_to_uint8(np.asarray(image), percentiles)
            return np.array(image.convert('L'))
    except UnidentifiedImageError:
        raise XrayReadError(
            path, 'not a PNG, JPEG, TIFF or DICOM file, or its beginning is damaged'
        ) from None
    except Image.DecompressionBombError as error:
        raise XrayReadError(path, f'too large for a radiograph ({error})') from None
    except XrayReadError:
        raise
    except Exception as error:
        # Pillow's decoders raise a dozen unrelated types for damaged data.
        raise XrayReadError(path, f'damaged or truncated ({error})') from error


def _read_dicom(path: Path, percentiles: tuple[float, float]) -> np.ndarray:
    """Read one DICOM frame through pydicom."""
    try:
        import pydicom
        from pydicom.errors import InvalidDicomError
        from pydicom.pixels import apply_modality_lut
    except ImportError as error:
        raise UserError(
            f'reading the DICOM file {path} needs the package pydicom >= 3 ({error}). Install it: '
            '`pip install pydicom python-gdcm`.'
        ) from error

    try:
        dataset = pydicom.dcmread(path)
    except InvalidDicomError:
        raise XrayReadError(path, 'not a DICOM file, whatever its name says') from None
    except Exception as error:
        raise XrayReadError(path, f'damaged DICOM header ({error})') from error
    if 'PixelData' not in dataset:
        raise XrayReadError(path, 'the DICOM file has no pixel data')
    frames = int(dataset.get('NumberOfFrames') or 1)
    if frames > 1:
        raise XrayReadError(path, f'the DICOM file holds {frames} frames, expected one')
    try:
        pixels = dataset.pixel_array
    except Exception as error:
        raise XrayReadError(path, f'the DICOM pixel data cannot be decoded ({error})') from error
    if pixels.ndim == 3:
        from PIL import Image

        # pydicom returns colour as RGB; a secondary capture of a film is grey all the same.
        return np.array(Image.fromarray(scale_to_uint8(pixels, (0, 100))).convert('L'))
    if pixels.ndim != 2:
        raise XrayReadError(path, f'the DICOM pixel data has shape {pixels.shape}, expected (H, W)')
    pixels = apply_modality_lut(pixels, dataset)
    grey = _apply_window(pixels, dataset)
    if grey is None:
        grey = scale_to_uint8(pixels, percentiles)
    if dataset.get('PhotometricInterpretation') == 'MONOCHROME1':
        grey = 255 - grey
    return np.ascontiguousarray(grey)


def _apply_window(pixels: np.ndarray, dataset: Any) -> np.ndarray | None:
    """Apply the VOI LUT or the first window of a DICOM data set.

    Args:
        pixels (np.ndarray): (H, W), after the modality LUT.
        dataset (pydicom.Dataset): The header.

    Returns:
        np.ndarray | None: (H, W) uint8, or None if the header has no usable VOI LUT or window.
    """
    from pydicom.pixels import apply_voi_lut

    table = (dataset.get('VOILUTSequence') or [None])[0]
    if table is not None and {'LUTDescriptor', 'LUTData'} <= set(table.dir()):
        first, entries = table.LUTDescriptor[1], table.LUTDescriptor[0] or 2**16
        # Whatever lies outside the table has the value of its nearer end.
        pixels = np.clip(np.rint(pixels), first, first + entries - 1).astype(np.int64)
        probe = np.arange(first, first + entries)
    elif _has_window(dataset):
        probe = np.array([-(2**30), 2**30])
    else:
        return None
    # The library answers in the file's own units. Sent through the same curve, its ends tell where
    # black and white are, whatever form and units it has.
    with np.errstate(over='ignore'):
        ends = apply_voi_lut(probe, dataset)
        windowed = apply_voi_lut(pixels, dataset)
    low, high = float(ends.min()), float(ends.max())
    return _rescale(windowed, low, high) if high > low else None


def _has_window(dataset: Any) -> bool:
    """Whether the header names a window of at least one grey value."""
    center, width = dataset.get('WindowCenter'), dataset.get('WindowWidth')
    if center in (None, '') or width in (None, ''):
        return False
    first = width[0] if hasattr(width, '__len__') else width
    return float(first) > 1


def scale_to_uint8(
    pixels: np.ndarray, percentiles: tuple[float, float] = DEFAULT_PERCENTILES
) -> np.ndarray:
    """Scale grey values between two percentiles of the image to 0-255, clipping the rest.

    Args:
        pixels (np.ndarray): Any shape, any integer or float type; values that are not finite count
            as the lowest.
        percentiles (tuple[float, float]): Lower and upper percentile. Defaults to (0.5, 99.5).

    Returns:
        np.ndarray: Same shape, uint8; all zero for an image of one value.
    """
    if pixels.dtype.kind == 'f':
        finite = pixels[np.isfinite(pixels)]
        if not finite.size:
            return np.zeros(pixels.shape, dtype=np.uint8)
        pixels = np.where(np.isfinite(pixels), pixels, finite.min())
    low, high = np.percentile(pixels, percentiles)
    if not high > low:
        # Nearly everything has one value: use what little contrast there is.
        low, high = float(pixels.min()), float(pixels.max())
    if not high > low:
        return np.zeros(pixels.shape, dtype=np.uint8)
    return _rescale(pixels, low, high)


def _rescale(pixels: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map [low, high] linearly to 0-255, rounding and clipping."""
    scaled = (pixels.astype(np.float32) - np.float32(low)) * np.float32(255.0 / (high - low))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
