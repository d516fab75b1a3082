# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Picture of the ROC curves of the classification tasks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from muscle_mm.evaluation import BinaryPredictions, roc_points
from muscle_mm.reporting.cells import Cell
from muscle_mm.reporting.film_scores import FilmScores
from muscle_mm.reporting.labels import INITIALISATION_LABELS
from muscle_mm.reporting.style import colour_of, figure, line_style_of

_PANEL = (4.6, 4.8)


def draw_roc_curves(scores: FilmScores, path: Path, titles: Mapping[str, str]) -> bool:
    """Draw a row of panels for each backbone, a panel for each classification task.

    Of several seeds the first is drawn, so that a curve is that of one model.

    Args:
        scores (FilmScores): The models' tables of test films.
        path (Path): The picture.
        titles (Mapping[str, str]): Titles of the tasks.

    Returns:
        bool: False if there is no such model with a table, and so no picture.
    """
    first: dict[tuple[str, str, str], tuple[Cell, BinaryPredictions]] = {}
    for cell, films in scores.films.items():
        if isinstance(films, BinaryPredictions) and len(set(films.labels.tolist())) == 2:
            key = (cell.backbone, cell.task, cell.initialisation)
            if key not in first or cell.seed < first[key][0].seed:
                first[key] = (cell, films)
    if not first:
        return False
    backbones = list(dict.fromkeys(backbone for backbone, _, _ in first))
    tasks = list(dict.fromkeys(task for _, task, _ in first))
    with figure(path, len(backbones), len(tasks), _PANEL) as axes:
        for line, backbone in zip(axes, backbones, strict=True):
            for axis, task in zip(line, tasks, strict=True):
                models = [model for key, model in first.items() if key[:2] == (backbone, task)]
                _draw_panel(axis, models)
                title = f'{titles.get(task, task)}, {backbone}'
                axis.set_title(title).set_parse_math(False)
    return True


def _draw_panel(axis: Any, models: list[tuple[Cell, BinaryPredictions]]) -> None:
    """Draw the models of one backbone and task."""
    axis.plot([0, 100], [0, 100], color='#8C8C8C', linewidth=1, linestyle=':')
    several = len({cell.seed for cell, _ in models}) > 1 or any(cell.seed for cell, _ in models)
    for cell, films in models:
        curve = roc_points(films.labels, films.scores)
        assert curve is not None
        name = INITIALISATION_LABELS.get(cell.initialisation, cell.initialisation)
        seed = f', seed {cell.seed}' if several else ''
        axis.plot(
            [100 * (rate or 0) for rate in curve['false_positive_rate']],
            [100 * (rate or 0) for rate in curve['true_positive_rate']],
            color=colour_of(cell.initialisation),
            linestyle=line_style_of(cell.initialisation),
            label=f'{name}{seed}: AUC {cell.metrics["binary/auc"]:.1f}',
        )
    axis.set_aspect('equal')
    axis.set_xlim(-1, 101)
    axis.set_ylim(-1, 101)
    axis.set_xlabel('100 - specificity (%)')
    axis.set_ylabel('sensitivity (%)')
    axis.legend(loc='lower right', fontsize=11)
