# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Boxes with classes and scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from muscle_mm.evaluation.likely_boxes import SCORE_THRESHOLD, likely_boxes
from muscle_mm.prediction.film_reader import ReadFilm
from muscle_mm.prediction.task_output import TaskOutput, film_figure
from muscle_mm.prediction.trained_model import TrainedModel
from muscle_mm.reporting.film_marks import draw_box
from muscle_mm.reporting.style import LINE_STYLES, PREDICTION_COLOUR, TRUTH_COLOUR

_CORNERS = ('x1', 'y1', 'x2', 'y2')
_BOX_COLOURS = (PREDICTION_COLOUR, TRUTH_COLOUR, '#CC79A7', '#009E73')


class DetectionOutput(TaskOutput):
    """Boxes in the film's own pixels, the most certain first; one row of the table for each.

    Args:
        trained (TrainedModel): The detector.
        score_threshold (float): Boxes of a lower score are left out. Defaults to 0.3.
    """

    def __init__(self, trained: TrainedModel, score_threshold: float = SCORE_THRESHOLD) -> None:
        super().__init__(trained)
        self.score_threshold = score_threshold

    @property
    def columns(self) -> list[str]:
        """list[str]: See ``TaskOutput``."""
        return ['boxes', 'class', 'score', *_CORNERS]

    @property
    def about(self) -> dict[str, Any]:
        """dict[str, Any]: See ``TaskOutput``."""
        return {'score_threshold': self.score_threshold}

    def record(self, sample: Any, film: ReadFilm) -> dict[str, Any]:
        """Give ``boxes``; see ``TaskOutput``."""
        return {
            'boxes': [
                {
                    'class': self.trained.class_name(box.label),
                    'score': box.score,
                    **dict(zip(_CORNERS, box.corners, strict=True)),
                }
                for box in likely_boxes(sample.pred_instances, self.score_threshold)
            ]
        }

    def rows(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """Give one row a box, or one without a box; see ``TaskOutput``."""
        boxes = record['boxes']
        return [
            {
                'boxes': len(boxes),
                'class': box['class'],
                'score': f'{box["score"]:.6f}',
                **{corner: f'{box[corner]:.1f}' for corner in _CORNERS},
            }
            for box in boxes
        ] or [{'boxes': 0}]

    def draw(
        self,
        sample: Any,
        record: dict[str, Any],
        film: ReadFilm,
        heat: torch.Tensor | None,
        path: Path,
    ) -> None:
        """Draw the boxes, each class in a colour and line style of its own; see ``TaskOutput``."""
        boxes = record['boxes']
        count = f'{len(boxes)} box' + ('' if len(boxes) == 1 else 'es')
        headline = f'{count} of score {self.score_threshold:g} or more'
        with film_figure(path, film, headline) as panels:
            assert film.shown is not None
            factor = film.shown.shape[0] / film.size[0]
            names = list(dict.fromkeys([*self.trained.classes, *(box['class'] for box in boxes)]))
            # The most certain box last, so that it lies on top.
            for box in reversed(boxes):
                number = names.index(box['class'])
                draw_box(
                    panels[0],
                    [box[corner] * factor for corner in _CORNERS],
                    _BOX_COLOURS[number % len(_BOX_COLOURS)],
                    LINE_STYLES[number % len(LINE_STYLES)],
                    f'{box["class"]} {box["score"]:.2f}',
                    above=True,
                    size=12,
                )
