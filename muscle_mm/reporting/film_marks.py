# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""What is drawn on a film: outlines of masks, boxes, names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_TEXT_ROOM = 0.06  # of a film's height, for the text of a box


def show_film(axis: Any, film: np.ndarray) -> None:
    """Draw a film without axes.

    Args:
        axis (Axes): The panel.
        film (np.ndarray): (H, W), uint8.
    """
    axis.imshow(film, cmap='gray', vmin=0, vmax=255)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    axis.autoscale(False)  # marks that reach beyond the film do not shrink it


def draw_outline(axis: Any, mask: np.ndarray, colour: str, style: str = 'solid') -> None:
    """Draw the outline of a mask.

    Args:
        axis (Axes): The panel.
        mask (np.ndarray): (H, W), bool, of the film as it is drawn.
        colour (str): The colour.
        style (str): Line style of matplotlib. Defaults to 'solid'.
    """
    # The outside closes an outline along the film's edge; matplotlib needs both values in a mask.
    if mask.any():
        height, width = mask.shape
        axis.contour(
            np.arange(-1, width + 1),
            np.arange(-1, height + 1),
            np.pad(mask, 1),
            levels=[0.5],
            colors=[colour],
            linestyles=style,
            zorder=3,  # above the film's frame
        )


def draw_box(
    axis: Any,
    box: Sequence[float] | np.ndarray,
    colour: str,
    style: str,
    text: str,
    above: bool,
    size: float = 8,
) -> None:
    """Draw one box with its text above or below it.

    Args:
        axis (Axes): The panel.
        box (Sequence[float]): x1, y1, x2, y2 in pixels of the film as it is drawn.
        colour (str): The colour.
        style (str): Line style of matplotlib.
        text (str): What it shows.
        above (bool): Whether the text is above the box, or else below it.
        size (float): Of the text, in points. Defaults to 8.
    """
    from matplotlib.patches import Rectangle

    x1, y1, x2, y2 = (float(value) for value in box)
    axis.add_patch(
        Rectangle(
            (x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=colour, linestyle=style, linewidth=2
        )
    )
    # At the film's edge the text is inside the box, and in its right half it ends with the box.
    height, width = axis.get_ylim()[0], axis.get_xlim()[1]
    outside = y1 > _TEXT_ROOM * height if above else y2 < (1 - _TEXT_ROOM) * height
    right = x1 + x2 > width
    axis.text(
        x2 if right else x1,
        y1 if above else y2,
        text,
        color='black',
        fontsize=size,
        horizontalalignment='right' if right else 'left',
        verticalalignment='bottom' if above == outside else 'top',
        bbox={'facecolor': colour, 'edgecolor': 'none', 'pad': 1, 'alpha': 0.8},
        clip_on=True,
        parse_math=False,
    )


def short_name(name: str, length: int = 22) -> str:
    """Make a file name fit to be drawn.

    Args:
        name (str): The name, with any characters.
        length (int): Most characters. Defaults to 22.

    Returns:
        str: The name, shortened from the left, because names of one set begin alike, and with
        escapes in place of what cannot be printed.
    """
    printable = ''.join(
        character if character.isprintable() else ascii(character)[1:-1] for character in name
    )
    return printable if len(printable) <= length else '…' + printable[-length + 1 :]
