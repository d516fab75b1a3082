# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""DeLong's variance of the area under the ROC curve."""

import numpy as np


def delong_areas(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Areas under the ROC curves of several models on the same films, and their covariance.

    Every positive film is placed among the negative ones, and the reverse; the covariance of these
    placements gives that of the areas. Placements are differences of midranks, so that the time
    grows with N log N. Films are taken as independent: with several films of a patient the variance
    is too small.

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988); Sun and Xu, IEEE Signal
    Processing Letters 21 (2014), for the midranks.

    Args:
        labels (np.ndarray): True classes, 0 or 1, shape (N,).
        scores (np.ndarray): Finite scores of class 1, higher is more positive, shape (M, N): a row
            for each model.

    Returns:
        tuple[np.ndarray, np.ndarray]: The areas between 0 and 1, shape (M,), NaN if a class is
        absent; and their covariance, shape (M, M), NaN unless each class has two films.
    """
    from scipy.stats import rankdata

    scores = np.asarray(scores, dtype=np.float64)
    positive = np.asarray(labels) == 1
    num_models = len(scores)
    num_positives, num_negatives = int(positive.sum()), int((~positive).sum())
    if not num_positives or not num_negatives:
        return np.full(num_models, np.nan), np.full((num_models, num_models), np.nan)
    ranks = rankdata(scores, axis=1)
    own = rankdata(scores[:, positive], axis=1), rankdata(scores[:, ~positive], axis=1)
    # Shares of negatives below each positive, and of positives above each negative.
    of_positives = (ranks[:, positive] - own[0]) / num_negatives
    of_negatives = 1 - (ranks[:, ~positive] - own[1]) / num_positives
    areas = of_positives.mean(axis=1)
    if min(num_positives, num_negatives) < 2:
        return areas, np.full((num_models, num_models), np.nan)
    covariance = np.cov(of_positives) / num_positives + np.cov(of_negatives) / num_negatives
    return areas, covariance.reshape(num_models, num_models)


def delong_interval(
    labels: np.ndarray, scores: np.ndarray, confidence: float = 0.95
) -> tuple[float, float]:
    """Normal confidence interval of the AUC with DeLong's variance, cut off at 0 and 1.

    Where the classes are perfectly separated the variance, and so the width, is zero.

    Args:
        labels (np.ndarray): True classes, 0 or 1, shape (N,).
        scores (np.ndarray): Finite scores of class 1, higher is more positive, shape (N,).
        confidence (float): Coverage of the interval. Defaults to 0.95.

    Returns:
        tuple[float, float]: Lower and upper limit between 0 and 1; both NaN unless each class has
        two films.
    """
    from scipy.stats import norm

    areas, covariance = delong_areas(labels, np.asarray(scores)[None])
    half = norm.ppf((1 + confidence) / 2) * np.sqrt(covariance[0, 0])
    low, high = np.clip([areas[0] - half, areas[0] + half], 0, 1)
    return float(low), float(high)
