# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Metrics that the published tables need, measures of forgetting and of representations."""

from muscle_mm.evaluation.binary_classification_metric import BinaryClassificationMetric
from muscle_mm.evaluation.binary_predictions import BinaryPredictions
from muscle_mm.evaluation.bootstrap import auc_confidence_interval, draw_patients, resampled_areas
from muscle_mm.evaluation.box_ap_metric import BoxAPMetric
from muscle_mm.evaluation.classification_curves import calibration, roc_points
from muscle_mm.evaluation.decision_threshold import choose_threshold
from muscle_mm.evaluation.delong import delong_areas, delong_interval
from muscle_mm.evaluation.detection_predictions import ClassBoxes, DetectionPredictions
from muscle_mm.evaluation.feature_spread import effective_rank, feature_std
from muscle_mm.evaluation.features import extract_features
from muscle_mm.evaluation.film_predictions import FilmPredictions
from muscle_mm.evaluation.forgetting import (
    average_performance,
    backward_transfer,
    backward_transfer_per_task,
    forgetting,
    forgetting_per_task,
    forward_transfer,
    forward_transfer_per_task,
    relative_performance,
    relative_performance_per_task,
)
from muscle_mm.evaluation.knn import nearest_neighbours
from muscle_mm.evaluation.linear_probe import linear_probe
from muscle_mm.evaluation.lung_segmentation_metric import LungSegmentationMetric
from muscle_mm.evaluation.multi_task_metric import MultiTaskMetric
from muscle_mm.evaluation.representation_scores import representation_scores
from muscle_mm.evaluation.score_matrix import ScoreMatrix
from muscle_mm.evaluation.segmentation_predictions import SegmentationPredictions
from muscle_mm.evaluation.significance import (
    PairedDifference,
    difference_of_resamples,
    paired_bootstrap_test,
    paired_delong_test,
)

__all__ = [
    'BinaryClassificationMetric',
    'BinaryPredictions',
    'BoxAPMetric',
    'ClassBoxes',
    'DetectionPredictions',
    'FilmPredictions',
    'LungSegmentationMetric',
    'MultiTaskMetric',
    'PairedDifference',
    'ScoreMatrix',
    'SegmentationPredictions',
    'auc_confidence_interval',
    'average_performance',
    'backward_transfer',
    'backward_transfer_per_task',
    'calibration',
    'choose_threshold',
    'delong_areas',
    'delong_interval',
    'difference_of_resamples',
    'draw_patients',
    'effective_rank',
    'extract_features',
    'feature_std',
    'forgetting',
    'forgetting_per_task',
    'forward_transfer',
    'forward_transfer_per_task',
    'linear_probe',
    'nearest_neighbours',
    'paired_bootstrap_test',
    'paired_delong_test',
    'relative_performance',
    'relative_performance_per_task',
    'representation_scores',
    'resampled_areas',
    'roc_points',
]
