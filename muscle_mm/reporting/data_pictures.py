# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Pictures of the training data: grey values, sizes, class balance."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from muscle_mm.datasets.statistics import DataStatistics, SetStatistics
from muscle_mm.reporting.style import COLOURS, figure

_COLUMNS = 3
_BAR = 0.42  # inches a row


def draw_data(statistics: DataStatistics, folder: Path) -> list[Path]:
    """Draw all pictures.

    Args:
        statistics (DataStatistics): What was measured.
        folder (Path): Gets ``grey_values.png``, ``sizes.png`` and, where there are labels,
            ``classes.png``; made if missing.

    Returns:
        list[Path]: The pictures written.
    """
    sets = [one for one in statistics.sets if one.images]
    pictures = [folder / 'grey_values.png', folder / 'sizes.png']
    _draw_grey_values(sets, statistics.together, pictures[0])
    _draw_sizes(sets, pictures[1])
    if any(one.class_counts or one.object_shares for one in sets):
        pictures.append(folder / 'classes.png')
        _draw_classes(sets, pictures[-1])
    return pictures


def _draw_grey_values(sets: list[SetStatistics], together: SetStatistics, path: Path) -> None:
    """Draw a histogram of each set, and behind it that of all together."""
    columns = min(_COLUMNS, len(sets))
    rows = -(-len(sets) // columns)
    highest = max(_coarse(one).max() for one in sets)
    with figure(path, rows, columns, (4.2, 2.7)) as axes:
        for axis, one in zip(axes.flat, sets, strict=False):
            edges = np.arange(0, 257, 4)
            if len(sets) > 1:
                axis.stairs(_coarse(together), edges, fill=True, color='0.85')
            axis.stairs(_coarse(one), edges, color=COLOURS[0], linewidth=2)
            axis.axvline(one.mean, color=COLOURS[1], linestyle='--')
            axis.set_title(f'{one.name}\n{one.mean:.1f} ± {one.std:.1f}, {one.images:,} films')
            axis.set_xlim(0, 256)
            axis.set_ylim(0, min(1.05 * highest, 3 * _coarse(together).max()))
            axis.set_xticks([0, 64, 128, 192, 255])
        for axis in axes.flat[len(sets) :]:
            axis.set_visible(False)
        for axis in axes[:, 0]:
            axis.set_ylabel('pixels (%)')
        for place in range(len(sets) - columns, len(sets)):
            axes.flat[place].set_xlabel('grey value (0-255)')
        title = 'Grey values of the training films\ndashed: mean'
        if len(sets) > 1:
            title += f'; grey: all together, {together.mean:.1f} ± {together.std:.1f}'
            title += '; tall peaks are cut off'
        axes[0, 0].figure.suptitle(title)


def _coarse(one: SetStatistics) -> np.ndarray:
    """Add up four neighbouring grey values each, in percent of the pixels."""
    return 100 * one.distribution.reshape(-1, 4).sum(axis=1)


def _draw_sizes(sets: list[SetStatistics], path: Path) -> None:
    """Draw shorter side and aspect ratio of each set: range, quartiles, median."""
    values = {
        'shorter side (pixels)': [np.minimum(one.heights, one.widths) for one in sets],
        'width / height': [np.divide(one.widths, one.heights) for one in sets],
    }
    with figure(path, 1, 2, (6.0, 1.5 + _BAR * len(sets))) as axes:
        for axis, (label, numbers) in zip(axes[0], values.items(), strict=True):
            rows = np.arange(len(sets))
            low, first, middle, third, high = np.transpose(
                [np.quantile(one, (0, 0.25, 0.5, 0.75, 1)) for one in numbers]
            )
            axis.hlines(rows, low, high, color=COLOURS[0])
            axis.barh(rows, third - first, 0.6, first, color=COLOURS[4], edgecolor=COLOURS[0])
            axis.vlines(middle, rows - 0.3, rows + 0.3, color=COLOURS[1], linewidth=4)
            axis.set_xlabel(label)
            axis.set_yticks(rows, [f'{one.name} ({one.images:,})' for one in sets])
            axis.invert_yaxis()
            axis.grid(axis='x', color='0.9')
            axis.set_axisbelow(True)
        axes[0, 0].set_xlim(left=0)
        axes[0, 1].axvline(1, color='0.5', linestyle=':')
        axes[0, 1].set_yticklabels([])
        axes[0, 0].figure.suptitle(
            'Sizes of the training films (line: smallest to largest; box: middle half; orange: '
            'median)'
        )


def _draw_classes(sets: list[SetStatistics], path: Path) -> None:
    """Draw the share of each class in its set."""
    rows: list[tuple[str, float, str, int]] = []
    labelled = [one for one in sets if one.class_counts or one.object_shares]
    for number, one in enumerate(labelled):
        total = one.class_counts.total()
        unit = 'boxes' if one.counts_boxes else 'films'
        for name in one.classes if total else ():
            count = one.class_counts[name]
            rows.append((f'{one.name}: {name}', 100 * count / total, f'{count:,} {unit}', number))
        if one.object_share is not None:
            shown = f'of the pixels, {one.images:,} films'
            rows.append((f'{one.name}: {one.classes[-1]}', 100 * one.object_share, shown, number))
    with figure(path, 1, 1, (9.0, 1.6 + _BAR * len(rows))) as axes:
        axis = axes[0, 0]
        for place, (_, share, shown, number) in enumerate(rows):
            axis.barh(place, share, color=COLOURS[0] if number % 2 else COLOURS[4], height=0.7)
            axis.text(share + 1, place, f'{share:.1f}% ({shown})', va='center', fontsize=11)
        axis.set_yticks(range(len(rows)), [row[0] for row in rows])
        axis.invert_yaxis()
        axis.set_xlim(0, 145)  # room for the text behind a full bar
        axis.set_xticks([0, 25, 50, 75, 100])
        axis.set_xlabel('share in the training part of its set (%)')
        axis.figure.suptitle('Class balance')
