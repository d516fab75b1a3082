# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Picture of what each visit of a continual training did to every task's score."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from muscle_mm.reporting.labels import MAIN_MEASURES, TASK_TITLES
from muscle_mm.reporting.style import figure

#: A cell of this size in inches holds a score in legible type.
_CELL = (0.72, 0.62)


def draw_heat_map(scores_file: Path, path: Path, titles: Mapping[str, str] = TASK_TITLES) -> bool:
    """Draw the scores of all tasks (rows) after every visit of the schedule (columns).

    A cell holds the score in percent. Its colour says how many points that is below the best score
    that the task has had since its first visit: white is a new best, and the darker, the more is
    forgotten. Before its first visit a task has no colour. The frame marks the trained task.

    Args:
        scores_file (Path): ``continual_scores.json``, as ``ContinualMultiTaskHook`` writes it.
        path (Path): The picture, a PNG.
        titles (Mapping[str, str]): Titles of the tasks. Defaults to those of the published table.

    Returns:
        bool: False if there is no such file or no score in it, and so no picture.
    """
    content = json.loads(scores_file.read_text()) if scores_file.is_file() else {}
    if not content.get('visits'):
        return False
    tasks, schedule = content['tasks'], content['schedule']
    offset = int(content['before'] is not None)
    scores = _scores(content)
    drop = _points_below_best(scores, tasks, schedule, offset)
    size = (2.6 + _CELL[0] * scores.shape[1], 2.0 + _CELL[1] * len(tasks))
    with figure(path, 1, 1, size) as axes:
        axis = axes[0, 0]
        highest = max(float(np.nanmax(drop, initial=0.0)), 1.0)
        image = axis.imshow(drop, cmap='Blues', vmin=0, vmax=highest, aspect='auto')
        axis.set_facecolor('#E8E8E8')
        _write_scores(axis, scores, drop / highest)
        _frame_trained_tasks(axis, tasks, schedule, offset)
        _separate_rounds(axis, schedule, offset)
        names = [
            f'{visit["visit"] + 1} {titles.get(visit["task"], visit["task"])}' for visit in schedule
        ]
        axis.set_xticks(
            range(scores.shape[1]),
            ['before'] * offset + names,
            rotation=40,
            ha='right',
            rotation_mode='anchor',
        )
        axis.set_yticks(range(len(tasks)), [_row_title(task, titles) for task in tasks])
        axis.tick_params(length=0)
        axis.set_xlabel('visit and its task (framed)')
        for spine in axis.spines.values():
            spine.set_visible(False)
        axis.figure.colorbar(image, ax=axis, label="points below the\ntask's best so far", pad=0.02)
    return True


def _scores(content: Mapping[str, Any]) -> np.ndarray:
    """Lay out all scores: float, shape (tasks, visits), first those before training."""
    columns = [content['before']] if content['before'] is not None else []
    rows = {visit['visit']: visit['scores'] for visit in content['visits']}
    columns += [rows.get(visit['visit'], {}) for visit in content['schedule']]
    return np.array(
        [[column.get(task) for column in columns] for task in content['tasks']], dtype=float
    )


def _points_below_best(
    scores: np.ndarray, tasks: list[str], schedule: list[dict[str, Any]], offset: int
) -> np.ndarray:
    """Subtract each score from the task's best so far; NaN before the task's first visit."""
    drop = np.full_like(scores, np.nan)
    trained = [visit['task'] for visit in schedule]
    for row, task in enumerate(tasks):
        if task in trained:
            first = offset + trained.index(task)
            drop[row, first:] = np.fmax.accumulate(scores[row, first:]) - scores[row, first:]
    return drop


def _write_scores(axis: Any, scores: np.ndarray, darkness: np.ndarray) -> None:
    for (row, column), score in np.ndenumerate(scores):
        if not np.isnan(score):
            colour = 'white' if darkness[row, column] > 0.55 else 'black'
            axis.text(column, row, f'{score:.1f}', ha='center', va='center', color=colour)


def _frame_trained_tasks(
    axis: Any, tasks: list[str], schedule: list[dict[str, Any]], offset: int
) -> None:
    from matplotlib.patches import Rectangle

    for column, visit in enumerate(schedule, start=offset):
        if visit['task'] in tasks:
            corner = (column - 0.45, tasks.index(visit['task']) - 0.45)
            axis.add_patch(
                Rectangle(corner, 0.9, 0.9, fill=False, edgecolor='#D55E00', linewidth=2.5)
            )


def _separate_rounds(axis: Any, schedule: list[dict[str, Any]], offset: int) -> None:
    for round in sorted({visit['round'] for visit in schedule}):
        own = [column for column, visit in enumerate(schedule, offset) if visit['round'] == round]
        if own[0] > 0:
            axis.axvline(own[0] - 0.5, color='black', linewidth=2)
        axis.text(
            (own[0] + own[-1]) / 2,
            1.02,
            f'round {round + 1}',
            transform=axis.get_xaxis_transform(),
            ha='center',
            va='bottom',
        )


def _row_title(task: str, titles: Mapping[str, str]) -> str:
    measure = MAIN_MEASURES.get(task)
    title = titles.get(task, task)
    return title if measure is None else f'{title}: {measure[1]}'
