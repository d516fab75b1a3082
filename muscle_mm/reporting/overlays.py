# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Pictures of predictions over their films."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from muscle_mm.reporting.predictions import Prediction
from muscle_mm.reporting.style import PREDICTION_COLOUR, TRUTH_COLOUR, figure

#: Boxes that a model itself gives less than this are not drawn.
SCORE_THRESHOLD = 0.3


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
                # contour needs a mask with two values
                if mask.any() and not mask.all():
                    axis.contour(mask, levels=[0.5], colors=[colour], linestyles=style)
            overlap = 2 * (true & predicted).sum() / max(1, true.sum() + predicted.sum())
            axis.set_title(f'{_short(prediction.name)}: Dice {100 * overlap:.1f}%', fontsize=10)


def draw_boxes(predictions: Mapping[str, Sequence[Prediction]], path: Path) -> None:
    """Draw true and predicted boxes with class and score, one row a model.

    Args:
        predictions (Mapping[str, Sequence[Prediction]]): Predictions of mmdet by the model's name.
        path (Path): The picture.
    """
    with _grid(predictions, path) as panels:
        for axis, prediction in panels:
            found = prediction.sample.pred_instances
            for truth in prediction.sample.metainfo.get('instances', ()):
                name = prediction.classes[truth['bbox_label']]
                _box(axis, truth['bbox'], TRUTH_COLOUR, '-', name, above=True)
            shown = 0
            for box, label, score in zip(
                found.bboxes.cpu().numpy(),
                found.labels.tolist(),
                found.scores.tolist(),
                strict=True,
            ):
                if score >= SCORE_THRESHOLD:
                    shown += 1
                    text = f'{prediction.classes[label]} {score:.2f}'
                    _box(axis, box, PREDICTION_COLOUR, '--', text, above=False)
            hidden = len(found.bboxes) - shown
            note = f' ({hidden} below {SCORE_THRESHOLD})' if hidden else ''
            axis.set_title(f'{_short(prediction.name)}: {shown} boxes{note}', fontsize=10)


@contextmanager
def _grid(
    predictions: Mapping[str, Sequence[Prediction]], path: Path
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
                axis.imshow(prediction.film, cmap='gray', vmin=0, vmax=255)
                panels.append((axis, prediction))
        handles = [
            Line2D([], [], color=TRUTH_COLOUR, linestyle='-', label='truth'),
            Line2D([], [], color=PREDICTION_COLOUR, linestyle='--', label='prediction'),
        ]
        axes[0, 0].figure.legend(handles=handles, loc='outside lower center', ncols=2)
        yield panels


def _box(
    axis: Any, box: Sequence[float] | np.ndarray, colour: str, style: str, text: str, above: bool
) -> None:
    """Draw one box with its text above or below it."""
    from matplotlib.patches import Rectangle

    x1, y1, x2, y2 = (float(value) for value in box)
    axis.add_patch(
        Rectangle(
            (x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=colour, linestyle=style, linewidth=2
        )
    )
    axis.text(
        x1,
        y1 if above else y2,
        text,
        color='black',
        fontsize=8,
        verticalalignment='bottom' if above else 'top',
        bbox={'facecolor': colour, 'edgecolor': 'none', 'pad': 1, 'alpha': 0.8},
        clip_on=True,
    )


def _short(name: str, length: int = 22) -> str:
    """Shorten a file name from the left, where names of one set are alike."""
    return name if len(name) <= length else '…' + name[-length + 1 :]
