# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Choose what is written about a model's predictions."""

from __future__ import annotations

from muscle_mm.evaluation.likely_boxes import SCORE_THRESHOLD
from muscle_mm.prediction.classification_output import ClassificationOutput
from muscle_mm.prediction.detection_output import DetectionOutput
from muscle_mm.prediction.segmentation_output import SegmentationOutput
from muscle_mm.prediction.task_output import TaskOutput
from muscle_mm.prediction.trained_model import TrainedModel
from muscle_mm.utils.errors import UserError


def build_output(
    trained: TrainedModel, threshold: float | None = None, score_threshold: float = SCORE_THRESHOLD
) -> TaskOutput:
    """Build the output that fits a model.

    Args:
        trained (TrainedModel): The model.
        threshold (float, optional): See ``ClassificationOutput``. Defaults to None.
        score_threshold (float): See ``DetectionOutput``. Defaults to 0.3.

    Returns:
        TaskOutput: The output.

    Raises:
        UserError: If a threshold is given to a model that classifies no films.
    """
    if trained.kind == 'classification':
        return ClassificationOutput(trained, threshold)
    if threshold is not None:
        raise UserError(
            f'--threshold is for classification; this is a {trained.kind} model. For boxes it is '
            '--score-threshold.'
        )
    if trained.kind == 'segmentation':
        return SegmentationOutput(trained)
    return DetectionOutput(trained, score_threshold)
