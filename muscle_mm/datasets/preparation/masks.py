# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Masks as published, written once in one form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from muscle_mm.datasets.io import XrayReadError, read_xray
from muscle_mm.utils.whole_file import whole_file

#: Below the folder of the manifest.
MASKS_FOLDER = 'masks'
#: The largest grey value of 16 bits, and what the values of 8 bits are multiplied by.
_WHITE, _STEP = 65535, 257
#: Grey values this near to black or white are those two, blurred by JPEG or by resizing.
_NEAR = 64 * _STEP
#: Part of the pixels that must be near black or white in a mask of more than two values.
_CLEAR = 0.95
#: So few values may be labels, each with an object of its own, and not the steps of a blur.
_LABELS = 8
#: Side of the smallest square of pixels that only an object fills.
_SMALLEST_LABEL = 3


def mask_target(image: str) -> str:
    """Name the file of an image's joined mask.

    Args:
        image (str): The image, relative to the source.

    Returns:
        str: The mask, relative to the folder of the manifest.
    """
    return PurePosixPath(MASKS_FOLDER, image).with_suffix('.png').as_posix()


def join_masks(
    image: str, masks: Sequence[str], source: Path, out: Path, shape: tuple[int, int]
) -> str | None:
    """Join the masks of an image into one 0 / 255 PNG below ``out/masks``.

    Published masks come as 0/1 or 0/255, grey or colour, joined or as left and right. Written once
    in one form, they need no guess when they are read, and the stock LoadAnnotations reads them.

    Args:
        image (str): The image, relative to the source.
        masks (Sequence[str]): Its masks, relative to the source.
        source (Path): The folder of the set.
        out (Path): The folder of the manifest.
        shape (tuple[int, int]): Height and width of the image in pixels.

    Returns:
        str | None: The reason against a mask, or None.
    """
    from PIL import Image

    joined = np.zeros(shape, dtype=bool)
    for mask_path in masks:
        try:
            # Grey values as they are: for 16 bits, the ends are the mask's own. In 8 bits, values
            # that differ could become one.
            mask = read_xray(source / mask_path, percentiles=(0, 100), dtype='uint16')
        except XrayReadError as error:
            return f'mask {mask_path}: {error.reason}'
        if mask.shape != shape:
            return (
                f'mask {mask_path} has {mask.shape[1]} x {mask.shape[0]} pixels, the image '
                f'{shape[1]} x {shape[0]}'
            )
        inside = _binary(mask)
        if inside is None:
            return (
                f'mask {mask_path} holds {len(np.unique(mask))} grey values, expected two: 0 '
                'outside, 1 or 255 inside'
            )
        joined |= inside
    target = out / mask_target(image)
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as unfinished:
        Image.fromarray(joined.astype(np.uint8) * 255).save(unfinished, format='PNG')
    return None


def _binary(mask: np.ndarray) -> np.ndarray | None:
    """Tell inside from outside.

    Args:
        mask (np.ndarray): (H, W) uint16.

    Returns:
        np.ndarray | None: (H, W) bool; None if the values are more than two kinds.
    """
    values = np.flatnonzero(np.bincount(mask.ravel()))
    if len(values) == 1:
        return mask > 0 if values[0] in (0, _STEP, _WHITE) else None
    if len(values) == 2:
        return mask == values[1]
    black, white = mask < _NEAR, mask > _WHITE - _NEAR
    if not white.any() or (black | white).mean() < _CLEAR:
        return None
    # However small its object is, a third label must not become one of the two.
    if len(values) <= _LABELS and any(_is_label(mask == value) for value in values[1:-1]):
        return None
    return mask > _WHITE // 2


def _is_label(one_value: np.ndarray) -> bool:
    """Whether a grey value fills an area: a blurred border and a speck are lines and points."""
    block = np.ones((_SMALLEST_LABEL,) * 2, np.uint8)
    eroded = cv2.erode(
        one_value.astype(np.uint8), block, borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    return bool(eroded.any())
