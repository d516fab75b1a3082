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
#: Fonts with Chinese letters that systems come with; matplotlib's own has none.
_CHINESE_FONTS = (
    'Noto Sans CJK SC',
    'Noto Sans SC',
    'Source Han Sans SC',
    'WenQuanYi Zen Hei',
    'WenQuanYi Micro Hei',
    'Microsoft YaHei',
    'SimHei',
    'PingFang SC',
)

#: initialisation -> colour and line style, the same in all pictures, so that either is enough
_LINES: dict[str, tuple[str, Any]] = {
    'scratch': ('#7F7F7F', ':'),
    'imagenet': ('#E69F00', '-.'),
    'md_moco': ('#009E73', '--'),
    'muscle_minus_minus': ('#CC79A7', (0, (5, 1, 1, 1, 1, 1))),
    'muscle': ('#0072B2', '-'),
}
_OTHER_LINE = ('#D55E00', (0, (1, 1)))


def colour_of(initialisation: str) -> str:
    """Choose a colour, the same in all pictures.

    Args:
        initialisation (str): Folder name of an initialisation.

    Returns:
        str: A colour; those that the paper does not have share one.
    """
    return _LINES.get(initialisation, _OTHER_LINE)[0]


def line_style_of(initialisation: str) -> Any:
    """Choose a line style, the same in all pictures.

    Args:
        initialisation (str): Folder name of an initialisation.

    Returns:
        Any: A line style of matplotlib; those that the paper does not have share one.
    """
    return _LINES.get(initialisation, _OTHER_LINE)[1]


def font_families() -> list[str]:
    """List the fonts in which text is written: a letter that one lacks is taken from the next.

    Returns:
        list[str]: matplotlib's own font, then those with Chinese letters that are installed.
    """
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    return ['DejaVu Sans', *(name for name in _CHINESE_FONTS if name in installed)]


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
            'font.family': font_families(),
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
