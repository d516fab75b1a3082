# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Decode a film and shrink it for a cache."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from muscle_mm.datasets.io import XrayReadError, read_xray
from muscle_mm.datasets.manifest import safe_join
from muscle_mm.utils.errors import UserError
from muscle_mm.utils.file_digest import file_sha256
from muscle_mm.utils.parallel import LOST_REASON

#: A JPEG file is decoded at half its size or less as long as this many times the cache's size are
#: left, which then become one pixel by their mean.
_SPARE = 2


def shrunk_shape(height: int, width: int, size: int) -> tuple[int, int]:
    """Say how large a film is in a cache: its shorter side has the size, and it never grows.

    Args:
        height (int): Of the film, in pixels.
        width (int): Of the film, in pixels.
        size (int): Of the cache, in pixels.

    Returns:
        tuple[int, int]: Height and width.
    """
    short = min(height, width)
    if short <= size:
        return height, width
    return round(height * size / short), round(width * size / short)


def shrunk_film(record: Mapping[str, Any], images: str, size: int) -> np.ndarray | str:
    """Decode a film and shrink it.

    Args:
        record (Mapping): Of the manifest.
        images (str): The folder of the images.
        size (int): Of the cache, in pixels.

    Returns:
        np.ndarray | str: (H, W), uint8; or the reason why there is none.

    Raises:
        UserError: If the path leaves the folder, or a package is missing that is needed.
    """
    name = record['img_path']
    path = safe_join(images, name, f'image {name!r} of the manifest')
    try:
        if file_sha256(path) != record.get('sha256'):
            return 'the file is not the one that the manifest describes (other sha256)'
        return read_shrunk(path, size, record.get('frame'))
    except XrayReadError as error:
        return error.reason
    except UserError:
        raise
    except OSError as error:
        return error.strerror or str(error)


def read_shrunk(path: str | Path, size: int, frame: int | None = None) -> np.ndarray:
    """Read a film as a cache holds it.

    Args:
        path (str | Path): The file.
        size (int): Of the cache, in pixels.
        frame (int, optional): The frame of a file that holds several, counted from 0. Defaults to
            refusing such a file.

    Returns:
        np.ndarray: (H, W), uint8.

    Raises:
        XrayReadError: If it cannot be read.
        UserError: If a package is missing that is needed.
    """
    film = read_xray(path, frame=frame, min_side=_SPARE * size)
    height, width = film.shape
    shape = shrunk_shape(height, width, size)
    if shape == (height, width):
        return film
    return cv2.resize(film, shape[::-1], interpolation=cv2.INTER_AREA)


def lost_film(record: Mapping[str, Any]) -> str:
    """Give the reason for a film that ended the process which decoded it.

    Args:
        record (Mapping): Of the manifest.

    Returns:
        str: The reason.
    """
    return LOST_REASON
