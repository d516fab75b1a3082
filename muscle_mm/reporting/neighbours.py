# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""A picture of what a backbone takes for alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muscle_mm.reporting.style import PREDICTION_COLOUR, TRUTH_COLOUR, figure


@dataclass(frozen=True)
class ShownFilm:
    """A film of the picture.

    Attributes:
        film (np.ndarray): (H, W) uint8.
        label (str): Name of its class.
        similarity (float, optional): Cosine to the film that was asked for. Defaults to None: it is
            that film.
    """

    film: np.ndarray
    label: str
    similarity: float | None = None


def draw_neighbours(rows: Sequence[Sequence[ShownFilm]], path: Path) -> None:
    """Draw films and beside each its nearest neighbours.

    A neighbour of the same class has a solid blue frame, one of another class a dashed orange one.

    Args:
        rows (Sequence[Sequence[ShownFilm]]): In each row a film, then its neighbours, the nearest
            first.
        path (Path): The picture (PNG).
    """
    columns = max(len(row) for row in rows)
    with figure(path, len(rows), columns, (1.9, 2.25)) as axes:
        for row, panels in zip(rows, axes, strict=True):
            for shown, axis in zip(row, panels, strict=False):
                axis.imshow(shown.film, cmap='gray', vmin=0, vmax=255)
                axis.set_xticks([])
                axis.set_yticks([])
                same = shown.label == row[0].label
                axis.spines[:].set(
                    visible=shown.similarity is not None,
                    color=TRUTH_COLOUR if same else PREDICTION_COLOUR,
                    linestyle='-' if same else '--',
                    linewidth=3,
                )
                title = shown.label
                if shown.similarity is not None:
                    title += f'\n{shown.similarity:.3f}'
                axis.set_title(title, fontsize=10)
            for axis in panels[len(row) :]:
                axis.set_visible(False)
        axes[0, 0].figure.suptitle(
            'Left: a held-out film. Right: the nearest training films and their cosine\n'
            '(solid frame: same class, dashed: another)',
            fontsize=11,
        )
