# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Whether two models differ on the same films."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from muscle_mm.evaluation.bootstrap import draw_patients
from muscle_mm.evaluation.delong import delong_areas
from muscle_mm.utils.errors import UserError


@dataclass(frozen=True)
class PairedDifference:
    """The score of one model minus that of another, on the same films.

    Attributes:
        difference (float): In the unit of the score.
        low (float): Lower limit of its confidence interval.
        high (float): Upper limit.
        p_value (float): Two-sided, of the hypothesis that there is no difference.
    """

    difference: float
    low: float
    high: float
    p_value: float


def paired_delong_test(
    labels: np.ndarray, first: np.ndarray, second: np.ndarray, confidence: float = 0.95
) -> PairedDifference:
    """Compare the areas under the ROC curves of two models by DeLong's test.

    It takes the films as independent. With several films of a patient use
    ``paired_bootstrap_test``.

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988), with a contrast of two areas.

    Args:
        labels (np.ndarray): True classes, 0 or 1, shape (N,).
        first (np.ndarray): Finite scores of class 1 by the one model, shape (N,).
        second (np.ndarray): Those of the other model, for the same films in the same order.
        confidence (float): Coverage of the interval. Defaults to 0.95.

    Returns:
        PairedDifference: Of areas between 0 and 1. The p-value is 1 where both models rank the
        films alike. It is NaN, and so are the limits, where the variance is unknown (less than two
        films of a class) or zero though the areas differ (such as 1 against 0).

    Raises:
        UserError: If the arrays differ in length.
    """
    from scipy.stats import norm

    _check_pairs(len(labels), first=first, second=second)
    areas, covariance = delong_areas(labels, np.stack([first, second]))
    difference = float(areas[0] - areas[1])
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    # Rounding leaves about 1e-17 of a variance that is zero.
    if np.isnan(variance) or (variance < 1e-14 and difference):
        return PairedDifference(difference, float('nan'), float('nan'), float('nan'))
    if variance < 1e-14:
        return PairedDifference(0.0, 0.0, 0.0, 1.0)
    error = float(np.sqrt(variance))
    half = float(norm.ppf((1 + confidence) / 2)) * error
    p_value = 2 * float(norm.sf(abs(difference) / error))
    return PairedDifference(difference, difference - half, difference + half, p_value)


def paired_bootstrap_test(
    first: np.ndarray,
    second: np.ndarray,
    score: Callable[[np.ndarray], float] = np.mean,
    patients: Sequence[str] | None = None,
    strata: Sequence[int] | None = None,
    confidence: float = 0.95,
    num_resamples: int = 2000,
    seed: int = 0,
) -> PairedDifference:
    """Compare any score of two models by a bootstrap that draws both with the same patients.

    Examples: accuracy has a row of 0 or 1 a film and the mean as score; a Dice a film the same; the
    Dice of the whole set has rows of three areas, which the score adds up; an AUC has rows of class
    and probability. ``draw_patients`` says how patients are drawn.

    The limits are percentiles of the differences. The p-value is twice the share of resamples on
    the rarer side of zero, both sides counting zero itself and one more resample: it is never 0,
    and about below 1 - ``confidence`` where the interval leaves out zero.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13 (percentiles);
    Davison and Hinkley, Bootstrap Methods and their Application (1997), chapter 4 (one more).

    Args:
        first (np.ndarray): What the one model gives for each film, shape (N, ...).
        second (np.ndarray): The same of the other model, for the same films in the same order.
        score (Callable): From any choice of rows to a number. Defaults to their mean.
        patients (Sequence[str], optional): Patient of each film. Defaults to None: every film is of
            another patient.
        strata (Sequence[int], optional): Stratum of each film, such as its true class. Defaults to
            None: one stratum.
        confidence (float): Coverage of the interval. Defaults to 0.95.
        num_resamples (int): Number of resamples. Defaults to 2000.
        seed (int): Seed of the draws. Defaults to 0.

    Returns:
        PairedDifference: In the unit of the score. Limits and p-value are NaN where the score is
        NaN in a resample, or without a film.

    Raises:
        UserError: If the arrays differ in length.
    """
    first, second = np.asarray(first), np.asarray(second)
    given = {'patients': patients, 'strata': strata}
    _check_pairs(
        len(first), second=second, **{name: one for name, one in given.items() if one is not None}
    )
    nan = float('nan')
    if not len(first):
        return PairedDifference(nan, nan, nan, nan)
    films = np.arange(len(first))
    differences = []
    for counts in draw_patients(
        films if patients is None else patients,
        np.zeros(len(first)) if strata is None else strata,
        num_resamples,
        seed,
    ):
        for row in counts:
            drawn = np.repeat(films, row)
            differences.append(score(first[drawn]) - score(second[drawn]))
    drawn_differences = np.array(differences, dtype=np.float64)
    return difference_of_resamples(
        float(score(first) - score(second)), drawn_differences, confidence
    )


def difference_of_resamples(
    difference: float, drawn: np.ndarray, confidence: float = 0.95
) -> PairedDifference:
    """Turn differences in resamples into what ``paired_bootstrap_test`` gives.

    Args:
        difference (float): In all films.
        drawn (np.ndarray): In each resample, of both models with the same patients, shape (R,).
        confidence (float): Coverage of the interval. Defaults to 0.95.

    Returns:
        PairedDifference: Limits and p-value are NaN where a resample has no difference.
    """
    nan = float('nan')
    if not drawn.size or np.isnan(drawn).any():
        return PairedDifference(difference, nan, nan, nan)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    rarer = min((drawn <= 0).sum(), (drawn >= 0).sum())
    p_value = min(1.0, 2 * (rarer + 1) / (drawn.size + 1))
    return PairedDifference(difference, float(low), float(high), float(p_value))


def _check_pairs(count: int, **others: Sequence | np.ndarray) -> None:
    """Refuse lists that cannot be of the same films."""
    for name, values in others.items():
        if len(values) != count:
            raise UserError(
                f'a paired test needs the same films in both lists: {count} films, but {name} has '
                f'{len(values)}. Test both models on the same split.'
            )
