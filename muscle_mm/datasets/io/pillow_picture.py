# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Decode TIFF, and rare kinds of PNG and JPEG, with Pillow."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from muscle_mm.datasets.io.decoded import DecodedPicture
from muscle_mm.datasets.io.errors import XrayReadError
from muscle_mm.datasets.io.limits import check_size, choose_frame

_FORMATS = ('PNG', 'JPEG', 'TIFF')
_BITS, _PHOTOMETRIC, _PLANES, _SAMPLE_FORMAT = 258, 262, 284, 339
_WHITE_IS_ZERO, _UNSIGNED, _CHUNKY = 0, 1, 1

# What takes back the turn that Pillow gives a TIFF file by its orientation.
_TURN_BACK = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def read_with_pillow(
    path: Path, file: io.FileIO, frame: int | None, min_side: int | None
) -> DecodedPicture:
    """Decode a PNG, JPEG or TIFF file to one grey channel.

    Args:
        path (Path): The file, to name it.
        file (FileIO): The file, open without a buffer. It is closed.
        frame (int, optional): The frame of a file that holds several, counted from 0.
        min_side (int, optional): The shorter side that is enough for a JPEG, in pixels.

    Returns:
        DecodedPicture: The grey values.

    Raises:
        XrayReadError: If it is damaged, too large, of a kind that Pillow does not know, or holds
            several frames and none was named.
    """
    file.seek(0)
    try:
        with warnings.catch_warnings():
            # The limit is our own.
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            with io.BufferedReader(file) as buffered:
                return _read(path, buffered, frame, min_side)
    except UnidentifiedImageError:
        raise XrayReadError(
            path, 'its beginning is damaged, or it is of a kind that Pillow does not read'
        ) from None
    except Image.DecompressionBombError as error:
        raise XrayReadError(path, f'too large for a radiograph ({error})') from None
    except XrayReadError:
        raise
    except Exception as error:
        # Pillow's decoders raise a dozen unrelated types for damaged data.
        raise XrayReadError(path, f'damaged or truncated ({error})') from error


def _read(path: Path, file: BinaryIO, frame: int | None, min_side: int | None) -> DecodedPicture:
    """Decode, with whatever errors Pillow raises."""
    image = Image.open(file, formats=_FORMATS)
    # A camera's multi-picture JPEG holds previews behind its one real picture.
    frames = 1 if image.format == 'MPO' else getattr(image, 'n_frames', 1)
    image.seek(choose_frame(path, frames, frame))
    check_size(path, image.height, image.width)
    if image.format == 'TIFF':
        return _read_tiff(path, file, image, frames)
    if min_side is not None:
        image.draft(None, (min_side, min_side))
    return DecodedPicture(np.array(image.convert('L')), 8)


def _read_tiff(path: Path, file: BinaryIO, image: Any, frames: int) -> DecodedPicture:
    """Decode one page of a TIFF file, of any depth."""
    tags = image.tag_v2
    bits = max(np.atleast_1d(tags.get(_BITS, 1)).tolist())
    turned = tags.get(ExifTags.Base.Orientation)
    inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    unsigned = _UNSIGNED in np.atleast_1d(tags.get(_SAMPLE_FORMAT, _UNSIGNED))
    chunky = tags.get(_PLANES, _CHUNKY) == _CHUNKY
    image.load()
    if image.mode in ('RGB', 'RGBA') and bits == 16:
        # Pillow would drop the lower half of each value.
        if frames > 1 or not chunky:
            raise XrayReadError(path, 'colour of 16 bits in several pages or planes')
        return DecodedPicture(_read_deep_colour(path, file), bits)
    if turned in _TURN_BACK and ExifTags.Base.Orientation not in image.tag_v2:
        image = image.transpose(_TURN_BACK[turned])
    if image.mode == 'F' or image.mode.startswith('I'):
        pixels = np.asarray(image)
        if bits == 32 and image.mode == 'I' and unsigned:
            pixels = pixels.view(np.uint32)
        return DecodedPicture(pixels, bits, inverted)
    # Pillow has put white in its place itself.
    return DecodedPicture(np.array(image.convert('L')), bits)


def _read_deep_colour(path: Path, file: BinaryIO) -> np.ndarray:
    """Decode a TIFF file with colour of 16 bits to 16-bit luminance."""
    file.seek(0)
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(file.read(), np.uint8), flags)
    if pixels is None or pixels.dtype != np.uint16:
        raise XrayReadError(path, 'damaged or truncated TIFF file with colour of 16 bits')
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
