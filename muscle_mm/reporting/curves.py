# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Pictures of loss, learning rate and scores over a training."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muscle_mm.reporting.cells import Cell
from muscle_mm.reporting.labels import INITIALISATION_LABELS, MAIN_MEASURES, TASK_TITLES
from muscle_mm.reporting.scalars import read_scalars
from muscle_mm.reporting.style import (
    COLOURS,
    LINE_STYLES,
    colour_of,
    figure,
    line_style_of,
)

_PANEL = (5.0, 3.2)


def draw_md_moco(work_dir: Path, path: Path) -> bool:
    """Draw loss, learning rate and contrast accuracy of step 1.

    Args:
        work_dir (Path): Work directory of step 1.
        path (Path): The picture.

    Returns:
        bool: False if there is no log, and so no picture.
    """
    log = read_scalars(work_dir)
    if not log.train:
        return False
    with figure(path, 1, 3, _PANEL) as axes:
        _curve(axes[0, 0], [_Line('', *log.curve('loss'))], 'loss (InfoNCE, nats)')
        _curve(axes[0, 1], [_Line('', *log.curve('lr'))], 'learning rate')
        _curve(axes[0, 2], [_Line('', *log.curve('contrast_accuracy'))], 'own key is nearest (%)')
    return True


def draw_continual(work_dir: Path, path: Path, titles: Mapping[str, str]) -> bool:
    """Draw loss, learning rate and each task's score after each visit of step 2.

    Args:
        work_dir (Path): Work directory of step 2.
        path (Path): The picture.
        titles (Mapping[str, str]): Titles of the tasks.

    Returns:
        bool: False if there is no log, and so no picture.
    """
    log = read_scalars(work_dir)
    if not log.train:
        return False
    with figure(path, 1, 3, _PANEL) as axes:
        _curve(axes[0, 0], [_Line('', *log.curve('loss'))], 'loss of the visited task\n+ memory')
        _curve(axes[0, 1], [_Line('', *log.curve('lr'))], 'learning rate')
        _draw_visits(axes[0, 2], work_dir / 'continual_scores.json', titles)
    return True


def _draw_visits(axis: Any, scores_file: Path, titles: Mapping[str, str]) -> None:
    """Draw the matrix of scores: a line for each task, a dot at each of its own visits."""
    if not scores_file.is_file():
        axis.set_axis_off()
        return
    content = json.loads(scores_file.read_text())
    visits = content['visits']
    for index, task in enumerate(content['tasks']):
        numbers = [visit['visit'] + 1 for visit in visits]
        values = [visit['scores'][task] for visit in visits]
        label = f'{titles.get(task, task)}: {MAIN_MEASURES.get(task, ("", "score (%)"))[1]}'
        style = LINE_STYLES[index % len(LINE_STYLES)]
        axis.plot(numbers, values, style, color=COLOURS[index], label=label)
        own = [row for row, visit in enumerate(visits) if visit['task'] == task]
        axis.plot(
            [numbers[row] for row in own], [values[row] for row in own], 'o', color=COLOURS[index]
        )
    axis.set_xlabel('visit (dots: the visited task)')
    axis.set_ylabel('validation score (%)')
    axis.set_ylim(0, 101)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend(fontsize=10, loc='center left', bbox_to_anchor=(1, 0.5))


def draw_finetuning(cells: Sequence[Cell], path: Path, titles: Mapping[str, str]) -> bool:
    """Draw loss, learning rate and validation score of step 3, one column a task.

    Args:
        cells (Sequence[Cell]): The fine-tuned models of one backbone; of several seeds the first is
            drawn.
        path (Path): The picture.
        titles (Mapping[str, str]): Titles of the tasks.

    Returns:
        bool: False if there is no log, and so no picture.
    """
    drawn = first_seeds(cells)
    tasks = list(dict.fromkeys(cell.task for cell in drawn))
    logs = {cell: read_scalars(cell.work_dir) for cell in drawn}
    if not any(log.train for log in logs.values()):
        return False
    with figure(path, 3, len(tasks), _PANEL) as axes:
        for column, task in enumerate(tasks):
            own = [cell for cell in drawn if cell.task == task]
            key, unit = MAIN_MEASURES.get(task, ('', 'score'))
            for row, (name, part, label) in enumerate(
                [('loss', 'train', 'loss'), ('lr', 'train', 'learning rate'), (key, 'val', unit)]
            ):
                lines = [
                    _Line(
                        INITIALISATION_LABELS.get(cell.initialisation, cell.initialisation),
                        *logs[cell].curve(name, part),
                        colour_of(cell.initialisation),
                        line_style_of(cell.initialisation),
                    )
                    for cell in own
                ]
                label = f'validation {label}' if part == 'val' else label
                _curve(axes[row, column], lines, label)
            title = titles.get(task, TASK_TITLES.get(task, task))
            axes[0, column].set_title(title).set_parse_math(False)
        handles, names = max(
            (a.get_legend_handles_labels() for a in axes[0]), key=lambda one: len(one[0])
        )
        axes[0, 0].figure.legend(handles, names, loc='outside lower center', ncols=len(names))
    return True


def first_seeds(cells: Sequence[Cell]) -> list[Cell]:
    """Keep the first seed of each model.

    Args:
        cells (Sequence[Cell]): The models.

    Returns:
        list[Cell]: One of each task, backbone and initialisation, in the same order.
    """
    first: dict[tuple[str, str, str], Cell] = {}
    for cell in sorted(cells, key=lambda cell: cell.seed):
        first.setdefault((cell.task, *cell.row), cell)
    return [cell for cell in cells if cell in first.values()]


@dataclass(frozen=True)
class _Line:
    """A curve over iterations."""

    name: str
    steps: list[int]
    values: list[float]
    colour: str = COLOURS[0]
    style: Any = '-'


def _curve(axis: Any, lines: Sequence[_Line], label: str) -> None:
    """Draw curves over iterations into one panel."""
    for line in lines:
        axis.plot(
            line.steps,
            line.values,
            linestyle=line.style,
            # A single point would be invisible as a line.
            marker='o' if len(line.steps) < 2 else '',
            color=line.colour,
            label=line.name,
        )
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.ticklabel_format(axis='y', style='sci', scilimits=(-2, 4))
    axis.set_xlabel('iteration')
    axis.set_ylabel(label)
