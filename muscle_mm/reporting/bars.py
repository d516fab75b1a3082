# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Picture of each task's main measure as bars with confidence intervals."""

import math
from pathlib import Path
from typing import Any

from muscle_mm.reporting.labels import INITIALISATION_LABELS, MAIN_MEASURES
from muscle_mm.reporting.published import PUBLISHED
from muscle_mm.reporting.style import colour_of, figure
from muscle_mm.reporting.tables import ResultTable, Row, main_column

_PANEL = (4.6, 3.7)


def draw_bars(table: ResultTable, path: Path) -> bool:
    """Draw a row of panels for each backbone that was tested, a panel for each task.

    A bar, and the number on it, is the mean over the seeds, a dot a seed, the whisker the 95%
    confidence interval over test patients, a diamond the published value. An axis that does not
    begin at zero says so.

    Args:
        table (ResultTable): The results.
        path (Path): The picture.

    Returns:
        bool: False if there is nothing to draw, and so no picture.
    """
    from matplotlib.lines import Line2D

    tested = {(cell.backbone, cell.task) for cell in table.cells}
    backbones = [name for name in table.backbones if any(name == one for one, _ in tested)]
    tasks = [task for task in table.tasks if any(task == one for _, one in tested)]
    if not backbones:
        return False
    with figure(path, len(backbones), len(tasks), _PANEL) as axes:
        for line, backbone in zip(axes, backbones, strict=True):
            rows = [row for row in table.rows if row[0] == backbone][::-1]
            for axis, task in zip(line, tasks, strict=True):
                _draw_panel(axis, table, rows, task)
                axis.set_title(f'{table.titles[task]}, {backbone}').set_parse_math(False)
        handles = [
            Line2D([], [], color='black', marker='|', markersize=9, label='95% CI (test patients)'),
            Line2D([], [], **_PUBLISHED, label='published, on its own data'),
        ]
        if len(table.seeds) > 1:
            handles.insert(0, Line2D([], [], **_SEED, label='one seed (bar: mean)'))
        axes[0, 0].figure.legend(handles=handles, loc='outside lower center', ncols=len(handles))
    return True


_SEED: dict[str, Any] = dict(
    marker='o', markersize=5, markerfacecolor='white', markeredgecolor='black', linestyle='none'
)
_PUBLISHED: dict[str, Any] = dict(
    marker='D', markersize=7, markerfacecolor='none', markeredgecolor='black', linestyle='none'
)


def _draw_panel(axis: Any, table: ResultTable, rows: list[Row], task: str) -> None:
    """Draw one backbone and task."""
    column = main_column(table.columns[task])
    marks: list[float] = []
    for place, row in enumerate(rows):
        value = table.value(row, task, column.key)
        published = PUBLISHED.get(row, {}).get(task, {}).get(column.key)
        known = value is not None and not math.isnan(value)
        text = f'{value:.1f}' if known else 'missing' if value is None else 'not defined'
        axis.text(
            0.01,
            place,
            text,
            transform=axis.get_yaxis_transform(),
            va='center',
            color='black' if known else '#595959',
            fontsize=11,
            zorder=3,
        )
        if value is not None and known:
            axis.barh(place, value, height=0.62, color=colour_of(row[1]), alpha=0.75)
            values = table.values(row, task, column.key)
            marks += [value, *values]
            interval = table.interval(row, task, column)
            if interval:
                axis.plot(interval, [place, place], color='black', marker='|', markersize=9)
                marks += interval
            if len(values) > 1:
                axis.plot(values, [place] * len(values), **_SEED)
        if published is not None:
            axis.plot(published, place, **_PUBLISHED)
            marks.append(published)
    low, high = _limits(marks)
    axis.set_xlim(low, high)
    axis.set_ylim(-0.6, len(rows) - 0.4)
    axis.set_yticks(range(len(rows)), [INITIALISATION_LABELS.get(row[1], row[1]) for row in rows])
    label = next((text for key, text in MAIN_MEASURES.values() if key == column.key), column.header)
    axis.set_xlabel(f'{label}, axis from {low:g}' if low else label)


def _limits(marks: list[float]) -> tuple[float, float]:
    """Choose the axis: from zero, or, where all is far from it, from a round number."""
    marks = [mark for mark in marks if not math.isnan(mark)] or [0.0, 100.0]
    room = max(max(marks) - min(marks), 1.0)
    low = 10 * math.floor((min(marks) - room / 4) / 10)
    if room < 5:
        low = math.floor(min(marks) - room)
    high = max(marks) + 0.08 * room
    return (max(0.0, float(low)) if min(marks) > 40 else 0.0), high
