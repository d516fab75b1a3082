# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""The part of a film that a view shows."""

from __future__ import annotations

import math
import random
from typing import NamedTuple

#: Logarithms of the narrowest and the widest ratio of width to height, as in Inception and MoCo.
_LOG_RATIO = (math.log(3 / 4), math.log(4 / 3))
#: Draws before a crop is made to fit, as in torchvision.
_ATTEMPTS = 10


class Crop(NamedTuple):
    """A rectangle in a film, turned about its centre.

    Attributes:
        x (float): Of the centre, in pixels from the film's left edge.
        y (float): Of the centre, in pixels from the film's upper edge.
        width (float): In pixels of the film.
        height (float): In pixels of the film.
        angle (float): Clockwise, in radians; the film appears turned the other way.
        mirrored (bool): Whether the view shows it flipped from left to right.
    """

    x: float
    y: float
    width: float
    height: float
    angle: float = 0
    mirrored: bool = False


def draw_crop(
    height: int,
    width: int,
    scale: tuple[float, float],
    rotation: float,
    flip_probability: float,
) -> Crop:
    """Draw a crop with Python's generator.

    Area and place are uniform, the ratio of width to height is so in its logarithm, from 3:4 to
    4:3. A crop that does not fit is drawn again, up to ten times; the last is then shrunk until it
    fits, as happens in a film that is much longer than wide. Turned, a crop may show corners from
    outside the film.

    Args:
        height (int): Of the film, in pixels.
        width (int): Of the film, in pixels.
        scale (tuple[float, float]): Fraction of the film's area that a crop covers.
        rotation (float): Largest angle in degrees, to both sides.
        flip_probability (float): Chance of a left-right flip.

    Returns:
        Crop: The crop.
    """
    for _ in range(_ATTEMPTS):
        area = height * width * random.uniform(*scale)
        ratio = math.exp(random.uniform(*_LOG_RATIO))
        crop_width, crop_height = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if crop_width <= width and crop_height <= height:
            break
    fit = min(1, width / crop_width, height / crop_height)
    crop_width, crop_height = crop_width * fit, crop_height * fit
    left = random.uniform(0, width - crop_width)
    top = random.uniform(0, height - crop_height)
    return Crop(
        x=left + crop_width / 2,
        y=top + crop_height / 2,
        width=crop_width,
        height=crop_height,
        angle=math.radians(random.uniform(-rotation, rotation)) if rotation else 0,
        mirrored=random.random() < flip_probability,
    )
