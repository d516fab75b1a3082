# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""Whether initialisations differ on the test films."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from muscle_mm.evaluation import (
    BinaryPredictions,
    PairedDifference,
    difference_of_resamples,
    paired_delong_test,
)
from muscle_mm.reporting.cells import Cell
from muscle_mm.reporting.film_scores import FilmScores, main_key
from muscle_mm.reporting.labels import INITIALISATION_LABELS

DELONG, BOOTSTRAP = 'DeLong', 'bootstrap by patient'


@dataclass(frozen=True)
class Comparison:
    """The main score of one initialisation minus that of another, on the same test films.

    Attributes:
        task (str): The task.
        backbone (str): Label of the backbone.
        first (str): The one initialisation.
        second (str): The other.
        measure (str): Key of the main measure.
        difference (float): In points of percent.
        low (float): Lower limit of its 95% confidence interval.
        high (float): Upper limit.
        p_value (float): Two-sided, of this comparison alone.
        adjusted (float): The same, corrected for all comparisons of the report.
        method (str): ``DELONG`` or ``BOOTSTRAP``.
        films (int): Test films.
        patients (int): Their patients.
        seeds (tuple[int, ...]): The seeds that both have, whose mean is compared.
    """

    task: str
    backbone: str
    first: str
    second: str
    measure: str
    difference: float
    low: float
    high: float
    p_value: float
    adjusted: float
    method: str
    films: int
    patients: int
    seeds: tuple[int, ...]


def compare_initialisations(
    cells: Sequence[Cell], scores: FilmScores
) -> tuple[list[Comparison], list[str]]:
    """Compare MUSCLE with every other initialisation, and every initialisation with Scratch.

    With one seed and one film of each patient, AUCs are compared by DeLong's test. Otherwise
    patients are drawn with replacement, the same for both and for all seeds, and the mean over the
    seeds is the score of an initialisation. The p-values are corrected for their number by
    Benjamini and Hochberg's control of the false discovery rate.

    Source: Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995).

    Args:
        cells (Sequence[Cell]): The tested models.
        scores (FilmScores): Of these models.

    Returns:
        tuple[list[Comparison], list[str]]: Those that can be made, in the order of the cells; and
        why others of two tested initialisations cannot.
    """
    made: list[Comparison] = []
    problems: list[str] = []
    for task, backbone in dict.fromkeys((cell.task, cell.backbone) for cell in cells):
        own = [cell for cell in cells if (cell.task, cell.backbone) == (task, backbone)]
        for first, second in _pairs([cell.initialisation for cell in own]):
            pair = [
                {cell.seed: cell for cell in own if cell.initialisation == name}
                for name in (first, second)
            ]
            result = _compare(pair[0], pair[1], scores)
            if isinstance(result, str):
                names = ' and '.join(
                    INITIALISATION_LABELS.get(name, name) for name in (first, second)
                )
                problems.append(f'{task}, {backbone}: {names} are not compared: {result}.')
            else:
                made.append(result)
    return _adjust(made), problems


def _pairs(initialisations: Sequence[str]) -> list[tuple[str, str]]:
    """List the pairs to compare, the one that should be better first."""
    names = list(dict.fromkeys(initialisations))
    pairs = [('muscle', name) for name in names if name != 'muscle' and 'muscle' in names]
    pairs += [(name, 'scratch') for name in names if name != 'scratch' and 'scratch' in names]
    return list(dict.fromkeys(pairs))


def _compare(
    first: dict[int, Cell], second: dict[int, Cell], scores: FilmScores
) -> Comparison | str:
    """Compare two initialisations by seed, or say why they cannot be."""
    seeds = sorted(
        seed
        for seed in first.keys() & second.keys()
        if first[seed] in scores.films and second[seed] in scores.films
    )
    if not seeds:
        return 'no seed of both has a table of test films'
    pairs = [(first[seed], second[seed]) for seed in seeds]
    reason = scores.difference_of([cell for pair in pairs for cell in pair])
    if reason:
        return reason
    one, other = pairs[0]
    films = scores.films[one]
    units = films.units()
    by_film = len(set(units)) == len(units)
    if isinstance(films, BinaryPredictions) and len(seeds) == 1 and by_film:
        others = cast(BinaryPredictions, scores.films[other])
        method = DELONG
        result = paired_delong_test(films.labels, films.scores, others.scores)
    else:
        method = BOOTSTRAP
        result = _by_bootstrap(pairs, scores)
    return Comparison(
        one.task,
        one.backbone,
        one.initialisation,
        other.initialisation,
        str(main_key(one)),
        100 * result.difference,
        100 * result.low,
        100 * result.high,
        result.p_value,
        float('nan'),
        method,
        len(units),
        len(set(units)),
        tuple(seeds),
    )


def _by_bootstrap(pairs: Sequence[tuple[Cell, Cell]], scores: FilmScores) -> PairedDifference:
    """Compare the means over the seeds in the same draws of patients."""
    difference = np.mean([scores.score(one) - scores.score(other) for one, other in pairs])
    drawn = np.mean([scores.drawn[one] - scores.drawn[other] for one, other in pairs], axis=0)
    return difference_of_resamples(float(difference), drawn)


def _adjust(comparisons: list[Comparison]) -> list[Comparison]:
    """Correct the p-values for their number; those that are NaN stay so."""
    from scipy.stats import false_discovery_control

    known = [place for place, one in enumerate(comparisons) if not np.isnan(one.p_value)]
    if known:
        adjusted = false_discovery_control([comparisons[place].p_value for place in known])
        for place, p_value in zip(known, adjusted, strict=True):
            comparisons[place] = replace(comparisons[place], adjusted=float(p_value))
    return comparisons
