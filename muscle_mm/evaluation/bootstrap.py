# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Confidence interval of the area under the ROC curve by a stratified bootstrap."""

import numpy as np

#: Upper bound on the entries of one table of resampled counts (about 32 MB of int64).
_MAX_TABLE_ENTRIES = 4_000_000


def auc_confidence_interval(
    labels: np.ndarray,
    scores: np.ndarray,
    confidence: float = 0.95,
    num_resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of the AUC, resampled within each class.

    Positives and negatives are drawn with replacement separately, so that every resample keeps the
    class counts and its AUC exists. Drawing n samples with replacement is one multinomial draw of
    how often each distinct score occurs; the AUC (Mann-Whitney, ties count one half) then follows
    from cumulative counts, without a loop over resamples.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.

    Args:
        labels (np.ndarray): True classes, 0 or 1, shape (N,).
        scores (np.ndarray): Finite scores of class 1, higher is more positive, shape (N,).
        confidence (float): Coverage of the interval. Defaults to 0.95.
        num_resamples (int): Number of resamples. Defaults to 2000.
        seed (int): Seed of the draws. Defaults to 0.

    Returns:
        tuple[float, float]: Lower and upper limit between 0 and 1; both NaN if a class is absent.
    """
    positives = np.asarray(labels) == 1
    num_positives, num_negatives = int(positives.sum()), int((~positives).sum())
    if num_positives == 0 or num_negatives == 0:
        return float('nan'), float('nan')

    distinct, place = np.unique(np.asarray(scores), return_inverse=True)
    place = place.reshape(-1)  # numpy 2.0 alone returned another shape here
    positive_shares = np.bincount(place[positives], minlength=distinct.size) / num_positives
    negative_shares = np.bincount(place[~positives], minlength=distinct.size) / num_negatives

    generator = np.random.default_rng(seed)
    areas = []
    remaining = num_resamples
    while remaining > 0:
        rows = min(remaining, max(1, _MAX_TABLE_ENTRIES // distinct.size))
        positive_counts = generator.multinomial(num_positives, positive_shares, size=rows)
        negative_counts = generator.multinomial(num_negatives, negative_shares, size=rows)
        negatives_below = np.cumsum(negative_counts, axis=1) - negative_counts
        wins = (positive_counts * (negatives_below + 0.5 * negative_counts)).sum(axis=1)
        areas.append(wins / (num_positives * num_negatives))
        remaining -= rows
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(areas), [tail, 1 - tail])
    return float(low), float(high)
