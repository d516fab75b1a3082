# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Pictures of predictions over their films."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from muscle_mm.evaluation.likely_boxes import SCORE_THRESHOLD, likely_boxes
from muscle_mm.reporting.film_marks import draw_box, draw_outline, short_name, show_film
from muscle_mm.reporting.predictions import Prediction
from muscle_mm.reporting.style import PREDICTION_COLOUR, TRUTH_COLOUR, figure

#: Of a film's likely boxes the best ones are drawn: more of them hide the film and each other.
MOST_BOXES = 4


def draw_masks(predictions: Mapping[str, Sequence[Prediction]], path: Path) -> None:
    """Draw outlines of true and predicted masks, one row a model.

    Args:
        predictions (Mapping[str, Sequence[Prediction]]): Predictions of mmseg by the model's name.
        path (Path): The picture.
    """
    with _grid(predictions, path) as panels:
        for axis, prediction in panels:
            true = prediction.sample.gt_sem_seg.data.squeeze().cpu().numpy() == 1
            predicted = prediction.sample.pred_sem_seg.data.squeeze().cpu().numpy() == 1
            for mask, colour, style in (
                (true, TRUTH_COLOUR, 'solid'),
                (predicted, PREDICTION_COLOUR, 'dashed'),
            ):
                draw_outline(axis, mask, colour, style)
            overlap = 2 * (true & predicted).sum() / max(1, true.sum() + predicted.sum())
            _set_title(axis, f'{short_name(prediction.name)}: Dice {100 * overlap:.1f}%')


def draw_boxes(predictions: Mapping[str, Sequence[Prediction]], path: Path) -> None:
    """Draw true and predicted boxes with class and score, one row a model.

    Of the predicted ones the best of those that have a score of 0.3 or more.

    Args:
        predictions (Mapping[str, Sequence[Prediction]]): Predictions of mmdet by the model's name.
        path (Path): The picture.
    """
    with _grid(predictions, path, f'prediction, score from {SCORE_THRESHOLD}') as panels:
        for axis, prediction in panels:
            for truth in prediction.sample.metainfo.get('instances', ()):
                name = prediction.classes[truth['bbox_label']]
                draw_box(axis, truth['bbox'], TRUTH_COLOUR, '-', name, above=True)
            likely = likely_boxes(prediction.sample.pred_instances)
            for box in likely[:MOST_BOXES]:
                text = f'{prediction.classes[box.label]} {box.score:.2f}'
                draw_box(axis, box.corners, PREDICTION_COLOUR, '--', text, above=False)
            number = len(likely)
            count = f'best {MOST_BOXES} of {number}' if number > MOST_BOXES else str(number)
            noun = 'box' if number == 1 else 'boxes'
            _set_title(axis, f'{short_name(prediction.name)}: {count} {noun}')


@contextmanager
def _grid(
    predictions: Mapping[str, Sequence[Prediction]], path: Path, label: str = 'prediction'
) -> Iterator[list[tuple[Any, Prediction]]]:
    """Draw a grid of films, one row a model; yield each panel and its prediction."""
    from matplotlib.lines import Line2D

    columns = max(len(row) for row in predictions.values())
    with figure(path, len(predictions), columns, (3.2, 3.5)) as axes:
        panels = []
        for row, (name, shown) in zip(axes, predictions.items(), strict=True):
            for axis in row:
                axis.set_xticks([])
                axis.set_yticks([])
                axis.spines[:].set_visible(False)
            row[0].set_ylabel(name)
            for axis, prediction in zip(row, shown, strict=False):
                show_film(axis, prediction.film)
                panels.append((axis, prediction))
        handles = [
            Line2D([], [], color=TRUTH_COLOUR, linestyle='-', label='truth'),
            Line2D([], [], color=PREDICTION_COLOUR, linestyle='--', label=label),
        ]
        axes[0, 0].figure.legend(handles=handles, loc='outside lower center', ncols=2)
        yield panels


def _set_title(axis: Any, text: str) -> None:
    """Write a panel's title; a dollar in a file name begins no formula."""
    axis.set_title(text, fontsize=10).set_parse_math(False)
