# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""ROC and calibration of a classifier of two classes, as numbers to draw."""

from typing import Any

import numpy as np


def roc_points(labels: np.ndarray, scores: np.ndarray) -> dict[str, list[float | None]] | None:
    """Points of the ROC curve, by scikit-learn.

    Args:
        labels (np.ndarray): True classes, 0 or 1, shape (N,).
        scores (np.ndarray): Finite scores of class 1, shape (N,).

    Returns:
        dict | None: ``false_positive_rate`` and ``true_positive_rate`` from 0 to 1, and
        ``thresholds``, None for the first point, which no score reaches. None if a class is absent.
    """
    from sklearn.metrics import roc_curve

    if np.unique(labels).size < 2:
        return None
    false_positives, true_positives, thresholds = roc_curve(labels, scores)
    return {
        'false_positive_rate': false_positives.tolist(),
        'true_positive_rate': true_positives.tolist(),
        'thresholds': [None, *thresholds[1:].tolist()],
    }


def calibration(
    labels: np.ndarray, scores: np.ndarray, num_bins: int = 10
) -> dict[str, Any] | None:
    """How far the scores are probabilities.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3, here with
    the score of class 1 and the share of positives in place of confidence and accuracy; Brier,
    Monthly Weather Review 78 (1950).

    Args:
        labels (np.ndarray): True classes, 0 or 1, shape (N,).
        scores (np.ndarray): Scores of class 1, shape (N,).
        num_bins (int): Bins of equal width between 0 and 1. Defaults to 10.

    Returns:
        dict | None: ``brier``, ``expected_calibration_error`` and ``bins``, of those with films:
        ``low`` and ``high`` (a bin ends with ``high``), ``films``, ``mean_score`` and
        ``share_of_positives``. None without films, or if a score is no probability.
    """
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import brier_score_loss

    if not scores.size or scores.min() < 0 or scores.max() > 1:
        return None
    edges = np.linspace(0, 1, num_bins + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], scores), minlength=num_bins)
    filled = np.flatnonzero(counts)
    shares, means = calibration_curve(labels, scores, n_bins=num_bins, pos_label=1)
    gaps = np.abs(shares - means)
    return {
        'brier': float(brier_score_loss(labels, scores, pos_label=1)),
        'expected_calibration_error': float((counts[filled] * gaps).sum() / scores.size),
        'bins': [
            {
                'low': float(edges[place]),
                'high': float(edges[place + 1]),
                'films': int(counts[place]),
                'mean_score': float(mean),
                'share_of_positives': float(share),
            }
            for place, mean, share in zip(filled, means, shares, strict=True)
        ],
    }
