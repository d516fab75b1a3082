# Copyright (c) muscle_mm contributors. SPDX-License-Identifier: Apache-2.0
"""How much a continual training run forgets, from a matrix of scores.

``scores[v, t]`` is the score of task ``t`` on held-out data after visit ``v``; higher is better.
NaN stands for a score that is not known, because nothing was validated after that visit, or because
the metric could not be computed. ``visits[v]`` is the index of the task that visit ``v`` trained,
or -1 for a task that has no scores. The published definitions visit every task once; over rounds a
task is visited again, and each function states what then takes the place of "after the task was
learned". With one visit for each task they are the published definitions.

A mean over tasks is NaN as long as one of its terms is: a mean over fewer tasks would be another
measure.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def average_performance(scores: npt.ArrayLike) -> float:
    """Mean score over all tasks after the last visit.

    Source: A_k of Chaudhry et al., Riemannian Walk for Incremental Learning (ECCV 2018); the same
    as ACC of Lopez-Paz and Ranzato, Gradient Episodic Memory (NeurIPS 2017).

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).

    Returns:
        float: The mean; NaN if a score is NaN.
    """
    return float(_checked(scores)[-1].mean())


def forgetting_per_task(scores: npt.ArrayLike, visits: Sequence[int]) -> np.ndarray:
    """Best score a task has had since it was first trained, less its score after the last visit.

    Source: f_j of Chaudhry et al. (ECCV 2018): the maximum runs over the visits before the last
    one. There it also covers visits before the task is learned; here it starts with the task's
    first visit, because a score of an untrained head is nothing to be forgotten. It is negative for
    a task that ended better than it ever was. Of visits without validation the maximum knows
    nothing: with them the result is a lower bound.

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int]): Index of the trained task of each visit, length ``visits``.

    Returns:
        np.ndarray: Float, shape (tasks,). NaN for the task of the last visit, which was just
            trained, for tasks that were never visited, and where no earlier score is known.

    Raises:
        ValueError: If the two arguments do not fit each other.
    """
    matrix = _checked(scores, visits)
    result = np.full(matrix.shape[1], np.nan)
    for task in _others(visits):
        first = list(visits).index(task)
        # The maximum of what is known; NaN if nothing is.
        result[task] = np.fmax.reduce(matrix[first:-1, task]) - matrix[-1, task]
    return result


def forgetting(scores: npt.ArrayLike, visits: Sequence[int]) -> float:
    """Mean of ``forgetting_per_task`` over the tasks that have a value; lower is better.

    Source: F_k of Chaudhry et al. (ECCV 2018).

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int]): Index of the trained task of each visit, length ``visits``.

    Returns:
        float: The mean; NaN if only one task has been visited.
    """
    return _mean_of(forgetting_per_task(scores, visits), _others(visits))


def backward_transfer_per_task(scores: npt.ArrayLike, visits: Sequence[int]) -> np.ndarray:
    """Score of a task after the last visit, less its score right after its own latest visit.

    Source: the terms R_{T,i} - R_{i,i} of Lopez-Paz and Ranzato (NeurIPS 2017). Over rounds,
    R_{i,i} is taken after the *latest* visit of the task, so that only training of other tasks lies
    in between.

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int]): Index of the trained task of each visit, length ``visits``.

    Returns:
        np.ndarray: Float, shape (tasks,). NaN for the task of the last visit, for tasks that were
            never visited, and where nothing was validated right after the task's latest visit.

    Raises:
        ValueError: If the two arguments do not fit each other.
    """
    matrix = _checked(scores, visits)
    result = np.full(matrix.shape[1], np.nan)
    for task in _others(visits):
        latest = len(visits) - 1 - list(reversed(visits)).index(task)
        result[task] = matrix[-1, task] - matrix[latest, task]
    return result


def backward_transfer(scores: npt.ArrayLike, visits: Sequence[int]) -> float:
    """Mean of ``backward_transfer_per_task`` over the tasks that have a value; higher is better.

    Source: BWT of Lopez-Paz and Ranzato (NeurIPS 2017).

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int]): Index of the trained task of each visit, length ``visits``.

    Returns:
        float: The mean; NaN if only one task has been visited.
    """
    return _mean_of(backward_transfer_per_task(scores, visits), _others(visits))


def forward_transfer_per_task(
    scores: npt.ArrayLike, visits: Sequence[int], before: npt.ArrayLike
) -> np.ndarray:
    """Score of a task right before its first visit, less its score before any training.

    Source: the terms R_{i-1,i} - b_i of Lopez-Paz and Ranzato (NeurIPS 2017). There all tasks share
    one output layer. With a head for each task both terms are scores of an untrained head: the
    value says what other tasks' training did to the features that it reads, and is noisy.

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int]): Index of the trained task of each visit, length ``visits``.
        before (ArrayLike): Float, shape (tasks,): scores before the first visit.

    Returns:
        np.ndarray: Float, shape (tasks,). NaN for the task of the first visit, for tasks that were
            never visited, and where nothing was validated right before the task's first visit.

    Raises:
        ValueError: If the arguments do not fit each other.
    """
    matrix = _checked(scores, visits)
    baseline = np.asarray(before, dtype=np.float64)
    if baseline.shape != matrix.shape[1:]:
        raise ValueError(f'{matrix.shape[1]} tasks, but scores before of {baseline.shape}.')
    result = np.full(matrix.shape[1], np.nan)
    for task in sorted(set(visits) - {visits[0], -1}):
        result[task] = matrix[list(visits).index(task) - 1, task] - baseline[task]
    return result


def forward_transfer(scores: npt.ArrayLike, visits: Sequence[int], before: npt.ArrayLike) -> float:
    """Mean of ``forward_transfer_per_task`` over the visited tasks but the first; higher is better.

    Source: FWT of Lopez-Paz and Ranzato (NeurIPS 2017).

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int]): Index of the trained task of each visit, length ``visits``.
        before (ArrayLike): Float, shape (tasks,): scores before the first visit.

    Returns:
        float: The mean; NaN if only one task has been visited.
    """
    values = forward_transfer_per_task(scores, visits, before)
    return _mean_of(values, sorted(set(visits) - {visits[0], -1}))


def relative_performance_per_task(scores: npt.ArrayLike, visits: Sequence[int]) -> np.ndarray:
    """Score of a task after the last visit, in percent of its best since it was first trained.

    Our choice, beside the differences above: a point of AUC near 99 and a point of mAP near 30 are
    not the same loss.

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int]): Index of the trained task of each visit, length ``visits``.

    Returns:
        np.ndarray: Float, shape (tasks,), at most 100. NaN for tasks that were never visited or
            whose best score is 0.

    Raises:
        ValueError: If the two arguments do not fit each other.
    """
    matrix = _checked(scores, visits)
    result = np.full(matrix.shape[1], np.nan)
    for task in sorted(set(visits) - {-1}):
        best = np.fmax.reduce(matrix[list(visits).index(task) :, task])
        if best > 0:
            result[task] = 100 * matrix[-1, task] / best
    return result


def relative_performance(scores: npt.ArrayLike, visits: Sequence[int]) -> float:
    """Mean of ``relative_performance_per_task`` over the visited tasks; higher is better.

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int]): Index of the trained task of each visit, length ``visits``.

    Returns:
        float: The mean.
    """
    return _mean_of(relative_performance_per_task(scores, visits), sorted(set(visits) - {-1}))


def _others(visits: Sequence[int]) -> list[int]:
    """List the visited tasks that have scores, except the one visited last."""
    return sorted(set(visits) - {visits[-1], -1})


def _mean_of(values: np.ndarray, tasks: list[int]) -> float:
    """Mean over some tasks; NaN if there is none or one of them has no value."""
    return float(values[tasks].mean()) if tasks else float('nan')


def _checked(scores: npt.ArrayLike, visits: Sequence[int] | None = None) -> np.ndarray:
    """Check that scores and visits fit each other.

    Args:
        scores (ArrayLike): Float, shape (visits, tasks).
        visits (Sequence[int], optional): Index of the trained task of each visit. Defaults to None.

    Returns:
        np.ndarray: The scores as float64.

    Raises:
        ValueError: If they do not.
    """
    matrix = np.asarray(scores, dtype=np.float64)
    if matrix.ndim != 2 or matrix.size == 0:
        raise ValueError(f'scores must have the shape (visits, tasks), not {matrix.shape}.')
    if visits is not None:
        if len(visits) != matrix.shape[0]:
            raise ValueError(f'{matrix.shape[0]} rows of scores, but {len(visits)} visits.')
        unknown = sorted(set(visits) - set(range(-1, matrix.shape[1])))
        if unknown:
            raise ValueError(f'visits name the tasks {unknown}, but there are {matrix.shape[1]}.')
    return matrix
