# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Bootstrap over patients: draws, and the interval of the area under the ROC curve."""

from collections.abc import Iterator, Sequence

import numpy as np

#: Upper bound on the entries of one table of draws (about 32 MB of int64).
_MAX_TABLE_ENTRIES = 4_000_000


def draw_patients(
    patients: Sequence[str] | np.ndarray,
    strata: Sequence[int] | Sequence[str] | np.ndarray,
    num_resamples: int = 2000,
    seed: int = 0,
) -> Iterator[np.ndarray]:
    """Draw patients with replacement, each with all of their films.

    Films of one patient are alike, so that a patient is the unit that is drawn, not a film.
    Patients whose films belong to the same strata are drawn among themselves: those with negative
    films only, those with positive films only, and those with both. Every resample then keeps the
    number of patients of each kind, and every stratum that the films have.

    Source: Davison and Hinkley, Bootstrap Methods and their Application (1997), sections 3.2
    (stratified) and 3.8 (clusters, whole).

    Args:
        patients (Sequence[str] | np.ndarray): Patient of each film, length N.
        strata (Sequence[int] | Sequence[str] | np.ndarray): Stratum of each film, length N; for a
            classifier its true class.
        num_resamples (int): Number of resamples. Defaults to 2000.
        seed (int): Seed of the draws. Defaults to 0.

    Yields:
        np.ndarray: How often each film is drawn, integers of shape (R, N); the R of all tables
        add up to ``num_resamples``.
    """
    _, patient = np.unique(np.asarray(patients), return_inverse=True)
    names, stratum = np.unique(np.asarray(strata), return_inverse=True)
    patient, stratum = patient.reshape(-1), stratum.reshape(-1)  # numpy 2.0 alone: another shape
    if not patient.size:
        return
    has = np.zeros((patient.max() + 1, names.size), dtype=bool)
    has[patient, stratum] = True
    kind = np.unique(has, axis=0, return_inverse=True)[1].reshape(-1)
    groups = [np.flatnonzero(kind == index) for index in range(kind.max() + 1)]

    generator = np.random.default_rng(seed)
    remaining = num_resamples
    while remaining > 0:
        rows = min(remaining, max(1, _MAX_TABLE_ENTRIES // patient.size))
        draws = np.empty((rows, kind.size), dtype=np.int64)
        for group in groups:
            # Drawing n of n with replacement is one multinomial draw of how often each is drawn.
            even = np.full(group.size, 1 / group.size)
            draws[:, group] = generator.multinomial(group.size, even, size=rows)
        yield draws[:, patient]
        remaining -= rows


def resampled_areas(labels: np.ndarray, scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Areas under the ROC curve of resamples, from cumulative counts.

    Mann-Whitney's statistic; ties count one half.

    Args:
        labels (np.ndarray): True classes, 0 or 1, shape (N,).
        scores (np.ndarray): Finite scores of class 1, higher is more positive, shape (N,).
        counts (np.ndarray): How often each film is drawn, integers of shape (R, N).

    Returns:
        np.ndarray: Areas between 0 and 1, shape (R,), NaN where a class is absent.
    """
    order = np.argsort(scores, kind='stable')
    positive = np.asarray(labels)[order] == 1
    ranked = np.asarray(scores)[order]
    if not order.size:
        return np.full(len(counts), np.nan)
    # Where a new score begins: films of equal scores are one group.
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    counts = np.asarray(counts)[:, order]
    positives = np.add.reduceat(counts * positive, starts, axis=1)
    negatives = np.add.reduceat(counts * ~positive, starts, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives
    wins = (positives * (below + 0.5 * negatives)).sum(axis=1)
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    return np.divide(wins, pairs, out=np.full(len(counts), np.nan), where=pairs > 0)


def auc_confidence_interval(
    labels: np.ndarray,
    scores: np.ndarray,
    confidence: float = 0.95,
    num_resamples: int = 2000,
    seed: int = 0,
    patients: Sequence[str] | None = None,
) -> tuple[float, float]:
    """Percentile bootstrap interval of the AUC, stratified, by patient.

    See ``draw_patients`` for the draws, ``resampled_areas`` for the AUC of each.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.

    Args:
        labels (np.ndarray): True classes, 0 or 1, shape (N,).
        scores (np.ndarray): Finite scores of class 1, higher is more positive, shape (N,).
        confidence (float): Coverage of the interval. Defaults to 0.95.
        num_resamples (int): Number of resamples. Defaults to 2000.
        seed (int): Seed of the draws. Defaults to 0.
        patients (Sequence[str], optional): Patient of each film. Defaults to None: every film is of
            another patient.

    Returns:
        tuple[float, float]: Lower and upper limit between 0 and 1; both NaN if a class is absent.
    """
    positive = np.asarray(labels) == 1
    if positive.all() or not positive.any():  # also without a film
        return float('nan'), float('nan')
    order = np.argsort(scores, kind='stable')
    labels, scores = np.asarray(labels)[order], np.asarray(scores)[order]
    drawn = np.arange(order.size) if patients is None else np.asarray(patients)[order]
    areas = [
        resampled_areas(labels, scores, counts)
        for counts in draw_patients(drawn, labels, num_resamples, seed)
    ]
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(areas), [tail, 1 - tail])
    return float(low), float(high)
