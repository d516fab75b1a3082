# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Whether the boxes of an image can be true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

#: Shortest side of a box in pixels: one, less what the sum of a corner and a side may lose.
_SHORTEST_SIDE = 0.999


def check_annotated_size(annotated: Sequence[Any], height: int, width: int) -> str | None:
    """Find out whether boxes were drawn on an image of another size, a preview for example.

    Args:
        annotated (Sequence): Width and height on which they were drawn, as the annotations say.
        height (int): Of the film, in pixels.
        width (int): Of the film, in pixels.

    Returns:
        str | None: The reason against the boxes, or None.
    """
    if list(annotated) == [width, height]:
        return None
    drawn = ' x '.join(map(repr, annotated))
    return f'annotated at {drawn} pixels, the film has {width} x {height}'


def check_boxes(instances: Iterable[Mapping[str, Any]], height: int, width: int) -> str | None:
    """Find what is wrong with the boxes of an image.

    A box that sticks out by a little is left as published; one of which most lies outside was drawn
    on an image of another size.

    Args:
        instances (Iterable[Mapping]): With ``bbox``: x1, y1, x2, y2 in pixels.
        height (int): Of the image, in pixels.
        width (int): Of the image, in pixels.

    Returns:
        str | None: The reason against the first bad box, or None.
    """
    for instance in instances:
        box = instance['bbox']
        if not _are_four_numbers(box):
            return f'the box {box} is not four finite numbers'
        x1, y1, x2, y2 = box
        if not (x2 > x1 and y2 > y1):
            return f'the box {box} (x1, y1, x2, y2) is empty'
        if min(x2 - x1, y2 - y1) < _SHORTEST_SIDE:
            return (
                f'the box {box} (x1, y1, x2, y2) is smaller than a pixel; boxes are counted in '
                'pixels, not in parts of the film'
            )
        inside = max(min(x2, width) - max(x1, 0), 0) * max(min(y2, height) - max(y1, 0), 0)
        if inside == 0:
            return f'the box {box} (x1, y1, x2, y2) lies outside the image of {width} x {height}'
        if inside < 0.5 * (x2 - x1) * (y2 - y1):
            return (
                f'the box {box} (x1, y1, x2, y2) lies mostly outside the image of {width} x '
                f'{height}; it may be meant for another size'
            )
    return None


def _are_four_numbers(box: Any) -> bool:
    """Whether something is four finite numbers."""
    return (
        isinstance(box, (list, tuple))
        and len(box) == 4
        and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in box)
        and bool(np.isfinite(np.array(box, dtype=float)).all())
    )
