# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""One look for all figures: legible on a slide, and without a need to tell red from green."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from muscle_mm.utils.whole_file import whole_file

#: Okabe and Ito's palette (Color Universal Design, 2008), without yellow, which is faint on white.
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00', '#000000')
LINE_STYLES = ('-', '--', '-.', ':')
#: On a film: truth and prediction differ in colour and in line style.
TRUTH_COLOUR = '#56B4E9'
PREDICTION_COLOUR = '#E69F00'


@contextmanager
def figure(path: Path, rows: int, columns: int, size: tuple[float, float]) -> Iterator[Any]:
    """Draw a grid of panels and save it as a PNG.

    Args:
        path (Path): The file.
        rows (int): Rows of panels.
        columns (int): Columns of panels.
        size (tuple[float, float]): Width and height of one panel in inches.

    Yields:
        Any: Array of matplotlib axes, shape (rows, columns).
    """
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    with pyplot.rc_context(
        {
            'font.size': 12,
            'axes.titlesize': 13,
            'axes.spines.top': False,
            'axes.spines.right': False,
            'axes.grid': False,
            'legend.frameon': False,
            'lines.linewidth': 2,
        }
    ):
        drawing, axes = pyplot.subplots(
            rows,
            columns,
            figsize=(columns * size[0], rows * size[1]),
            squeeze=False,
            layout='constrained',
        )
        try:
            yield axes
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as unfinished:
                drawing.savefig(unfinished, dpi=120, format='png')
        finally:
            pyplot.close(drawing)
